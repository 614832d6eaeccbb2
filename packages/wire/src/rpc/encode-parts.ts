// hot path (bench: npm run bench). The parts that messages share: frame of a message, cap tables, places in answers,
// exceptions. Structs are written as short as they may be: what a receiver does not find it takes for the default.
import {
  CAP_DESCRIPTOR_IS_RECEIVER_ANSWER,
  CAP_DESCRIPTOR_SENDER_HOSTED,
  EXCEPTION_DETAILS_POINTER,
  EXCEPTION_REASON_POINTER,
  EXCEPTION_TRACE_POINTER,
  EXCEPTION_TYPE,
  PROMISED_ANSWER_OP_IS_GET_POINTER_FIELD,
} from "../gen/rpc.ts";
import { ElementSize, setListPointer, setStructPointer } from "../segment/pointers.ts";
import { writeText } from "../segment/text.ts";
import type { SegmentWriter } from "../segment/writer.ts";
import type { CapDescriptor, Exception, ExceptionDetail } from "./messages.ts";

/** Bytes in front of a message's body: header, root pointer, `Message` with its pointer to the body. */
export const HEAD_BYTES = 32;

/**
 * Writes everything in front of the body, which is to follow at `start + HEAD_BYTES`. Room must have been made. The
 * size stays open until `endMessage`.
 */
export function writeHead(view: DataView, start: number, which: number, dataWords: number, pointers: number): void {
  view.setUint32(start, 0, true); // one segment
  view.setUint32(start + 4, 0, true);
  view.setUint32(start + 8, 0, true); // root: right behind
  view.setUint32(start + 12, 0x1_0001, true); // one word, one pointer
  view.setUint32(start + 16, which, true);
  view.setUint32(start + 20, 0, true);
  view.setUint32(start + 24, 0, true); // body: right behind
  view.setUint32(start + 28, dataWords | (pointers << 16), true);
}

/** Closes the message that began at `start`: pads it and writes its size. */
export function endMessage(w: SegmentWriter, start: number): void {
  if ((w.length & 7) !== 0) w.align();
  w.view.setUint32(start + 4, (w.length - start - 8) >>> 3, true);
}

/** Appends a cap table and points the pointer at `pointerAt` to it. Null for an empty one. */
export function writeCapTable(w: SegmentWriter, pointerAt: number, capTable: readonly CapDescriptor[]): void {
  const count = capTable.length;
  if (count === 0) return;
  let pointers = 0;
  for (const cap of capTable) if (cap.kind === CAP_DESCRIPTOR_IS_RECEIVER_ANSWER) pointers = 1;
  const step = 8 + 8 * pointers;
  const at = w.length;
  w.ensure(8 + count * step);
  setListPointer(w.view, pointerAt, at, ElementSize.composite, count * (1 + pointers));
  setStructListTag(w.view, at, count, 1, pointers);
  w.length = at + 8 + count * step;
  for (let i = 0; i < count; i++) {
    writeCapDescriptor(w, at + 8 + i * step, capTable[i] as CapDescriptor, pointers);
  }
}

/** Writes a descriptor of one word and `pointers` pointers in place; what it points to is appended. */
export function writeCapDescriptor(w: SegmentWriter, at: number, cap: CapDescriptor, pointers: number): void {
  w.view.setUint32(at, cap.kind, true);
  w.view.setUint32(at + CAP_DESCRIPTOR_SENDER_HOSTED, 0, true);
  if (pointers > 0) w.view.setFloat64(at + 8, 0);
  if (cap.kind === CAP_DESCRIPTOR_IS_RECEIVER_ANSWER) writePromisedAnswer(w, at + 8, cap.id, cap.transform);
  else w.view.setUint32(at + CAP_DESCRIPTOR_SENDER_HOSTED, cap.id, true);
}

/** Appends a place in an answer and points the pointer at `pointerAt` to it. */
export function writePromisedAnswer(
  w: SegmentWriter,
  pointerAt: number,
  questionId: number,
  transform: readonly number[],
): void {
  const at = w.length;
  const count = transform.length;
  w.ensure(24 + 8 * count);
  const view = w.view;
  view.setUint32(at, questionId, true);
  view.setUint32(at + 4, 0, true);
  setStructPointer(view, pointerAt, at, 1, count === 0 ? 0 : 1);
  w.length = at + 8;
  if (count === 0) return;
  setListPointer(view, at + 8, at + 16, ElementSize.composite, count);
  setStructListTag(view, at + 16, count, 1, 0);
  for (let i = 0; i < count; i++) {
    const op = at + 24 + 8 * i;
    view.setUint16(op, PROMISED_ANSWER_OP_IS_GET_POINTER_FIELD, true);
    view.setUint16(op + 2, transform[i] as number, true);
    view.setUint32(op + 4, 0, true);
  }
  w.length = at + 24 + 8 * count;
}

/** Appends an exception and points the pointer at `pointerAt` to it. */
export function writeException(w: SegmentWriter, pointerAt: number, exception: Exception): void {
  const details = exception.details;
  const pointers = details.length > 0 ? 3 : exception.trace !== "" ? 2 : 1;
  const at = w.length;
  w.ensure(32);
  w.bytes.fill(0, at, at + 32);
  setStructPointer(w.view, pointerAt, at, 1, pointers);
  w.view.setUint16(at + EXCEPTION_TYPE, exception.type, true);
  w.length = at + 8 + 8 * pointers;
  writeText(w, at + 8 + 8 * EXCEPTION_REASON_POINTER, exception.reason);
  if (exception.trace !== "") writeText(w, at + 8 + 8 * EXCEPTION_TRACE_POINTER, exception.trace);
  if (details.length > 0) writeDetails(w, at + 8 + 8 * EXCEPTION_DETAILS_POINTER, details);
}

function writeDetails(w: SegmentWriter, pointerAt: number, details: readonly ExceptionDetail[]): void {
  const count = details.length;
  const at = w.length;
  w.ensure(8 + 16 * count);
  setListPointer(w.view, pointerAt, at, ElementSize.composite, 2 * count);
  setStructListTag(w.view, at, count, 1, 1);
  w.length = at + 8 + 16 * count;
  for (let i = 0; i < count; i++) {
    const { id, data } = details[i] as ExceptionDetail;
    const detail = at + 8 + 16 * i;
    w.view.setBigUint64(detail, id, true);
    const to = w.length;
    w.ensure(data.length);
    w.bytes.set(data, to);
    w.length = to + data.length;
    w.align();
    setListPointer(w.view, detail + 8, to, ElementSize.byte, data.length);
  }
}

function setStructListTag(view: DataView, at: number, count: number, dataWords: number, pointers: number): void {
  view.setUint32(at, count << 2, true);
  view.setUint32(at + 4, dataWords | (pointers << 16), true);
}
