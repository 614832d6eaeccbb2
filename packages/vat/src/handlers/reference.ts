// Resolve, Release and Disembargo: what happens to references between calls.
import {
  type AnswerId,
  DisembargoContext,
  type DisembargoMessage,
  type EmbargoId,
  type ExportId,
  encodeDisembargo,
  type ReleaseMessage,
  type ResolveMessage,
  TargetKind,
} from "@capstan/wire";
import { BrokenCapability } from "../capabilities/broken.ts";
import type { Capability } from "../capabilities/capability.ts";
import { receiveCapability } from "../capabilities/descriptors.ts";
import { RemoteCapability } from "../capabilities/remote.ts";
import { NO_CAPABILITY_REASON } from "../capabilities/transform.ts";
import type { ConnectionState } from "../connection/state.ts";
import { ProtocolError, RpcError } from "../errors.ts";

/** A promise of the peer's resolved. Where we let go of it meanwhile, what it resolved to is given back. */
export function handleResolve(state: ConnectionState, message: ResolveMessage): void {
  const target =
    message.cap === undefined
      ? new BrokenCapability(
          message.exception === undefined
            ? RpcError.failed("The promise resolved to nothing.")
            : RpcError.received(message.exception),
        )
      : (receiveCapability(state, message.cap) ??
        new BrokenCapability(RpcError.failed("The promise resolved to null.")));
  const promise = state.imports.get(message.promiseId);
  if (promise === undefined) target.release();
  else if (promise.isUnresolved) promise.resolve(target);
  else {
    target.release();
    throw new ProtocolError(`Resolve of ${message.promiseId}, which is no promise, or was one.`);
  }
}

export function handleRelease(state: ConnectionState, message: ReleaseMessage): void {
  state.exports.release(message.id, message.referenceCount);
}

/**
 * senderLoopback: the peer learnt that a promise of ours leads back to it, and asks us to send this on behind the
 * calls that went that way. receiverLoopback: ours came back, so the old path is empty.
 */
export function handleDisembargo(state: ConnectionState, message: DisembargoMessage): void {
  switch (message.context) {
    case DisembargoContext.senderLoopback: {
      const target = disembargoTarget(state, message);
      if (isOwnRemote(state, target)) returnDisembargo(state, target, message.embargoId);
      else if (target.isPromise) waitToReturn(state, target, message);
      else if (isLost(target) || wasTold(state, message)) returnDisembargo(state, message, message.embargoId);
      else throw new ProtocolError("Disembargo of a capability that does not lead back to its sender.");
      return;
    }
    case DisembargoContext.receiverLoopback: {
      const embargo = state.embargoes.take(message.embargoId);
      if (embargo === undefined) throw new ProtocolError(`Disembargo ${message.embargoId}, which was never sent.`);
      embargo.promise.resolve(embargo.target);
      embargo.promise.release();
      return;
    }
    default:
      throw new ProtocolError(`Disembargo in unknown context ${message.context}.`);
  }
}

/**
 * Calls that came the old way still wait here. Once they have been passed on, whatever comes later goes behind them, even
 * where the promise has led to another one, or to an object of ours: what is sent back then names what it asked for. The
 * promise may be a third vat's, and outlive this link: then nothing waits any more.
 */
function waitToReturn(state: ConnectionState, promise: Capability, message: DisembargoMessage): void {
  if (state.waitingDisembargoes >= state.limits.maxCallsInFlight) {
    throw new ProtocolError(`${state.waitingDisembargoes} Disembargoes on this link wait for promises.`);
  }
  state.waitingDisembargoes++;
  promise.addRef();
  const offResolved = promise.whenResolved(() => {
    offClosed();
    state.waitingDisembargoes--;
    const end = promise.resolved;
    returnDisembargo(state, isOwnRemote(state, end) ? end : message, message.embargoId);
    promise.release();
  });
  const offClosed = state.whenClosed(() => {
    offResolved();
    promise.release();
  });
}

function disembargoTarget(state: ConnectionState, message: DisembargoMessage): Capability {
  if (message.targetKind === TargetKind.importedCap) {
    const cap = state.exports.get(message.targetId as ExportId);
    if (cap !== undefined) return cap.resolved;
  } else {
    const cap = state.answers.get(message.targetId as AnswerId)?.pipeline(message.transform);
    if (cap !== undefined) {
      // The answer, or the promise for it, keeps what it leads to alive.
      const end = cap.resolved;
      cap.release();
      return end;
    }
  }
  throw new ProtocolError("Disembargo of a capability that does not exist.");
}

function isOwnRemote(state: ConnectionState, target: Capability): target is RemoteCapability {
  return target instanceof RemoteCapability && target.peer === state;
}

/** Whether it led somewhere when the peer was told of it, and broke since: with the link to a third vat that it passed. */
function isLost(target: Capability): boolean {
  const reason = target.brokenReason;
  return reason !== undefined && reason.message !== NO_CAPABILITY_REASON;
}

/** Whether the results led back to the peer, though what was pipelined on them has led further since. */
function wasTold(state: ConnectionState, { targetKind, targetId, transform }: DisembargoMessage): boolean {
  if (targetKind !== TargetKind.promisedAnswer) return false;
  const told = state.answers.get(targetId as AnswerId)?.told(transform);
  return told !== undefined && isOwnRemote(state, told);
}

/** What a message is addressed to. */
type Address = Pick<DisembargoMessage, "targetKind" | "targetId" | "transform">;

function returnDisembargo(state: ConnectionState, target: Address, id: EmbargoId): void {
  const context = DisembargoContext.receiverLoopback;
  state.send((writer) => encodeDisembargo(writer, target.targetKind, target.targetId, target.transform, context, id));
}
