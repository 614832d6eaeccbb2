// The part of "cloudflare:workers" that acts on the current invocation. Evaluating this module switches scopes on.
import { AsyncLocalStorage } from "node:async_hooks";
import { type BindingCall, capabilityOf, makeBinding } from "@capstan/client/serving";
import type { Capability } from "@capstan/vat";
import { registeredEnvironment } from "./environments.ts";
import { type Scoped, switchOnScopes } from "./invocation-scope.ts";

/** What the running code belongs to. */
interface Scope {
  readonly scoped: Scoped | undefined;
  /** What `withEnv` put in the place of `env`, for this invocation alone. */
  readonly replacement?: object;
}

const storage = new AsyncLocalStorage<Scope>();

switchOnScopes(
  (scoped, run) => storage.run({ scoped }, run),
  () => storage.getStore()?.scoped,
);

function current(what: string): Scoped {
  const scoped = storage.getStore()?.scoped;
  if (scoped === undefined) throw new Error(`${what} from "cloudflare:workers" works only within an invocation.`);
  return scoped;
}

/** Keeps the current invocation alive until `promise` settles. */
export function waitUntil(promise: unknown): void {
  current("waitUntil()").ctx.waitUntil(promise);
}

/** The bindings of `exports` that a module keeps from its top level on, before it is known what it exports. */
const earlyExports = new Proxy(Object.create(null) as object, {
  get: (_target, name) => (typeof name === "symbol" || name === "then" ? undefined : earlyExport(name)),
});

/** The current invocation's `ctx.exports`; elsewhere bindings that can be called once there is one. */
export const exports = live(() => storage.getStore()?.scoped?.ctx.exports ?? earlyExports);

type Binding = object & BindingCall;

/** A binding to the export `name`; each call is the current invocation's. */
function earlyExport(name: string): object {
  const now = (): Binding => {
    const own = current("exports").ctx.exports[name];
    if (own === undefined) throw new TypeError(`There is no entrypoint "${name}".`);
    return own as Binding;
  };
  return earlyBinding(now, (options) => earlyBinding(() => now()(options) as Binding));
}

/** @param now the binding that the current invocation has for it. */
function earlyBinding(now: () => Binding, call?: BindingCall): object {
  let service: Capability | undefined;
  const find = (): Capability => {
    service ??= capabilityOf(now());
    return service;
  };
  return makeBinding(
    {
      get realm() {
        return current("exports").callRealm;
      },
      find,
    },
    call,
  );
}

/** `env` as the Worker with this id imports it: its bindings' calls are those of the current invocation. */
export function environmentOf(worker: number): object {
  const own = registeredEnvironment(worker);
  return live(() => {
    const scope = storage.getStore();
    return scope?.replacement ?? scope?.scoped?.envOver(own) ?? own;
  });
}

/** Runs `run` with `env` of this module reading from `replacement`. */
export function withEnv<T>(replacement: object, run: () => T): T {
  return storage.run({ scoped: storage.getStore()?.scoped, replacement }, run);
}

/** An object that stands for what `find` returns now. It cannot be frozen, since it stays while that changes. */
function live(find: () => object): object {
  return new Proxy(Object.create(null) as object, {
    get: (_target, key) => Reflect.get(find(), key),
    set: (_target, key, value) => Reflect.set(find(), key, value),
    deleteProperty: (_target, key) => Reflect.deleteProperty(find(), key),
    defineProperty: (_target, key, descriptor) => Reflect.defineProperty(find(), key, descriptor),
    has: (_target, key) => Reflect.has(find(), key),
    preventExtensions: () => false,
    setPrototypeOf: () => false,
    ownKeys: () => Reflect.ownKeys(find()),
    getOwnPropertyDescriptor: (_target, key) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(find(), key);
      return descriptor === undefined ? undefined : { ...descriptor, configurable: true };
    },
  });
}
