// `env` and `ctx.exports` as one invocation sees them: what it calls through them is part of it.
import { type BindingCall, type BindingSource, makeBinding, type Realm } from "@capstan/client/serving";
import type { Capability } from "@capstan/vat";

/** Finds what a binding leads to; borrowed. */
export type ServiceFinder = () => Capability;

/** A binding of `env`: the object that all share, and what it leads to. */
export interface SharedBinding {
  readonly shared: unknown;
  readonly find: ServiceFinder;
}

/** Whoever makes calls: an invocation. */
export interface Caller extends Realm {
  /** Once it has ended, what is called through its bindings belongs to nobody. */
  readonly callRealm: Realm;
}

/** A binding whose calls are `caller`'s. */
export function bindingOf(caller: Caller, find: ServiceFinder, call?: BindingCall): object {
  const source: BindingSource = {
    get realm() {
      return caller.callRealm;
    },
    find,
  };
  return makeBinding(source, call);
}

/** The traps of an `env` whose bindings are `caller`'s, each made when it is first read. All else is the Worker's own `env`. */
export class InvocationEnv implements ProxyHandler<object> {
  readonly #caller: Caller;
  readonly #bindings: ReadonlyMap<string | symbol, SharedBinding>;
  #made: Map<string | symbol, object> | undefined = undefined;

  constructor(caller: Caller, bindings: ReadonlyMap<string | symbol, SharedBinding>) {
    this.#caller = caller;
    this.#bindings = bindings;
  }

  get(env: object, key: string | symbol): unknown {
    const value: unknown = Reflect.get(env, key);
    const binding = this.#bindings.get(key);
    // Whatever a Worker put in its place is not ours.
    if (binding === undefined || binding.shared !== value) return value;
    this.#made ??= new Map();
    let own = this.#made.get(key);
    if (own === undefined) {
      own = bindingOf(this.#caller, binding.find);
      this.#made.set(key, own);
    }
    return own;
  }

  /** Frozen, the Worker's own `env` could show no other bindings than those in it. */
  preventExtensions(): boolean {
    return false;
  }
}
