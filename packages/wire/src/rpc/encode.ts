// hot path (bench: npm run bench). Messages to bytes: each function appends one whole message of one segment at
// `w.length`, which is a multiple of 8. Where one throws, the caller sets `w.length` back.
import {
  CALL_DATA_WORDS,
  CALL_INTERFACE_ID,
  CALL_METHOD_ID,
  CALL_NO_PROMISE_PIPELINING_BIT,
  CALL_SEND_RESULTS_TO_WHICH,
  DISEMBARGO_CONTEXT_WHICH,
  FINISH_RELEASE_RESULT_CAPS_BIT,
  FINISH_REQUIRE_EARLY_CANCELLATION_WORKAROUND_BIT,
  MESSAGE_IS_ABORT,
  MESSAGE_IS_BOOTSTRAP,
  MESSAGE_IS_CALL,
  MESSAGE_IS_DISEMBARGO,
  MESSAGE_IS_FINISH,
  MESSAGE_IS_RELEASE,
  MESSAGE_IS_RESOLVE,
  MESSAGE_IS_RETURN,
  MESSAGE_IS_UNIMPLEMENTED,
  MESSAGE_TARGET_IS_IMPORTED_CAP,
  MESSAGE_TARGET_IS_PROMISED_ANSWER,
  RELEASE_REFERENCE_COUNT,
  RESOLVE_IS_CAP,
  RESOLVE_IS_EXCEPTION,
  RESOLVE_WHICH,
  RETURN_IS_EXCEPTION,
  RETURN_IS_RESULTS,
  RETURN_IS_TAKE_FROM_OTHER_QUESTION,
  RETURN_NO_FINISH_NEEDED_BIT,
  RETURN_RELEASE_PARAM_CAPS_BIT,
  RETURN_TAKE_FROM_OTHER_QUESTION,
} from "../gen/rpc.ts";
import { copyTolerantly } from "../segment/copy.ts";
import { setStructPointer } from "../segment/pointers.ts";
import type { SegmentReader } from "../segment/reader.ts";
import type { SegmentWriter } from "../segment/writer.ts";
import {
  endMessage,
  HEAD_BYTES,
  writeCapDescriptor,
  writeCapTable,
  writeException,
  writeHead,
  writePromisedAnswer,
} from "./encode-parts.ts";
import type { AnswerId, EmbargoId, ExportId, ImportId, QuestionId } from "./ids.ts";
import type { CapDescriptor, Exception, TargetKind } from "./messages.ts";

/** Flags of a call. */
export const CallFlag = { noPromisePipelining: 1, onlyPromisePipeline: 2 } as const;

/** Second byte quad of a Return's data: its flags, below the tag of its union. */
const RETURN_FLAGS = 4;
const KEEP_PARAM_CAPS = 1 << (RETURN_RELEASE_PARAM_CAPS_BIT - 8 * RETURN_FLAGS);
const NO_FINISH_NEEDED = 1 << (RETURN_NO_FINISH_NEEDED_BIT - 8 * RETURN_FLAGS);
/** Upper half of a pointer to a Payload: of two pointers, and of its content's alone. */
const PAYLOAD_SIZE = 2 << 16;
const CONTENT_SIZE = 1 << 16;
/** From a Return's data to its payload: the data's word and its one pointer. */
const RETURN_TO_PAYLOAD = 16;
/** Call.allowThirdPartyTailCall, which is never set, comes before the flags. */
const CALL_FLAGS_SHIFT = CALL_NO_PROMISE_PIPELINING_BIT & 31;

/**
 * Begins a Call. `targetId` is an ImportId or a QuestionId, as `targetKind` says; `flags` are of `CallFlag`.
 *
 * Returns the position of the Payload, whose content pointer stands there, null. The caller writes content at `w.length`,
 * sets its pointer, and calls `finishPayload`.
 */
