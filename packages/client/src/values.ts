// hot path (bench: npm run bench). Calls and results as JsRpcTarget carries them: values, and the stubs that they mention.
import type { Capability, IncomingCall, PayloadBuilder, PayloadEncoder, ReceivedPayload } from "@capstan/vat";
import {
  DecodeError,
  type External,
  ExternalKind,
  type ExternalsWriter,
  type HostObjectReader,
  type JsValueRef,
  type Limits,
  Operation,
  readJsValue,
  type ValueReader,
  type ValueWriter,
  writeCallParams,
  writeCallResults,
} from "@capstan/wire";

import { RpcTarget } from "./rpc-target.ts";
import { coreOf, type SentPromise, type StubCore } from "./stub-brand.ts";

/** Host tags in value bytes: a stub takes one external, a promise two (its value, and where calls on it go). */
const STUB_TAG = 1;
const PROMISE_TAG = 64;

/** Ties values to the objects on either side of the wire. An application has one; on a host each invocation is one. */
export interface Realm {
  readonly limits: Limits;
  /** A stub for a capability that arrived. Takes over the reference. */
  stubFor(cap: Capability): Disposable & object;
  /** A promise that arrived. Takes over both references. */
  promiseFor(value: Capability, pipeline: Capability | undefined): Disposable & object;
  /** Serves `target` by reference; `dispose` runs when the last reference is gone. The reference belongs to the caller. */
  serve(target: object, dispose: (() => void) | undefined): Capability;
  /** Serves the value of `promise`: reading it waits for it. Otherwise like `serve`. */
  servePromise(promise: Promise<unknown>, dispose: (() => void) | undefined): Capability;
  /** Told of what a disposer threw. */
  report(error: unknown): void;
  /** A stub's core was made, or disposed of. */
  handleStub?(core: StubCore, held: boolean): void;
  /** Runs user code as part of this realm. Without it: plainly. */
  run?<T>(code: () => T): T;
  /** A call on an object of this realm begins to run, or was answered. */
  handleCall?(call: IncomingCall, running: boolean): void;
}

/**
 * The capability to send for an object that goes by reference; a new reference. Undefined: it does not.
 *
 * @param lends the sender keeps the object: one that has a `dup()` is duplicated, and the duplicate disposed of when the
 * receiver is done. What is returned goes over to the receiver as it is.
 */
export function capabilityFor(realm: Realm, object: object, lends: boolean): Capability | undefined {
  // A stub is passed on; the sender's own stays usable.
  const core = coreOf(object);
  if (core !== undefined) return core.capability();
  if (typeof object !== "function" && !(object instanceof RpcTarget)) return undefined;
  const dup: unknown = lends ? Reflect.get(object, "dup") : undefined;
  const target: unknown = typeof dup === "function" ? Reflect.apply(dup, object, []) : object;
  if ((typeof target !== "object" && typeof target !== "function") || target === null) {
    throw new TypeError("The dup() method of an RPC target must return an object.");
  }
  return realm.serve(target, disposerOf(target));
}

/** The disposer of results that hold nothing: passing such a result on passes on no duty. */
export function nothingToDispose(): void {}

/** An object's own disposer, bound to it. */
export function disposerOf(object: object): (() => void) | undefined {
  const dispose: unknown = Reflect.get(object, Symbol.dispose);
  return typeof dispose === "function" && dispose !== nothingToDispose
    ? () => void Reflect.apply(dispose, object, [])
    : undefined;
}

export interface CallContent {
  readonly realm: Realm;
  readonly path: readonly string[];
  /** Undefined: read the property instead of calling it. */
  readonly args: readonly unknown[] | undefined;
}

class OutgoingStubs implements ExternalsWriter {
  readonly externals: External[] = [];
  readonly #out: PayloadBuilder;
  readonly #realm: Realm;
  readonly #lends: boolean;
  /** An object that is in the cap table already, at `knownIndex`. */
  readonly #known: unknown;
  readonly #knownIndex: number;
  /** The stubs of our own that the value mentions. */
  sent: StubCore[] | undefined = undefined;

  constructor(out: PayloadBuilder, realm: Realm, lends: boolean, known?: unknown, knownIndex = -1) {
    this.#out = out;
    this.#lends = lends;
    this.#realm = realm;
    this.#known = known;
    this.#knownIndex = knownIndex;
  }

