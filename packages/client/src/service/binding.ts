// Bindings: what a service is to a Worker, configured or received. `typeof` "object", no `then`, neither `dup` nor a disposer.
import type { Capability } from "@capstan/vat";
import { CORE, type StubCore } from "../stubs/brand.ts";
import type { CallBase } from "../stubs/call-promise.ts";
import { baseOf, Handler, ServiceStub, type StubBase, whenBroken } from "../stubs/stub.ts";
import type { Realm, ReceivedBinding } from "../values/realm.ts";
import { SERVICE_EVENTS } from "./service-stub.ts";

/** Where a binding leads. */
export interface BindingSource {
  /** The realm that a call made now belongs to. */
  readonly realm: Realm;
  /** The service as it is reached now; borrowed. */
  find(): Capability;
}

/** Makes a binding callable, as `ctx.exports.NAME({ props })` is. */
export type BindingCall = (options?: { readonly props?: unknown }) => object;

/** A binding that holds no reference of its own. */
export function makeBinding(source: BindingSource, call?: BindingCall): object {
  return bindingTo(new BoundService(source), call);
}

/** A binding that was received, and what holds its reference. Takes over `cap`. */
export function receiveBinding(realm: Realm, cap: Capability): ReceivedBinding {
  const held = new ServiceStub(realm, cap, SERVICE_EVENTS);
  return { binding: bindingTo(held), held };
}

/** Where calls on a stub or binding go; borrowed. */
export function capabilityOf(stub: object): Capability {
  return baseOf(stub).target();
}

/** What stands behind a binding. While a call waits for an argument, those behind it wait at a gate. */
class BoundService implements CallBase, StubCore {
  readonly isService = true;
  readonly #source: BindingSource;
  #gate: Capability | undefined;
  /** What the gate leads to. A link that was opened anew is something else. */
  #behindGate: Capability | undefined;

  constructor(source: BindingSource) {
    this.#source = source;
  }

  get realm(): Realm {
    return this.#source.realm;
  }

  target(): Capability {
    const service = this.#source.find();
    if (this.#gate === undefined) return service;
    if (this.#behindGate === service) return this.#gate;
    this.#gate.release();
    this.#gate = undefined;
    this.#behindGate = undefined;
    return service;
  }

  divert(gate: Capability): Capability {
    const target = this.target();
    if (this.#gate === undefined) target.addRef();
    this.#gate = gate;
    this.#behindGate = this.#source.find();
    return target;
  }

  capability(): Capability {
    return this.target().addRef();
  }

  /** It is its owner's. */
  dispose(): void {}
}

class BindingHandler extends Handler {
  protected readonly base: StubBase;

  constructor(base: StubBase) {
    super();
    this.base = base;
    this.keepLocal(SERVICE_EVENTS);
  }

  get(_target: () => void, key: string | symbol): unknown {
    if (key === CORE) return this.base;
    if (typeof key === "symbol" || key === "then" || key === "dup") return undefined;
    if (key === "onRpcBroken") return (listener: (error: unknown) => void) => whenBroken(this.base, listener);
    return this.property(key);
  }

  /** Only what was made with a BindingCall can be called itself. */
  override apply(target: () => void, self: unknown, args: unknown[]): unknown {
    return Reflect.apply(target, self, args);
  }
}

function bindingTo(base: StubBase, call?: BindingCall): object {
  return new Proxy((call ?? Object.create(Fetcher.prototype)) as () => void, new BindingHandler(base));
}

/** Names the class of bindings in messages. */
class Fetcher {}