export function beginCall(
  w: SegmentWriter,
  questionId: QuestionId,
  targetKind: TargetKind,
  targetId: number,
  transform: readonly number[],
  interfaceHigh: number,
  interfaceLow: number,
  methodId: number,
  sendResultsTo: 0 | 1,
  flags: number,
): number {
  const start = w.length;
  w.ensure(HEAD_BYTES + 8 * CALL_DATA_WORDS + 48);
  const view = w.view;
  const dataWords = flags === 0 ? CALL_DATA_WORDS - 1 : CALL_DATA_WORDS;
  writeHead(view, start, MESSAGE_IS_CALL, dataWords, 2);
  const call = start + HEAD_BYTES;
  view.setUint32(call, questionId, true);
  view.setUint16(call + CALL_METHOD_ID, methodId, true);
  view.setUint16(call + CALL_SEND_RESULTS_TO_WHICH, sendResultsTo, true);
  view.setUint32(call + CALL_INTERFACE_ID, interfaceLow, true);
  view.setUint32(call + CALL_INTERFACE_ID + 4, interfaceHigh, true);
  if (flags !== 0) {
    view.setUint32(call + 16, flags << CALL_FLAGS_SHIFT, true);
    view.setUint32(call + 20, 0, true);
  }
  // The target follows the call's two pointers, the payload follows the target.
  const pointers = call + 8 * dataWords;
  const payloadSize = w.packed ? CONTENT_SIZE : PAYLOAD_SIZE;
  view.setUint32(pointers, 1 << 2, true);
  const target = pointers + 16;
  if (targetKind === MESSAGE_TARGET_IS_IMPORTED_CAP) {
    view.setUint32(pointers + 4, 1, true);
    view.setUint32(pointers + 8, 1 << 2, true);
    view.setUint32(pointers + 12, payloadSize, true);
    view.setUint32(target, targetId, true);
    view.setUint32(target + 4, MESSAGE_TARGET_IS_IMPORTED_CAP, true);
    return beginPayload(w, target + 8);
  }
  view.setUint32(pointers + 4, 0x1_0001, true);
  view.setUint32(pointers + 8, 2 << 2, true);
  view.setUint32(pointers + 12, payloadSize, true);
  view.setUint32(target, 0, true);
  view.setUint32(target + 4, MESSAGE_TARGET_IS_PROMISED_ANSWER, true);
  beginPayload(w, target + 16);
  writePromisedAnswer(w, target + 8, targetId, transform);
  return target + 16;
}

/** Begins a Return with results. Goes on as `beginCall` does. */
export function beginReturn(w: SegmentWriter, answerId: AnswerId, releaseParamCaps: boolean): number {
  const start = w.length;
  w.ensure(HEAD_BYTES + 32);
  const view = w.view;
  writeHead(view, start, MESSAGE_IS_RETURN, 1, 1);
  const body = start + HEAD_BYTES;
  view.setUint32(body, answerId, true);
  view.setUint32(body + RETURN_FLAGS, (releaseParamCaps ? 0 : KEEP_PARAM_CAPS) | (RETURN_IS_RESULTS << 16), true);
  view.setUint32(body + 8, 0, true);
  view.setUint32(body + 12, w.packed ? CONTENT_SIZE : PAYLOAD_SIZE, true);
  return beginPayload(w, body + RETURN_TO_PAYLOAD);
}

/** Says of the Return begun with this payload that it holds no capability and its answer is forgotten. */
export function setNoFinishNeeded(w: SegmentWriter, payloadAt: number): void {
  const flags = payloadAt - RETURN_TO_PAYLOAD + RETURN_FLAGS;
  w.view.setUint8(flags, w.view.getUint8(flags) | NO_FINISH_NEEDED);
}

/** Ends a Call or Return whose content is written: adds the cap table, and the size to the message's header. */
export function finishPayload(
  w: SegmentWriter,
  messageStart: number,
  payloadAt: number,
  capTable: readonly CapDescriptor[],
): void {
  if (capTable.length > 0) {
    w.align();
    const at = w.packed ? moveContentPointer(w, messageStart, payloadAt) : payloadAt;
    writeCapTable(w, at + 8, capTable);
  }
  endMessage(w, messageStart);
}

