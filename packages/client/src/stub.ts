// hot path (bench: npm run bench). What an application holds of a remote object: stubs, properties along their path, and
// the promises of calls, which pipeline.
import type { Capability, PendingCall, ReceivedPayload, ReturnSink, RpcError } from "@capstan/vat";
import { JS_RPC_TARGET_ID_HIGH, JS_RPC_TARGET_ID_LOW, readCallResults } from "@capstan/wire";
import { fromException } from "./errors.ts";
import { CORE, coreOf, type StubCore } from "./stub-brand.ts";
import { callEncoder, IncomingStubs, type Realm } from "./values.ts";

const MAX_PATH = 64;

/** Where calls through a proxy go. */
export interface CallBase extends StubCore {
  readonly realm: Realm;
  /** Where calls go; borrowed. Throws where it was disposed of. */
  target(): Capability;
}

/** A stub's own state. States: usable → disposed (its reference is given back). */
class Stub implements CallBase {
  readonly realm: Realm;
  #cap: Capability | undefined;

  constructor(realm: Realm, cap: Capability) {
    this.realm = realm;
    this.#cap = cap;
    realm.handleStub?.(this, true);
  }

  target(): Capability {
    if (this.#cap === undefined) throw new Error("RPC stub used after being disposed.");
    return this.#cap;
  }

  capability(): Capability {
    return this.target().addRef();
  }

  dispose(): void {
    const cap = this.#cap;
    if (cap === undefined) return;
    this.#cap = undefined;
    this.realm.handleStub?.(this, false);
    cap.release();
  }
}

/** Names that are not remote anywhere: symbols are handled before. */
function isLocalName(name: string): boolean {
  return name in Object.prototype || /^(0|[1-9][0-9]*)$/.test(name);
}

/** Properties of a stub or promise, made once for each name: a torn-off method keeps its target. */
export class Properties {
  readonly #base: CallBase;
  readonly #path: readonly string[];
  readonly #known = new Map<string, object>();

  constructor(base: CallBase, path: readonly string[]) {
    this.#base = base;
    this.#path = path;
  }

