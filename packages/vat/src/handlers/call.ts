// hot path (bench: npm run bench). Call and Bootstrap: the peer asks something of us.
import { type BootstrapMessage, type CallMessage, type ExportId, SendResultsTo, TargetKind } from "@capstan/wire";
import type { Capability } from "../capabilities/capability.ts";
import { noCapability } from "../capabilities/transform.ts";
import type { ConnectionState } from "../connection/state.ts";
import { ProtocolError, RpcError } from "../errors.ts";
import { capabilityEncoder, emptyPayload, inOwnBytes } from "../payload.ts";
import { Answer } from "../tables/answer.ts";

/** Frames up to this length, which is what one read from a socket brings at most, may be held for a small call. */
const MAX_HELD_BYTES = 64 * 1024;
/** But only for so many: all that they hold is then about `maxCallBytesInFlight`. */
const MAX_HOLDERS = 1024;

/** Enters an answer and passes the call to its target. User code runs last, inside `deliver`. */
export function handleCall(state: ConnectionState, message: CallMessage): void {
  const id = message.questionId;
  if (state.answers.get(id) !== undefined) throw new ProtocolError(`Call reuses question id ${id}, which is open.`);
  checkRoom(state);
  let target: Capability | undefined;
  if (message.targetKind === TargetKind.importedCap) {
    target = state.exports.get(message.targetId as ExportId);
    if (target === undefined) throw new ProtocolError(`Call to export ${message.targetId}, which does not exist.`);
  }
  const { reader } = message.params;
  const bytes = reader.end - reader.start;
  const holdsMuch = reader.bytes.length > MAX_HELD_BYTES || state.runningCalls >= MAX_HOLDERS;
  const params = holdsMuch ? inOwnBytes(message.params, state.limits) : message.params;
  const answer = new Answer(
    state,
    id,
    message.interfaceHigh,
    message.interfaceLow,
    message.methodId,
    state.receive(params),
    message.sendResultsTo === SendResultsTo.yourself,
    bytes,
  );
  const { maxCallsInFlight, maxCallBytesInFlight, maxBufferedBytes } = state.limits;
  // A peer that does not read its answers gets small ones. A single call passes, however large.
  const overloaded =
    state.runningCalls >= maxCallsInFlight ||
    (state.callBytes > 0 && state.callBytes + bytes > maxCallBytesInFlight) ||
    state.outbox.pendingBytes > maxBufferedBytes;
  state.runningCalls++;
  state.callBytes += bytes;
  state.answers.set(id, answer);
  if (overloaded) {
    answer.returnException(RpcError.overloaded("Too many calls on this link are unanswered, or their answers unread."));
  } else if (message.sendResultsTo > SendResultsTo.yourself) {
    answer.returnException(RpcError.unimplemented("Sending results to a third party is not supported."));
  } else if (target !== undefined) target.deliver(answer);
  else deliverToAnswer(state, message, answer);
}

/** A peer that finishes nothing is told to go. */
function checkRoom(state: ConnectionState): void {
  const { maxAnswers } = state.limits;
  if (state.answers.size >= maxAnswers) throw new ProtocolError(`${maxAnswers} calls on this link were not finished.`);
}

function deliverToAnswer(state: ConnectionState, message: CallMessage, answer: Answer): void {
  if (message.targetKind !== TargetKind.promisedAnswer) {
    answer.returnException(RpcError.unimplemented(`Call to a target of unknown kind ${String(message.targetKind)}.`));
    return;
  }
  const other = state.answers.get(message.targetId as typeof message.questionId);
  // An answer that is gone held no capability: it needed no Finish.
  const target = other === undefined || other === answer ? noCapability() : other.pipeline(message.transform);
  target.deliver(answer);
  target.release();
}

/** Answers with the bootstrap capability. */
export function handleBootstrap(state: ConnectionState, message: BootstrapMessage): void {
  const id = message.questionId;
  if (state.answers.get(id) !== undefined) {
    throw new ProtocolError(`Bootstrap reuses question id ${id}, which is open.`);
  }
  checkRoom(state);
  state.runningCalls++;
  const answer = new Answer(state, id, 0, 0, 0, emptyPayload(state.limits), false, 0);
  state.answers.set(id, answer);
  if (state.bootstrap === undefined)
    answer.returnException(RpcError.failed("This vat offers no bootstrap capability."));
  else answer.returnResults(capabilityEncoder, state.bootstrap);
}
