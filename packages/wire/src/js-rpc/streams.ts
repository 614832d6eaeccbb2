// What moves streams and signals: params and results of ExternalPusher, ByteStream, ValueSink, AbortTrigger and Source.
import {
  EXTERNAL_PUSHER_PUSH_BYTE_STREAM_PARAMS_LENGTH_PLUS_ONE,
  EXTERNAL_PUSHER_PUSH_BYTE_STREAM_RESULTS_SINK_POINTER,
  EXTERNAL_PUSHER_PUSH_BYTE_STREAM_RESULTS_SOURCE_POINTER,
} from "../gen/js-rpc.ts";
import type { Limits } from "../limits.ts";
import { ElementSize, setCapabilityPointer, setListPointer, setStructPointer } from "../segment/pointers.ts";
import type { SegmentReader } from "../segment/reader.ts";
import type { SegmentWriter } from "../segment/writer.ts";
import { type ExternalsWriter, findJsValue, type JsValueRef, writeJsValue } from "./js-value.ts";

/** Appends the params of `ByteStream.write`, with a copy of `bytes`, and points the pointer at `at` to them. */
export function writeBytesParams(out: SegmentWriter, at: number, bytes: Uint8Array): void {
  const struct = allocate(out, at, 0, 1);
  const start = out.length;
  out.ensure(bytes.length);
  out.bytes.set(bytes, start);
  setListPointer(out.view, struct, start, ElementSize.byte, bytes.length);
  out.length = start + bytes.length;
  out.align();
}

/** The bytes of the params that the pointer at `at` leads to: a view of the message. Throws DecodeError. */
export function readBytesParams(reader: SegmentReader, at: number): Uint8Array {
  reader.enterStruct(at);
  reader.blob(reader.pointer(0));
  return reader.bytes.subarray(reader.blobStart, reader.blobEnd);
}

/** Appends params that are one value: of `ValueSink.write`, `ValueSink.abort`, `AbortTrigger.abort`. */
export function writeValueParams(
  out: SegmentWriter,
  at: number,
  value: unknown,
  host: ExternalsWriter,
  limits: Limits,
): void {
  writeJsValue(out, allocate(out, at, 0, 1), value, host, limits);
}

/** The value of such params; undefined where the peer sent none. Throws DecodeError. */
export function readValueParams(reader: SegmentReader, at: number, limits: Limits): JsValueRef | undefined {
  reader.enterStruct(at);
  return findJsValue(reader, reader.pointer(0), limits);
}

/** Appends the params of `pushByteStream`. @param length of the whole stream in bytes; undefined: not known. */
export function writePushParams(out: SegmentWriter, at: number, length: bigint | undefined): void {
  const data = allocate(out, at, 1, 0);
  const known = length === undefined ? 0n : length + 1n;
  out.view.setBigUint64(data + EXTERNAL_PUSHER_PUSH_BYTE_STREAM_PARAMS_LENGTH_PLUS_ONE, known, true);
}

/** Pointers of the pair that a push returns: what is mentioned in a value, and what its sender keeps. */
export const PushResults = {
  mentioned: EXTERNAL_PUSHER_PUSH_BYTE_STREAM_RESULTS_SOURCE_POINTER,
  kept: EXTERNAL_PUSHER_PUSH_BYTE_STREAM_RESULTS_SINK_POINTER,
} as const;

/** Appends the results of a push: two entries of the cap table. */
export function writePushResults(out: SegmentWriter, at: number, mentioned: number, kept: number): void {
  const pointers = allocate(out, at, 0, 2);
  setCapabilityPointer(out.view, pointers + 8 * PushResults.mentioned, mentioned);
  setCapabilityPointer(out.view, pointers + 8 * PushResults.kept, kept);
}

/** Appends params that are one capability: of `Source.forwardTo`. */
export function writeCapabilityParams(out: SegmentWriter, at: number, capIndex: number): void {
  setCapabilityPointer(out.view, allocate(out, at, 0, 1), capIndex);
}

/** The index in the cap table of such params, or -1. Throws DecodeError. */
export function readCapabilityParams(reader: SegmentReader, at: number): number {
  reader.enterStruct(at);
  return reader.capabilityIndex(reader.pointer(0));
}

/** Appends a struct without data or pointers. */
export function writeNothing(out: SegmentWriter, at: number): void {
  allocate(out, at, 0, 0);
}

/** Appends a zeroed struct and points the pointer at `at` to it. Returns where it starts. */
function allocate(out: SegmentWriter, at: number, dataWords: number, pointers: number): number {
  const start = out.length;
  const size = 8 * (dataWords + pointers);
  out.ensure(size);
  out.bytes.fill(0, start, start + size);
  setStructPointer(out.view, at, start, dataWords, pointers);
  out.length = start + size;
  return start;
}
