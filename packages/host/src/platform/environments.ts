// The `env` of each Worker, for its import of "cloudflare:workers" to find.

const registered: object[] = [];

/** Makes `env` known before its Worker is loaded. Returns an id for it. */
export function registerEnvironment(env: object): number {
  return registered.push(env) - 1;
}

/** The `env` with this id. */
export function registeredEnvironment(worker: number): object {
  return registered[worker] ?? {};
}
