// hot path (bench: npm run bench). Bytes to messages. The only place where the sender's view of an id becomes ours: its
// question is our answer, its export our import.
import { DecodeError, NotFlat } from "../errors.ts";
import {
  BOOTSTRAP_QUESTION_ID,
  CALL_INTERFACE_ID,
  CALL_METHOD_ID,
  CALL_NO_PROMISE_PIPELINING_BIT,
  CALL_ONLY_PROMISE_PIPELINE_BIT,
  CALL_PARAMS_POINTER,
  CALL_QUESTION_ID,
  CALL_SEND_RESULTS_TO_WHICH,
  CALL_TARGET_POINTER,
  DISEMBARGO_CONTEXT_SENDER_LOOPBACK,
  DISEMBARGO_CONTEXT_WHICH,
  DISEMBARGO_TARGET_POINTER,
  FINISH_QUESTION_ID,
  FINISH_RELEASE_RESULT_CAPS_BIT,
  FINISH_REQUIRE_EARLY_CANCELLATION_WORKAROUND_BIT,
  MESSAGE_CALL_POINTER,
  MESSAGE_TARGET_IMPORTED_CAP,
  MESSAGE_TARGET_PROMISED_ANSWER_POINTER,
  MESSAGE_TARGET_WHICH,
  MESSAGE_WHICH,
  PROMISED_ANSWER_QUESTION_ID,
  RELEASE_ID,
  RELEASE_REFERENCE_COUNT,
  RESOLVE_CAP_POINTER,
  RESOLVE_EXCEPTION_POINTER,
  RESOLVE_IS_CAP,
  RESOLVE_IS_EXCEPTION,
  RESOLVE_PROMISE_ID,
  RESOLVE_WHICH,
  RETURN_ANSWER_ID,
  RETURN_EXCEPTION_POINTER,
  RETURN_NO_FINISH_NEEDED_BIT,
  RETURN_RELEASE_PARAM_CAPS_BIT,
  RETURN_RESULTS_POINTER,
  RETURN_TAKE_FROM_OTHER_QUESTION,
  RETURN_WHICH,
} from "../gen/rpc.ts";
import type { Limits } from "../limits.ts";
import type { SegmentReader } from "../segment/reader.ts";
import { decodeCapDescriptor, decodeException, decodePayload, decodeTransform, NO_TRANSFORM } from "./decode-parts.ts";
import type { AnswerId, EmbargoId, ExportId, ImportId, QuestionId } from "./ids.ts";
import {
  type CallMessage,
  type DisembargoMessage,
  type EchoedMessage,
  MessageKind,
  type ResolveMessage,
  ReturnKind,
  type ReturnMessage,
  type RpcMessage,
  TargetKind,
  type UnimplementedMessage,
} from "./messages.ts";

/**
 * Reads the message that `reader` spans. Params and results are not looked into.
 * Throws DecodeError for an envelope that is not right, as NotFlat where the message is to be made flat first.
 */
export function decodeMessage(reader: SegmentReader, limits: Limits): RpcMessage {
  if (reader.end - reader.start < 8) throw new DecodeError("a message without a root");
  reader.enterStruct(reader.start);
  const which = reader.u16(MESSAGE_WHICH);
  // Every kind has its body behind the same pointer.
  const body = reader.pointer(MESSAGE_CALL_POINTER);
  switch (which) {
    case MessageKind.call:
      return decodeCall(reader, body, limits);
    case MessageKind.return:
      return decodeReturn(reader, body, limits);
    case MessageKind.finish:
      reader.enterStruct(body);
      return {
        kind: MessageKind.finish,
        questionId: reader.u32(FINISH_QUESTION_ID) as AnswerId,
        releaseResultCaps: !reader.bit(FINISH_RELEASE_RESULT_CAPS_BIT),
        requireEarlyCancellationWorkaround: !reader.bit(FINISH_REQUIRE_EARLY_CANCELLATION_WORKAROUND_BIT),
      };
    case MessageKind.release:
      reader.enterStruct(body);
      return {
        kind: MessageKind.release,
        id: reader.u32(RELEASE_ID) as ExportId,
        referenceCount: reader.u32(RELEASE_REFERENCE_COUNT),
      };
    case MessageKind.resolve:
      return decodeResolve(reader, body, limits);
    case MessageKind.bootstrap:
      reader.enterStruct(body);
      return { kind: MessageKind.bootstrap, questionId: reader.u32(BOOTSTRAP_QUESTION_ID) as AnswerId };
    case MessageKind.disembargo:
      return decodeDisembargo(reader, body, limits);
    case MessageKind.abort:
      return { kind: MessageKind.abort, exception: decodeException(reader, body) };
    case MessageKind.unimplemented:
      return decodeUnimplemented(reader, body, limits);
    default:
      return { kind: -1, which, root: reader.start, reader };
  }
}

function decodeCall(reader: SegmentReader, body: number, limits: Limits): CallMessage {
  reader.enterStruct(body);
  const questionId = reader.u32(CALL_QUESTION_ID) as AnswerId;
  const interfaceLow = reader.u32(CALL_INTERFACE_ID);
  const interfaceHigh = reader.u32(CALL_INTERFACE_ID + 4);
  const methodId = reader.u16(CALL_METHOD_ID);
  const sendResultsTo = reader.u16(CALL_SEND_RESULTS_TO_WHICH);
  const noPromisePipelining = reader.bit(CALL_NO_PROMISE_PIPELINING_BIT);
  const onlyPromisePipeline = reader.bit(CALL_ONLY_PROMISE_PIPELINE_BIT);
  const paramsAt = reader.pointer(CALL_PARAMS_POINTER);
  const targetKind = enterTarget(reader, reader.pointer(CALL_TARGET_POINTER));
  const targetId = targetIdOf(reader, targetKind);
  const transform = targetKind === TargetKind.promisedAnswer ? decodeTransform(reader, limits) : NO_TRANSFORM;
  const params = decodePayload(reader, paramsAt, limits);
  return {
    kind: MessageKind.call,
    questionId,
    targetKind,
    targetId,
    transform,
    interfaceHigh,
    interfaceLow,
    methodId,
    sendResultsTo,
    noPromisePipelining,
    onlyPromisePipeline,
    params,
  };
}