  get(name: string): unknown {
    if (isLocalName(name)) return Reflect.get(Object.prototype, name);
    let property = this.#known.get(name);
    if (property === undefined) {
      if (this.#path.length >= MAX_PATH) throw new Error(`RPC pipelined property path is too deep (max ${MAX_PATH}).`);
      property = makeProperty(this.#base, [...this.#path, name]);
      this.#known.set(name, property);
    }
    return property;
  }
}

abstract class Handler implements ProxyHandler<() => void> {
  protected readonly properties: Properties;
  protected readonly base: CallBase;
  readonly #path: readonly string[];

  constructor(base: CallBase, path: readonly string[]) {
    this.base = base;
    this.#path = path;
    this.properties = new Properties(base, path);
  }

  abstract get(target: () => void, key: string | symbol): unknown;

  apply(_target: () => void, _self: unknown, args: unknown[]): unknown {
    return startCall(this.base, this.#path, args);
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
}

class StubHandler extends Handler {
  get(_target: () => void, key: string | symbol): unknown {
    const { base } = this;
    if (typeof key === "symbol") {
      if (key === CORE) return base;
      return key === Symbol.dispose ? () => base.dispose() : undefined;
    }
    if (key === "then") return undefined;
    if (key === "dup") return () => base.realm.stubFor(base.capability());
    if (key === "onRpcBroken") return (listener: (error: unknown) => void) => whenBroken(base, listener);
    return this.properties.get(key);
  }
}

class PropertyHandler extends Handler {
  readonly #fetch: () => Promise<unknown>;

  constructor(base: CallBase, path: readonly string[]) {
    super(base, path);
    // Each await of a property reads it anew; nothing is fetched before.
    this.#fetch = () => startCall(base, path, undefined) as Promise<unknown>;
  }

  get(_target: () => void, key: string | symbol): unknown {
    if (typeof key === "symbol") return undefined;
    if (key === "then" || key === "catch" || key === "finally") {
      return (...args: never[]) => {
        const promise = this.#fetch();
        return (promise[key] as (...args: never[]) => unknown).apply(promise, args);
      };
    }
    return this.properties.get(key);
  }
}

/** A proxy's target must be callable, and must not own anything that cannot be hidden. */
function callable(): () => void {
  return () => {};
}

/** A stub for `cap`. Takes over the reference. */
export function makeStub(realm: Realm, cap: Capability): Disposable & object {
  return new Proxy(callable(), new StubHandler(new Stub(realm, cap), [])) as never;
}

function makeProperty(base: CallBase, path: readonly string[]): object {
  return new Proxy(callable(), new PropertyHandler(base, path));
}

function whenBroken(base: CallBase, listener: (error: unknown) => void): Disposable {
  const off = base.target().whenBroken(listener);
  return { [Symbol.dispose]: off };
}

/** Where the results of a call keep the target that stands for them. */
const CALL_PIPELINE = Object.freeze([1]);
const CALL_METHOD = 0;

type Settled = { readonly value: unknown } | { readonly error: unknown };

/**
 * A call in flight, and the base of what is pipelined on it.
 *
 * States: pending → settled (value or error) ; disposed at any time (a pending call is cancelled, stubs in a result
 * are given back).
 */
class CallPromise implements CallBase, ReturnSink {
  readonly realm: Realm;
  #call: PendingCall | undefined;
  #pipeline: Capability | undefined;
  #settled: Settled | undefined;
  #waiting: { resolve(value: unknown): void; reject(error: unknown): void } | undefined;
  #promise: Promise<unknown> | undefined;
  #stubs: IncomingStubs | undefined;
  /** A result that is a stub: it stands for itself, and whoever holds it disposes of it. */
  #result: CallBase | undefined;
  #disposed = false;
  /** True once a result arrived that nothing can be pipelined on. */
  #isEmpty = false;
  /** Where the call went; forgotten once settled, so that a long chain keeps none of its links. */
  #base: CallBase | undefined;
  readonly #path: readonly string[];

  constructor(base: CallBase, path: readonly string[], args: readonly unknown[] | undefined) {
    this.realm = base.realm;
    this.#base = base;
    this.#path = path;
    try {
      const content = { realm: base.realm, path, args };
      const target = base.target();
      this.#call = target.call(JS_RPC_TARGET_ID_HIGH, JS_RPC_TARGET_ID_LOW, CALL_METHOD, callEncoder, content, this);
    } catch (error) {
      this.#settled = { error };
    }
  }

  /** The outcome as a native promise, made when somebody asks. */
  promise(): Promise<unknown> {
    if (this.#disposed) return Promise.reject(new Error("RPC promise used after being disposed."));
    const settled = this.#settled;
    if (this.#promise !== undefined) return this.#promise;
    if (settled === undefined) {
      this.#promise = new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject };
      });
    } else {
      this.#promise = "error" in settled ? Promise.reject(settled.error) : Promise.resolve(settled.value);
    }
    return this.#promise;
  }

  target(): Capability {
    if (this.#disposed) throw new Error("RPC promise used after being disposed.");
    const settled = this.#settled;
    if (settled !== undefined && "error" in settled) throw settled.error;
    if (this.#result !== undefined) return this.#result.target();
    if (this.#pipeline === undefined) {
      if (this.#call === undefined) throw new TypeError("Can't pipeline on RPC that did not return an object.");
      this.#pipeline = this.#call.pipeline(CALL_PIPELINE);
    }
    return this.#pipeline;
  }

  capability(): Capability {
    return this.target().addRef();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#settled === undefined) this.#call?.cancel();
    this.#call = undefined;
    this.#releaseResult();
    this.#waiting?.reject(new Error("RPC promise used after being disposed."));
    this.#waiting = undefined;
  }

  handleResults(results: ReceivedPayload): void {
    try {
      const { limits } = this.realm;
      const { value: ref, callPipeline } = readCallResults(results.reader, results.content, limits);
      const stubs = new IncomingStubs(results, this.realm, ref?.externals ?? []);
      const value = ref === undefined ? undefined : stubs.read(ref);
      this.#stubs = stubs;
      this.#call = undefined;
      if (typeof value === "function") this.#result = coreOf(value) as CallBase | undefined;
      const pipeline = results.cap(callPipeline);
      this.#isEmpty = pipeline === undefined;
      this.#keepPipeline(pipeline);
      if (this.#pipeline !== undefined || stubs.stubs.length > 0) this.#attachDisposer(value);
      this.#settle({ value });
    } catch (error) {
      this.#settle({ error });
    } finally {
      results.release();
    }
  }

  handleException(error: RpcError): void {
    const base = this.#base;
    // The callee had nothing to look the path up in: its answer was gone. What was asked of it is known here alone.
    if (base instanceof CallPromise && base.#isEmpty) this.#settle({ error: notThere(this.#path) });
    else this.#settle({ error: fromException(error, this.realm.limits) });
  }

  /** Keeps what stands for an object, so that calls can be pipelined on it until the result is disposed of. */
  #keepPipeline(arrived: Capability | undefined): void {
    const early = this.#pipeline;
    this.#pipeline = this.#result === undefined ? arrived?.addRef() : undefined;
    early?.release();
  }

  #settle(settled: Settled): void {
    this.#settled = settled;
    this.#call = undefined;
    this.#base = undefined;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if ("error" in settled) {
      this.#releaseResult();
      waiting?.reject(settled.error);
    } else waiting?.resolve(settled.value);
  }

  #releaseResult(): void {
    const pipeline = this.#pipeline;
    this.#pipeline = undefined;
    pipeline?.release();
    this.#stubs?.dispose();
  }

  /** The result's own disposer gives back everything that came with it. A lone stub disposes of itself. */
  #attachDisposer(value: unknown): void {
    if (typeof value !== "object" || value === null || !Object.isExtensible(value)) return;
    Object.defineProperty(value, Symbol.dispose, { value: () => this.#releaseResult(), configurable: true });
  }
}

/** What a callee says of a path that leads nowhere from the start. */
function notThere(path: readonly string[]): TypeError {
  const [name] = path;
  const text =
    name === undefined ? '"(this)" is not a function.' : `The RPC receiver does not implement the method "${name}".`;
  return Object.assign(new TypeError(text), { remote: true });
}

class PromiseHandler extends Handler {
  readonly #call: CallPromise;

  constructor(call: CallPromise) {
    super(call, []);
    this.#call = call;
  }

  get(_target: () => void, key: string | symbol): unknown {
    const call = this.#call;
    if (typeof key === "symbol") {
      if (key === CORE) return call;
      if (key === Symbol.dispose) return () => call.dispose();
      return key === Symbol.toStringTag ? "Promise" : undefined;
    }
    if (key === "then" || key === "catch" || key === "finally") {
      return (...args: never[]) => {
        const promise = call.promise();
        return (promise[key] as (...args: never[]) => unknown).apply(promise, args);
      };
    }
    if (key === "onRpcBroken") return (listener: (error: unknown) => void) => whenBroken(call, listener);
    return this.properties.get(key);
  }
}

/** Makes a call, or reads a property where `args` is undefined. Never throws: failures reject the promise. */
export function startCall(base: CallBase, path: readonly string[], args: readonly unknown[] | undefined): object {
  return new Proxy(callable(), new PromiseHandler(new CallPromise(base, path, args)));
}