  writeHostObject(out: ValueWriter, object: object): boolean {
    const core = coreOf(object);
    if (core?.send !== undefined && object !== this.#known) {
      this.#writePromise(out, core.send(this.#lends));
      return true;
    }
    let capIndex = this.#knownIndex;
    if (capIndex < 0 || object !== this.#known) {
      const cap = capabilityFor(this.#realm, object, this.#lends);
      if (cap === undefined) return false;
      capIndex = this.#out.addCapability(cap);
      cap.release();
    }
    out.writeHostTag(STUB_TAG);
    this.externals.push({ kind: ExternalKind.rpcTarget, capIndex });
    if (core !== undefined) (this.sent ??= []).push(core);
    return true;
  }

  #writePromise(out: ValueWriter, { promise, pipeline, release }: SentPromise): void {
    const value = this.#realm.servePromise(promise, release);
    out.writeHostTag(PROMISE_TAG);
    this.#mention(value);
    if (pipeline === undefined) this.externals.push({ kind: ExternalKind.invalid, capIndex: -1 });
    else this.#mention(pipeline);
  }

  /** Takes over the reference. */
  #mention(cap: Capability): void {
    this.externals.push({ kind: ExternalKind.rpcTarget, capIndex: this.#out.addCapability(cap) });
    cap.release();
  }

  checkpoint(): number {
    return this.externals.length;
  }

  /** The references stay in the cap table, unnamed: the receiver gives them back. */
  rollback(checkpoint: number): void {
    this.externals.length = checkpoint;
  }
}

/** Writes the params of `JsRpcTarget.call`. */
export const callEncoder: PayloadEncoder<CallContent> = {
  encode(out, { realm, path, args }) {
    const host = new OutgoingStubs(out, realm, true);
    const name = path.length === 1 ? path[0] : undefined;
    const operation = args === undefined ? Operation.get : Operation.call;
    // No arguments are no value at all.
    const value = args === undefined || args.length === 0 ? undefined : args;
    writeCallParams(out.writer, out.at, name ?? path, value, operation, host, realm.limits);
  },
};

export interface ResultContent {
  readonly realm: Realm;
  readonly value: unknown;
  /** The sender keeps its stubs; else they go over to the receiver. */
  readonly lends: boolean;
  /** Lets the caller pipeline on the result; borrowed. */
  readonly pipeline: Capability | undefined;
  readonly hasDisposer: boolean;
  /** Filled by the encoder: the stubs in the value, which the results transfer. */
  transferred: readonly StubCore[] | undefined;
}

/** Writes the results of `JsRpcTarget.call`. */
export const resultEncoder: PayloadEncoder<ResultContent> = {
  encode(out, content) {
    const { realm, value, lends, pipeline, hasDisposer } = content;
    const callPipeline = pipeline === undefined ? undefined : out.addCapability(pipeline);
    const host = new OutgoingStubs(out, realm, lends, value, callPipeline);
    writeCallResults(out.writer, out.at, value, host, realm.limits, { callPipeline, hasDisposer });
    content.transferred = host.sent;
  },
};

/** Reads values that arrived, and makes their stubs. */
export class IncomingStubs implements HostObjectReader {
  /** The stubs made, in order: whoever owns the value disposes of them. */
  readonly stubs: (Disposable & object)[] = [];
  readonly #payload: ReceivedPayload;
  readonly #realm: Realm;
  readonly #externals: readonly External[];
  #next = 0;

  constructor(payload: ReceivedPayload, realm: Realm, externals: readonly External[]) {
    this.#payload = payload;
    this.#realm = realm;
    this.#externals = externals;
  }

  /** Reads `ref`. Where it throws, the stubs made until then are disposed of. */
  read(ref: JsValueRef): unknown {
    try {
      return readJsValue(ref, this, this.#realm.limits);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  readHostObject(_input: ValueReader, tag: number): object {
    const realm = this.#realm;
    let stub: Disposable & object;
    switch (tag) {
      case STUB_TAG:
        stub = realm.stubFor(required(this.#nextTarget()).addRef());
        break;
      case PROMISE_TAG: {
        const value = required(this.#nextTarget());
        stub = realm.promiseFor(value.addRef(), this.#nextTarget()?.addRef());
        break;
      }
      default:
        throw new DecodeError(`a value holds a host object of unknown kind ${tag}`);
    }
    this.stubs.push(stub);
    return stub;
  }

  /** The next external's capability, borrowed; undefined where it names none. */
  #nextTarget(): Capability | undefined {
    const external = this.#externals[this.#next++];
    return external?.kind === ExternalKind.rpcTarget ? this.#payload.cap(external.capIndex) : undefined;
  }

  dispose(): void {
    for (const stub of this.stubs.splice(0)) stub[Symbol.dispose]();
  }
}

function required(cap: Capability | undefined): Capability {
  if (cap === undefined) throw new DecodeError("a value mentions a stub that did not come with it");
  return cap;
}
