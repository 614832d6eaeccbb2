// hot path (bench: npm run bench). What an application holds of a remote object, as proxies: stubs, properties along their
// path, and promises, which pipeline.
import type { Capability } from "@capstan/vat";
import { fromException } from "../errors.ts";
import type { Realm } from "../values/realm.ts";
import { CORE, coreOf, type SentPromise, type StubCore } from "./brand.ts";
import { type CallBase, CallPromise, type PromiseBase } from "./call-promise.ts";
import { watch } from "./leaks.ts";
import { ReceivedPromise } from "./received-promise.ts";

const MAX_PATH = 64;

/** What stands behind a stub or a binding. */
export interface StubBase extends CallBase, StubCore {}

/** Names that are not remote anywhere: symbols are handled before. */
function isLocalName(name: string): boolean {
  return name in Object.prototype || /^(0|[1-9][0-9]*)$/.test(name);
}

const NO_PATH: readonly string[] = Object.freeze([]);

/** Makes a proxy of what calls can be made on. */
export abstract class Handler implements ProxyHandler<() => void> {
  /** Made once for each name: a torn-off method keeps its target. */
  #properties: Map<string, object> | undefined = undefined;

  /** Where calls go. */
  protected abstract get base(): CallBase;

  /** What leads from there to what this stands for. */
  protected get path(): readonly string[] {
    return NO_PATH;
  }

  protected property(name: string): unknown {
    const known = this.#properties?.get(name);
    if (known !== undefined) return known;
    if (isLocalName(name)) return Reflect.get(Object.prototype, name);
    const { path } = this;
    if (path.length >= MAX_PATH) throw new Error(`RPC pipelined property path is too deep (max ${MAX_PATH}).`);
    const property = makeProperty(this.base, [...path, name]);
    this.#properties ??= new Map();
    this.#properties.set(name, property);
    return property;
  }

  /** Before anything is asked of the proxy: these names are not remote on it. */
  protected keepLocal(local: LocalMembers): void {
    this.#properties = new Map(Object.entries(local(this.base)));
  }

  abstract get(target: () => void, key: string | symbol): unknown;

  apply(_target: () => void, _self: unknown, args: unknown[]): unknown {
    return startCall(this.base, this.path, args);
  }

  has(_target: () => void, key: string | symbol): boolean {
    return typeof key === "string";
  }

  ownKeys(): string[] {
    return [];
  }

  getOwnPropertyDescriptor(): undefined {
    return undefined;
  }

  set(): boolean {
    return false;
  }

  defineProperty(): boolean {
    return false;
  }

  deleteProperty(): boolean {
    return false;
  }

  preventExtensions(): boolean {
    return false;
  }

  setPrototypeOf(): boolean {
    return false;
  }
}

/**
 * A stub: its own state, and the handler of its proxy. One object, since a client may hold very many.
 * States: usable → disposed (its reference is given back).
 */
export class Stub extends Handler implements StubBase {
  readonly realm: Realm;
  #cap: Capability | undefined;

  /** Takes over the reference. */
  constructor(realm: Realm, cap: Capability) {
    super();
    this.realm = realm;
    this.#cap = cap;
    realm.handleHeld?.(this, true);
  }

  protected get base(): CallBase {
    return this;
  }

  /** What it does itself. */
  protected get local(): LocalMembers | undefined {
    return undefined;
  }

  get isService(): boolean {
    return this.local !== undefined;
  }

  get kept(): Capability | undefined {
    return this.#cap;
  }

  target(): Capability {
    if (this.#cap === undefined) throw new Error("RPC stub used after being disposed.");
    return this.#cap;
  }

  divert(gate: Capability): Capability {
    const target = this.target();
    this.#cap = gate;
    return target;
  }

  capability(): Capability {
    return this.target().addRef();
  }

  dispose(): void {
    const cap = this.#cap;
    if (cap === undefined) return;
    this.#cap = undefined;
    this.realm.handleHeld?.(this, false);
    cap.release();
  }

  get(_target: () => void, key: string | symbol): unknown {
    if (typeof key === "symbol") {
      if (key === CORE) return this;
      return key === Symbol.dispose ? () => this.dispose() : undefined;
    }
    if (key === "then") return undefined;
    if (key === "dup") return () => makeStub(this.realm, this.capability(), this.local);
    if (key === "onRpcBroken") return (listener: (error: unknown) => void) => whenBroken(this, listener);
    return this.property(key);
  }
}

/** The stub of a service. */
export class ServiceStub extends Stub {
  readonly #local: LocalMembers;

  constructor(realm: Realm, cap: Capability, local: LocalMembers) {
    super(realm, cap);
    this.#local = local;
    this.keepLocal(local);
  }

  protected override get local(): LocalMembers {
    return this.#local;
  }
}

class PropertyHandler extends Handler {
  protected readonly base: CallBase;
  readonly #path: readonly string[];
  readonly #property: Property;

