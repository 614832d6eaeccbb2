// hot path (bench: npm run bench). Params and results of JsRpcTarget.call, written.
import type { Capability, IncomingCall, PayloadEncoder } from "@capstan/vat";
import { Operation, writeCallParams, writeCallResults } from "@capstan/wire";
import type { StubCore } from "../stub-brand.ts";
import { type FindPusher, OutgoingObjects } from "./outgoing.ts";
import type { Realm } from "./realm.ts";

export interface CallContent {
  readonly realm: Realm;
  /** Where the call goes; borrowed. */
  readonly target: Capability;
  readonly path: readonly string[];
  /** Undefined: read the property instead of calling it. */
  readonly args: readonly unknown[] | undefined;
}

/** Writes the params of `JsRpcTarget.call`. */
export const callEncoder: PayloadEncoder<CallContent> = {
  encode(out, { realm, target, path, args }) {
    const host = new OutgoingObjects(out, realm, true, () => target.addRef());
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
  readonly findPusher: FindPusher;
  /** Filled by the encoder: the stubs in the value, which the results transfer. */
  transferred: readonly StubCore[] | undefined;
}

/** Writes the results of `JsRpcTarget.call`. */
export const resultEncoder: PayloadEncoder<ResultContent> = {
  encode(out, content) {
    const { realm, value, lends, pipeline, hasDisposer, findPusher } = content;
    const callPipeline = pipeline === undefined ? undefined : out.addCapability(pipeline);
    const host = new OutgoingObjects(out, realm, lends, findPusher, value, callPipeline);
    writeCallResults(out.writer, out.at, value, host, realm.limits, { callPipeline, hasDisposer });
    content.transferred = host.sent;
  },
};

/** Whoever takes the streams of a call's results: named by the call, or known to the connection, or here. */
export function pusherOf(call: IncomingCall, externalPusher: number, realm: Realm): Capability {
  const named = externalPusher < 0 ? undefined : call.params.cap(externalPusher);
  return named?.addRef() ?? call.origin?.peerBootstrap() ?? realm.servePushes();
}
