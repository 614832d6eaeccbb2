// hot path (bench: npm run bench). Params and results of JsRpcTarget.call, written.
import type { Capability, IncomingCall, PayloadEncoder } from "@capstan/vat";
import { Operation, writeCallParams, writeCallResults } from "@capstan/wire";
import type { StubCore } from "../stubs/brand.ts";
import type { KeptValue } from "./blob.ts";
import { OutgoingObjects, type PusherFinder } from "./outgoing.ts";
import type { Realm } from "./realm.ts";

/** A call to make. */
export class CallContent implements PusherFinder {
  readonly realm: Realm;
  /** Where the call goes; borrowed. */
  readonly target: Capability;
  readonly path: readonly string[];
  /** Undefined: read the property instead of calling it. */
  readonly args: readonly unknown[] | undefined;
  /** The arguments as they were written before; borrowed. */
  readonly kept: KeptValue | undefined;
  /** Filled by the encoder: the signals that the arguments mention. */
  signals: AbortSignal[] | undefined = undefined;

  constructor(
    realm: Realm,
    target: Capability,
    path: readonly string[],
    args: readonly unknown[] | undefined,
    kept?: KeptValue,
  ) {
    this.realm = realm;
    this.target = target;
    this.path = path;
    this.args = args;
    this.kept = kept;
  }

  findPusher(): Capability {
    return this.target.addRef();
  }

  handleSignal(signal: AbortSignal): void {
    (this.signals ??= []).push(signal);
  }
}

/** Writes the params of `JsRpcTarget.call`. */
export const callEncoder: PayloadEncoder<CallContent> = {
  encode(out, content) {
    const { realm, path, args } = content;
    const host = new OutgoingObjects(out, realm, true, content);
    if (content.kept !== undefined) host.resume(content.kept);
    const name = path.length === 1 ? path[0] : undefined;
    const operation = args === undefined ? Operation.get : Operation.call;
    // No arguments are no value at all.
    const value = args === undefined || args.length === 0 ? undefined : args;
    writeCallParams(out.writer, out.at, name ?? path, value, operation, host, realm.limits);
  },
};

/** A result to send. */
export class ResultContent implements PusherFinder {
  readonly realm: Realm;
  readonly value: unknown;
  /** The sender keeps its stubs; else they go over to the receiver. */
  readonly lends: boolean;
  /** Lets the caller pipeline on the result; borrowed. */
  readonly pipeline: Capability | undefined;
  readonly hasDisposer: boolean;
  readonly #call: IncomingCall;
  readonly #externalPusher: number;
  /** Filled by the encoder: the stubs in the value, which the results transfer. */
  transferred: readonly StubCore[] | undefined = undefined;
  /** The value as it was written before; borrowed. */
  kept: KeptValue | undefined = undefined;

  /** @param externalPusher index in the params' cap table of whoever takes the result's streams, or -1. */
  constructor(
    call: IncomingCall,
    externalPusher: number,
    realm: Realm,
    value: unknown,
    lends: boolean,
    pipeline?: Capability,
    hasDisposer = false,
  ) {
    this.#call = call;
    this.#externalPusher = externalPusher;
    this.realm = realm;
    this.value = value;
    this.lends = lends;
    this.pipeline = pipeline;
    this.hasDisposer = hasDisposer;
  }

  get answered(): IncomingCall | undefined {
    return this.lends ? undefined : this.#call;
  }

  /** Named by the call, or known to its connection, or here. */
  findPusher(): Capability {
    const call = this.#call;
    const named = this.#externalPusher < 0 ? undefined : call.params.cap(this.#externalPusher);
    return named?.addRef() ?? call.origin?.peerBootstrap() ?? this.realm.servePushes();
  }
}

/** Writes the results of `JsRpcTarget.call`. */
export const resultEncoder: PayloadEncoder<ResultContent> = {
  encode(out, content) {
    const { realm, value, lends, pipeline, hasDisposer } = content;
    const callPipeline = pipeline === undefined ? undefined : out.addCapability(pipeline);
    const host = new OutgoingObjects(out, realm, lends, content, value, callPipeline);
    if (content.kept !== undefined) host.resume(content.kept);
    writeCallResults(out.writer, out.at, value, host, realm.limits, { callPipeline, hasDisposer });
    content.transferred = host.sent;
  },
};
