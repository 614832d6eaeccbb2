// `env` of "cloudflare:workers": a Worker's own, from its top level on. Needs no scope unless withEnv() is used.
import { AsyncLocalStorage } from "node:async_hooks";
import { currentScope } from "./invocation-scope.ts";

const registered: object[] = [];
const replacements = new AsyncLocalStorage<object>();

/** Makes `env` known before its Worker is loaded; it may be filled later. Returns an id for it. */
export function registerEnvironment(env: object): number {
  return registered.push(env) - 1;
}

/** Runs `run` with `env` of this module reading from `replacement`. */
export function withEnv<T>(replacement: object, run: () => T): T {
  return replacements.run(replacement, run);
}

/**
 * `env` as the Worker with this id imports it. Where scopes are on, its bindings are those of the current invocation; else
 * their calls belong to the host.
 */
export function environmentOf(worker: number): object {
  const own = registered[worker] ?? {};
  return live(() => replacements.getStore() ?? currentScope()?.envOver(own) ?? own);
}

/** An object whose properties are those of what `find` returns now. */
export function live(find: () => object): object {
  return new Proxy(Object.create(null) as object, {
    get: (_target, key) => Reflect.get(find(), key),
    has: (_target, key) => Reflect.has(find(), key),
    ownKeys: () => Reflect.ownKeys(find()),
    getOwnPropertyDescriptor: (_target, key) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(find(), key);
      return descriptor === undefined ? undefined : { ...descriptor, configurable: true };
    },
  });
}