/**
 * Packed, a payload begins without room for a cap table, which few have. Appends one that has it, in its place, and returns
 * where. What the first one says of its content stays true.
 */
function moveContentPointer(w: SegmentWriter, messageStart: number, payloadAt: number): number {
  const at = w.length;
  w.ensure(16);
  const view = w.view;
  const offset = view.getInt32(payloadAt, true);
  const sizes = view.getInt32(payloadAt + 4, true);
  // A capability, or nothing, lies nowhere.
  const isPlaced = (offset & 3) !== 3 && (offset | sizes) !== 0;
  view.setInt32(at, isPlaced ? offset - ((at - payloadAt) >> 1) : offset, true);
  view.setInt32(at + 4, sizes, true);
  view.setFloat64(at + 8, 0);
  w.length = at + 16;
  // The body's last pointer is the one to the payload.
  const words =
    view.getUint16(messageStart + HEAD_BYTES - 4, true) + view.getUint16(messageStart + HEAD_BYTES - 2, true);
  setStructPointer(view, messageStart + HEAD_BYTES + 8 * (words - 1), at, 0, 2);
  return at;
}

export function encodeBootstrap(w: SegmentWriter, questionId: QuestionId): void {
  const body = beginBody(w, MESSAGE_IS_BOOTSTRAP, 1, 0);
  w.view.setUint32(body, questionId, true);
  endMessage(w, body - HEAD_BYTES);
}

export function encodeFinish(
  w: SegmentWriter,
  questionId: QuestionId,
  releaseResultCaps: boolean,
  requireEarlyCancellationWorkaround = false,
): void {
  const body = beginBody(w, MESSAGE_IS_FINISH, 1, 0);
  w.view.setUint32(body, questionId, true);
  // Both are true by default, so a bit that is set says no.
  const keep = releaseResultCaps ? 0 : 1 << (FINISH_RELEASE_RESULT_CAPS_BIT & 31);
  const at = FINISH_REQUIRE_EARLY_CANCELLATION_WORKAROUND_BIT & 31;
  w.view.setUint32(body + 4, keep | (requireEarlyCancellationWorkaround ? 0 : 1 << at), true);
  endMessage(w, body - HEAD_BYTES);
}

export function encodeRelease(w: SegmentWriter, importId: ImportId, count: number): void {
  const body = beginBody(w, MESSAGE_IS_RELEASE, 1, 0);
  w.view.setUint32(body, importId, true);
  w.view.setUint32(body + RELEASE_REFERENCE_COUNT, count, true);
  endMessage(w, body - HEAD_BYTES);
}

export function encodeResolveCap(w: SegmentWriter, exportId: ExportId, cap: CapDescriptor): void {
  const body = beginBody(w, MESSAGE_IS_RESOLVE, 1, 1);
  w.view.setUint32(body, exportId, true);
  w.view.setUint32(body + RESOLVE_WHICH, RESOLVE_IS_CAP, true);
  const at = w.length;
  w.ensure(16);
  w.view.setUint32(body + 8, 0, true);
  w.view.setUint32(body + 12, 0x1_0001, true);
  w.length = at + 16;
  writeCapDescriptor(w, at, cap, 1);
  endMessage(w, body - HEAD_BYTES);
}

export function encodeResolveException(w: SegmentWriter, exportId: ExportId, exception: Exception): void {
  const body = beginBody(w, MESSAGE_IS_RESOLVE, 1, 1);
  w.view.setUint32(body, exportId, true);
  w.view.setUint32(body + RESOLVE_WHICH, RESOLVE_IS_EXCEPTION, true);
  writeException(w, body + 8, exception);
  endMessage(w, body - HEAD_BYTES);
}