function decodeReturn(reader: SegmentReader, body: number, limits: Limits): ReturnMessage {
  reader.enterStruct(body);
  const answerId = reader.u32(RETURN_ANSWER_ID) as QuestionId;
  const releaseParamCaps = !reader.bit(RETURN_RELEASE_PARAM_CAPS_BIT);
  const noFinishNeeded = reader.bit(RETURN_NO_FINISH_NEEDED_BIT);
  const which = reader.u16(RETURN_WHICH);
  const otherAnswer =
    which === ReturnKind.takeFromOtherQuestion ? (reader.u32(RETURN_TAKE_FROM_OTHER_QUESTION) as AnswerId) : undefined;
  const resultsAt = reader.pointer(RETURN_RESULTS_POINTER);
  const exceptionAt = reader.pointer(RETURN_EXCEPTION_POINTER);
  return {
    kind: MessageKind.return,
    answerId,
    releaseParamCaps,
    noFinishNeeded,
    which,
    results: which === ReturnKind.results ? decodePayload(reader, resultsAt, limits) : undefined,
    exception: which === ReturnKind.exception ? decodeException(reader, exceptionAt) : undefined,
    otherAnswer,
  };
}

function decodeResolve(reader: SegmentReader, body: number, limits: Limits): ResolveMessage {
  reader.enterStruct(body);
  const promiseId = reader.u32(RESOLVE_PROMISE_ID) as ImportId;
  const which = reader.u16(RESOLVE_WHICH);
  let cap: ResolveMessage["cap"];
  let exception: ResolveMessage["exception"];
  if (which === RESOLVE_IS_CAP) {
    reader.enterStruct(reader.pointer(RESOLVE_CAP_POINTER));
    cap = decodeCapDescriptor(reader, limits);
  } else if (which === RESOLVE_IS_EXCEPTION) {
    exception = decodeException(reader, reader.pointer(RESOLVE_EXCEPTION_POINTER));
  }
  return { kind: MessageKind.resolve, promiseId, cap, exception };
}

function decodeDisembargo(reader: SegmentReader, body: number, limits: Limits): DisembargoMessage {
  reader.enterStruct(body);
  const context = reader.u16(DISEMBARGO_CONTEXT_WHICH);
  const embargoId = reader.u32(DISEMBARGO_CONTEXT_SENDER_LOOPBACK) as EmbargoId;
  const targetKind = enterTarget(reader, reader.pointer(DISEMBARGO_TARGET_POINTER));
  const targetId = targetIdOf(reader, targetKind);
  const transform = targetKind === TargetKind.promisedAnswer ? decodeTransform(reader, limits) : NO_TRANSFORM;
  return { kind: MessageKind.disembargo, targetKind, targetId, transform, context, embargoId };
}

/** Reads a message of ours that came back: whatever is wrong with it may be our own fault, and ends nothing. */
function decodeUnimplemented(reader: SegmentReader, body: number, limits: Limits): UnimplementedMessage {
  let original: EchoedMessage | undefined;
  try {
    if (reader.enterStruct(body)) original = decodeEchoed(reader, limits);
  } catch (error) {
    if (!(error instanceof DecodeError) || error instanceof NotFlat) throw error;
  }
  return { kind: MessageKind.unimplemented, original };
}

function decodeEchoed(reader: SegmentReader, limits: Limits): EchoedMessage {
  const kind = reader.u16(MESSAGE_WHICH);
  const body = reader.pointer(MESSAGE_CALL_POINTER);
  let questionId: QuestionId | undefined;
  let cap: EchoedMessage["cap"];
  if (kind === MessageKind.call || kind === MessageKind.bootstrap) {
    // A call and a bootstrap have their question's id in the same place. Without a body there is none.
    if (reader.enterStruct(body)) questionId = reader.u32(CALL_QUESTION_ID) as QuestionId;
  } else if (kind === MessageKind.resolve) {
    reader.enterStruct(body);
    if (reader.u16(RESOLVE_WHICH) === RESOLVE_IS_CAP) {
      if (reader.enterStruct(reader.pointer(RESOLVE_CAP_POINTER))) cap = decodeCapDescriptor(reader, limits);
    }
  }
  return { kind, questionId, cap };
}

/** Enters a MessageTarget, and the answer that it names where it names one. */
function enterTarget(reader: SegmentReader, pointerAt: number): TargetKind {
  reader.enterStruct(pointerAt);
  const kind = reader.u16(MESSAGE_TARGET_WHICH) as TargetKind;
  if (kind === TargetKind.promisedAnswer) reader.enterStruct(reader.pointer(MESSAGE_TARGET_PROMISED_ANSWER_POINTER));
  return kind;
}

function targetIdOf(reader: SegmentReader, kind: TargetKind): number {
  if (kind === TargetKind.importedCap) return reader.u32(MESSAGE_TARGET_IMPORTED_CAP);
  return kind === TargetKind.promisedAnswer ? reader.u32(PROMISED_ANSWER_QUESTION_ID) : 0;
}
