// hot path (bench: npm run bench). The parts that messages share: payloads, cap tables, places in answers, exceptions.
import { DecodeError } from "../errors.ts";
import {
  CAP_DESCRIPTOR_RECEIVER_ANSWER_POINTER,
  CAP_DESCRIPTOR_SENDER_HOSTED,
  CAP_DESCRIPTOR_THIRD_PARTY_HOSTED_POINTER,
  CAP_DESCRIPTOR_WHICH,
  EXCEPTION_DETAIL_DATA_POINTER,
  EXCEPTION_DETAIL_DETAIL_ID,
  EXCEPTION_DETAILS_POINTER,
  EXCEPTION_REASON_POINTER,
  EXCEPTION_TRACE_POINTER,
  EXCEPTION_TYPE,
  PAYLOAD_CAP_TABLE_POINTER,
  PAYLOAD_CONTENT_POINTER,
  PROMISED_ANSWER_OP_GET_POINTER_FIELD,
  PROMISED_ANSWER_OP_IS_GET_POINTER_FIELD,
  PROMISED_ANSWER_OP_IS_NOOP,
  PROMISED_ANSWER_OP_WHICH,
  PROMISED_ANSWER_QUESTION_ID,
  PROMISED_ANSWER_TRANSFORM_POINTER,
  THIRD_PARTY_CAP_DESCRIPTOR_VINE_ID,
} from "../gen/rpc.ts";
import type { Limits } from "../limits.ts";
import type { SegmentReader } from "../segment/reader.ts";
import {
  type CapDescriptor,
  CapKind,
  type Exception,
  type ExceptionDetail,
  ExceptionType,
  type Payload,
  UNFOLLOWABLE,
} from "./messages.ts";

const NO_CAPS: readonly CapDescriptor[] = Object.freeze([]);
export const NO_TRANSFORM: readonly number[] = Object.freeze([]);
const NO_DETAILS: readonly ExceptionDetail[] = Object.freeze([]);

/** Details of one exception that are read: each is a copy. What is behind them is left out. */
const MAX_DETAILS = 64;

/** Reads a payload without its content, which only its owner looks at. */
export function decodePayload(reader: SegmentReader, pointerAt: number, limits: Limits): Payload {
  reader.enterStruct(pointerAt);
  const content = reader.pointer(PAYLOAD_CONTENT_POINTER);
  const table = reader.pointer(PAYLOAD_CAP_TABLE_POINTER);
  return { reader, content, capTable: reader.isNull(table) ? NO_CAPS : decodeCapTable(reader, table, limits) };
}

function decodeCapTable(reader: SegmentReader, pointerAt: number, limits: Limits): readonly CapDescriptor[] {
  reader.enterStructList(pointerAt);
  // Descriptors lead to lists of their own, so this one's registers are kept.
  const { listAt, listCount, listStep, listDataBytes } = reader;
  if (listCount > limits.maxCapTable) throw new DecodeError(`a cap table of ${listCount} entries`);
  if (listCount === 0) return NO_CAPS;
  // What a call's bytes do not show would count for nothing.
  if (listStep === 0) throw new DecodeError("a cap table of entries without a size");
  const spared = reader.narrowBudget();
  const capTable: CapDescriptor[] = [];
  for (let i = 0; i < listCount; i++) {
    reader.enterElement(listAt + i * listStep, listDataBytes, listStep);
    capTable.push(decodeCapDescriptor(reader, limits));
  }
  reader.budget += spared;
  return capTable;
}

/** Reads the struct last entered. */
export function decodeCapDescriptor(reader: SegmentReader, limits: Limits): CapDescriptor {
  const kind = reader.u16(CAP_DESCRIPTOR_WHICH) as CapKind;
  switch (kind) {
    case CapKind.senderHosted:
    case CapKind.senderPromise:
    case CapKind.receiverHosted:
      return { kind, id: reader.u32(CAP_DESCRIPTOR_SENDER_HOSTED), transform: NO_TRANSFORM };
    case CapKind.receiverAnswer: {
      reader.enterStruct(reader.pointer(CAP_DESCRIPTOR_RECEIVER_ANSWER_POINTER));
      const id = reader.u32(PROMISED_ANSWER_QUESTION_ID);
      return { kind, id, transform: decodeTransform(reader, limits) };
    }
    case CapKind.thirdPartyHosted:
      reader.enterStruct(reader.pointer(CAP_DESCRIPTOR_THIRD_PARTY_HOSTED_POINTER));
      return { kind, id: reader.u32(THIRD_PARTY_CAP_DESCRIPTOR_VINE_ID), transform: NO_TRANSFORM };
    default:
      return { kind, id: 0, transform: NO_TRANSFORM };
  }
}

/** Reads the transform of the PromisedAnswer last entered. One that cannot be followed is no fault of the envelope. */
export function decodeTransform(reader: SegmentReader, limits: Limits): readonly number[] {
  if (!reader.enterStructList(reader.pointer(PROMISED_ANSWER_TRANSFORM_POINTER))) return NO_TRANSFORM;
  const count = reader.listCount;
  if (count === 0) return NO_TRANSFORM;
  if (count > limits.maxTransformLength) return UNFOLLOWABLE;
  const transform: number[] = [];
  for (let i = 0; i < count; i++) {
    reader.enterElement(reader.listAt + i * reader.listStep, reader.listDataBytes, reader.listStep);
    const which = reader.u16(PROMISED_ANSWER_OP_WHICH);
    if (which === PROMISED_ANSWER_OP_IS_GET_POINTER_FIELD) {
      transform.push(reader.u16(PROMISED_ANSWER_OP_GET_POINTER_FIELD));
    } else if (which !== PROMISED_ANSWER_OP_IS_NOOP) return UNFOLLOWABLE;
  }
  return transform;
}

/** Reads an exception: one without anything for a null pointer. */
export function decodeException(reader: SegmentReader, pointerAt: number): Exception {
  reader.narrowBudget();
  reader.enterStruct(pointerAt);
  const type = reader.u16(EXCEPTION_TYPE);
  const reasonAt = reader.pointer(EXCEPTION_REASON_POINTER);
  const traceAt = reader.pointer(EXCEPTION_TRACE_POINTER);
  const detailsAt = reader.pointer(EXCEPTION_DETAILS_POINTER);
  return {
    // Types that this version does not know fail like any failure.
    type: type <= ExceptionType.unimplemented ? (type as ExceptionType) : ExceptionType.failed,
    reason: reader.text(reasonAt),
    trace: reader.text(traceAt),
    details: reader.isNull(detailsAt) ? NO_DETAILS : decodeDetails(reader, detailsAt),
  };
}

function decodeDetails(reader: SegmentReader, pointerAt: number): readonly ExceptionDetail[] {
  reader.enterStructList(pointerAt);
  const { listAt, listCount, listStep, listDataBytes } = reader;
  const details: ExceptionDetail[] = [];
  for (let i = 0; i < Math.min(listCount, MAX_DETAILS); i++) {
    reader.enterElement(listAt + i * listStep, listDataBytes, listStep);
    const id = reader.u64(EXCEPTION_DETAIL_DETAIL_ID);
    reader.blob(reader.pointer(EXCEPTION_DETAIL_DATA_POINTER));
    // A copy: errors live longer than frames.
    details.push({ id, data: reader.bytes.slice(reader.blobStart, reader.blobEnd) });
  }
  return details;
}