  constructor(base: CallBase, path: readonly string[]) {
    super();
    this.base = base;
    this.#path = path;
    this.#property = new Property(base, path);
  }

  protected override get path(): readonly string[] {
    return this.#path;
  }

  get(_target: () => void, key: string | symbol): unknown {
    if (key === CORE) return this.#property;
    if (typeof key === "symbol") return undefined;
    if (key === "then" || key === "catch" || key === "finally") {
      // Each await of a property reads it anew; nothing is fetched before.
      return settler(key, () => this.#property.read().promise());
    }
    return this.property(key);
  }
}

/** What a property is when it is sent: a promise for its value, read then. */
export class Property implements StubCore {
  readonly #base: CallBase;
  readonly #path: readonly string[];

  constructor(base: CallBase, path: readonly string[]) {
    this.#base = base;
    this.#path = path;
  }

  get realm(): Realm {
    return this.#base.realm;
  }

  read(): CallPromise {
    return new CallPromise(this.#base, this.#path, undefined);
  }

  /** Whoever holds the capability needs nothing else of the call. */
  capability(): Capability {
    const call = this.read();
    try {
      return call.capability();
    } finally {
      call.dispose();
    }
  }

  get isUnread(): boolean {
    return true;
  }

  send(): SentPromise {
    return this.read().send(false);
  }

  dispose(): void {}
}

class PromiseHandler extends Handler {
  readonly #promise: PromiseBase;

  constructor(promise: PromiseBase) {
    super();
    this.#promise = promise;
  }

  protected get base(): CallBase {
    return this.#promise;
  }

  get(_target: () => void, key: string | symbol): unknown {
    const promise = this.#promise;
    if (typeof key === "symbol") {
      if (key === CORE) return promise;
      if (key === Symbol.dispose) return () => promise.dispose();
      return key === Symbol.toStringTag ? "Promise" : undefined;
    }
    // Awaiting asks for it each time.
    if (key === "then") return (yes?: never, no?: never) => promise.promise().then(yes, no);
    if (key === "catch" || key === "finally") return settler(key, () => promise.promise());
    if (key === "dup" && promise instanceof ReceivedPromise) return () => wrapPromise(promise.dup());
    if (key === "onRpcBroken") return (listener: (error: unknown) => void) => whenBroken(promise, listener);
    return this.property(key);
  }
}

/** `then`, `catch` or `finally` of the promise that `start` gives. */
function settler(key: "then" | "catch" | "finally", start: () => Promise<unknown>): (...args: never[]) => unknown {
  return (...args) => {
    const promise = start();
    return (promise[key] as (...args: never[]) => unknown).apply(promise, args);
  };
}

/** What all proxies stand in front of: it must be callable and own nothing that cannot be hidden. Traps guard it. */
const CALLABLE = (): void => {};

/** What a stub does itself under some names, given where its calls go; its duplicates do too. */
export type LocalMembers = (base: CallBase) => { readonly [name: string]: object };

/** A stub for `cap`. Takes over the reference. @param local what it does itself, as services do. */
export function makeStub(realm: Realm, cap: Capability, local?: LocalMembers): Disposable & object {
  const stub = local === undefined ? new Stub(realm, cap) : new ServiceStub(realm, cap, local);
  const proxy = new Proxy(CALLABLE, stub) as never;
  // A service keeps nothing at the other end until it is called.
  if (local === undefined) watch(proxy, "stub", stub);
  return proxy;
}

/** Where calls through a stub go. */
export function baseOf(stub: object): CallBase {
  const core = coreOf(stub);
  // Promises and properties, which have `send`, lead elsewhere.
  if (core !== undefined && core.send === undefined) return core as StubBase;
  throw new TypeError("This is not a stub.");
}

/** A promise that arrived. Takes over the references; see ReceivedPromise. */
export function makePromise(realm: Realm, value: Capability, pipeline: Capability | undefined): Disposable & object {
  return wrapPromise(new ReceivedPromise(realm, value, pipeline));
}

/** Makes a call, or reads a property where `args` is undefined. Never throws: failures reject the promise. */
export function startCall(base: CallBase, path: readonly string[], args: readonly unknown[] | undefined): object {
  return wrapPromise(new CallPromise(base, path, args));
}

function wrapPromise(promise: PromiseBase): Disposable & object {
  return new Proxy(CALLABLE, new PromiseHandler(promise)) as never;
}

function makeProperty(base: CallBase, path: readonly string[]): object {
  return new Proxy(CALLABLE, new PropertyHandler(base, path));
}

/** What `onRpcBroken` is on anything that calls can be made on. */
export function whenBroken(base: CallBase, listener: (error: unknown) => void): Disposable {
  const off = base.target().whenBroken((error) => listener(fromException(error, base.realm.limits)));
  return { [Symbol.dispose]: off };
}
