// The part of "cloudflare:workers" that acts on the current invocation. Evaluating this module switches scopes on.
import { AsyncLocalStorage } from "node:async_hooks";
import { registeredEnvironment } from "./environments.ts";
import { type Scoped, switchOnScopes } from "./invocation-scope.ts";

const storage = new AsyncLocalStorage<Scoped>();
const replacements = new AsyncLocalStorage<object>();

switchOnScopes(
  (scoped, run) => storage.run(scoped, run),
  () => storage.getStore(),
);

function current(what: string): Scoped {
  const scoped = storage.getStore();
  if (scoped === undefined) throw new Error(`${what} from "cloudflare:workers" works only within an invocation.`);
  return scoped;
}

/** Keeps the current invocation alive until `promise` settles. */
export function waitUntil(promise: unknown): void {
  current("waitUntil()").ctx.waitUntil(promise);
}

/** The current invocation's `ctx.exports`. */
export const exports = live(() => current("exports").ctx.exports);

/** `env` as the Worker with this id imports it: its bindings' calls are those of the current invocation. */
export function environmentOf(worker: number): object {
  const own = registeredEnvironment(worker);
  return live(() => replacements.getStore() ?? storage.getStore()?.envOver(own) ?? own);
}

/** Runs `run` with `env` of this module reading from `replacement`. */
export function withEnv<T>(replacement: object, run: () => T): T {
  return replacements.run(replacement, run);
}

/** An object whose properties are those of what `find` returns now. */
function live(find: () => object): object {
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