/** `targetId` as for `beginCall`; `context` is senderLoopback (0) or receiverLoopback (1). */
export function encodeDisembargo(
  w: SegmentWriter,
  targetKind: TargetKind,
  targetId: number,
  transform: readonly number[],
  context: 0 | 1,
  embargoId: EmbargoId,
): void {
  const body = beginBody(w, MESSAGE_IS_DISEMBARGO, 1, 1);
  w.ensure(16);
  const view = w.view;
  view.setUint32(body, embargoId, true);
  view.setUint32(body + DISEMBARGO_CONTEXT_WHICH, context, true);
  view.setUint32(body + 8, 0, true);
  view.setUint32(body + 12, 0x1_0001, true);
  const target = w.length;
  view.setUint32(target, targetKind === MESSAGE_TARGET_IS_IMPORTED_CAP ? targetId : 0, true);
  view.setUint32(target + 4, targetKind, true);
  view.setFloat64(target + 8, 0);
  w.length = target + 16;
  if (targetKind === MESSAGE_TARGET_IS_PROMISED_ANSWER) writePromisedAnswer(w, target + 8, targetId, transform);
  endMessage(w, body - HEAD_BYTES);
}

export function encodeAbort(w: SegmentWriter, exception: Exception): void {
  const start = w.length;
  w.ensure(HEAD_BYTES);
  writeHead(w.view, start, MESSAGE_IS_ABORT, 0, 0);
  w.length = start + HEAD_BYTES;
  writeException(w, start + HEAD_BYTES - 8, exception);
  endMessage(w, start);
}

/** Sends the message whose root pointer is at `root` back, without such parts of it as cannot be read. */
export function encodeUnimplemented(w: SegmentWriter, reader: SegmentReader, root: number): void {
  const start = w.length;
  w.ensure(HEAD_BYTES);
  writeHead(w.view, start, MESSAGE_IS_UNIMPLEMENTED, 0, 0);
  w.length = start + HEAD_BYTES;
  copyTolerantly(reader, root, w, start + HEAD_BYTES - 8);
  endMessage(w, start);
}

export function encodeReturnException(
  w: SegmentWriter,
  answerId: AnswerId,
  releaseParamCaps: boolean,
  exception: Exception,
): void {
  const body = beginBody(w, MESSAGE_IS_RETURN, 1, 1);
  w.view.setUint32(body, answerId, true);
  const flags = releaseParamCaps ? 0 : KEEP_PARAM_CAPS;
  w.view.setUint32(body + RETURN_FLAGS, flags | (RETURN_IS_EXCEPTION << 16), true);
  writeException(w, body + 8, exception);
  endMessage(w, body - HEAD_BYTES);
}

/** Answers without results: `which` is canceled (2), resultsSentElsewhere (3) or takeFromOtherQuestion (4). */
export function encodeReturnOther(
  w: SegmentWriter,
  answerId: AnswerId,
  releaseParamCaps: boolean,
  which: 2 | 3 | 4,
  otherQuestion?: QuestionId,
): void {
  const takes = which === RETURN_IS_TAKE_FROM_OTHER_QUESTION;
  const body = beginBody(w, MESSAGE_IS_RETURN, takes ? 2 : 1, 0);
  w.view.setUint32(body, answerId, true);
  w.view.setUint32(body + RETURN_FLAGS, (releaseParamCaps ? 0 : KEEP_PARAM_CAPS) | (which << 16), true);
  if (takes) w.view.setUint32(body + RETURN_TAKE_FROM_OTHER_QUESTION, otherQuestion ?? 0, true);
  endMessage(w, body - HEAD_BYTES);
}

/** Writes the head of a message and a zeroed body, and returns the body's position. */
function beginBody(w: SegmentWriter, which: number, dataWords: number, pointers: number): number {
  const start = w.length;
  const body = start + HEAD_BYTES;
  const size = 8 * (dataWords + pointers);
  w.ensure(HEAD_BYTES + size);
  writeHead(w.view, start, which, dataWords, pointers);
  for (let at = body; at < body + size; at += 8) w.view.setFloat64(at, 0);
  w.length = body + size;
  return body;
}

function beginPayload(w: SegmentWriter, at: number): number {
  w.view.setFloat64(at, 0);
  w.view.setFloat64(at + 8, 0);
  w.length = at + (w.packed ? 8 : 16);
  return at;
}
