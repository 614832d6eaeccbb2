// hot path (bench: npm run bench). JsValue: a value's bytes, and the capabilities that it mentions.

import { DecodeError } from "../errors.ts";
import {
  JS_VALUE_EXTERNAL_ABORT_SIGNAL_POINTER,
  JS_VALUE_EXTERNAL_DATA_WORDS,
  JS_VALUE_EXTERNAL_IS_ABORT_SIGNAL,
  JS_VALUE_EXTERNAL_IS_INVALID,
  JS_VALUE_EXTERNAL_IS_READABLE_STREAM,
  JS_VALUE_EXTERNAL_IS_RPC_TARGET,
  JS_VALUE_EXTERNAL_IS_WRITABLE_STREAM,
  JS_VALUE_EXTERNAL_READABLE_STREAM_ENCODING,
  JS_VALUE_EXTERNAL_READABLE_STREAM_EXPECTED_LENGTH_IS_KNOWN,
  JS_VALUE_EXTERNAL_READABLE_STREAM_EXPECTED_LENGTH_KNOWN,
  JS_VALUE_EXTERNAL_READABLE_STREAM_EXPECTED_LENGTH_WHICH,
  JS_VALUE_EXTERNAL_WHICH,
  JS_VALUE_EXTERNALS_POINTER,
  JS_VALUE_V8_SERIALIZED_POINTER,
} from "../gen/js-rpc.ts";
import type { Limits } from "../limits.ts";
import { ElementSize, setCapabilityPointer, setListPointer, setStructPointer } from "../segment/pointers.ts";
import type { SegmentReader } from "../segment/reader.ts";
import type { SegmentWriter } from "../segment/writer.ts";
import { tooLarge } from "../value/clone-error.ts";
import type { HostObjectReader, HostObjectWriter } from "../value/host.ts";
import { readValue } from "../value/read.ts";
import { writeElements, writeValue } from "../value/write.ts";

/** Kinds of external that Capstan knows: discriminants of `JsValue.External`. */
export const ExternalKind = {
  invalid: JS_VALUE_EXTERNAL_IS_INVALID,
  rpcTarget: JS_VALUE_EXTERNAL_IS_RPC_TARGET,
  writableStream: JS_VALUE_EXTERNAL_IS_WRITABLE_STREAM,
  readableStream: JS_VALUE_EXTERNAL_IS_READABLE_STREAM,
  abortSignal: JS_VALUE_EXTERNAL_IS_ABORT_SIGNAL,
} as const;

/** Something that a value mentions and bytes cannot carry. */
export interface External {
  /** A value of `ExternalKind`; from a peer also any other number. */
  readonly kind: number;
  /** Index into the payload's cap table; -1 where a peer sent none. */
  capIndex: number;
  /** Of a stream: 0 identity, 1 gzip, 2 brotli. Default 0. */
  readonly encoding?: number;
  /** Of a readable stream: its length in bytes, where it is known. */
  readonly expectedLength?: bigint | undefined;
}

/** Writes host objects, some of which leave an external behind. */
export interface ExternalsWriter extends HostObjectWriter {
  /** Filled while the value is written, in the order in which it mentions them. Whoever owns the writer clears it. */
  readonly externals: External[];
  /** The value as it was written before: it goes as it is, and nothing is written anew. */
  readonly encoded?: Uint8Array | undefined;
  /** The value is whole, and its externals are about to be written: those that need messages of their own send them. */
  complete?(): void;
}

/** A value as it came: nothing of it has been read but its externals. */
export interface JsValueRef {
  readonly reader: SegmentReader;
  /** Its bytes in `reader`. */
  readonly start: number;
  readonly end: number;
  readonly externals: readonly External[];
}

const NO_EXTERNALS: readonly External[] = Object.freeze([]);

/**
 * Appends `value` and points the pointer at `at` to it. Throws as `writeValue` does; `out.length` is then anywhere
 * behind where it was.
 */
export function writeJsValue(
  out: SegmentWriter,
  at: number,
  value: unknown,
  host: ExternalsWriter,
  limits: Limits,
): void {
  const start = beginJsValue(out);
  if (host.encoded === undefined) writeValue(out, value, host, limits.value);
  else writeEncoded(out, host.encoded, limits);
  host.complete?.();
  endJsValue(out, at, start, host.externals);
}

/** Like `writeJsValue` of an array with these elements. */
export function writeJsArguments(
  out: SegmentWriter,
  at: number,
  args: readonly unknown[],
  host: ExternalsWriter,
  limits: Limits,
): void {
  const start = beginJsValue(out);
  if (host.encoded === undefined) writeElements(out, args, host, limits.value);
  else writeEncoded(out, host.encoded, limits);
  host.complete?.();
  endJsValue(out, at, start, host.externals);
}

function writeEncoded(out: SegmentWriter, bytes: Uint8Array, { value }: Limits): void {
  if (bytes.length > value.maxBytes) throw tooLarge(value.maxBytes, bytes.length);
  const at = out.length;
  out.ensure(bytes.length);
  out.bytes.set(bytes, at);
  out.length = at + bytes.length;
}

/** The value that the pointer at `at` leads to, or undefined for a null pointer. Throws DecodeError. */
export function findJsValue(reader: SegmentReader, at: number, limits: Limits): JsValueRef | undefined {
  if (!reader.enterStruct(at)) return undefined;
  const externalsAt = reader.pointer(JS_VALUE_EXTERNALS_POINTER);
  reader.blob(reader.pointer(JS_VALUE_V8_SERIALIZED_POINTER));
  return {
    reader,
    start: reader.blobStart,
    end: reader.blobEnd,
    externals: reader.isNull(externalsAt) ? NO_EXTERNALS : readExternals(reader, externalsAt, limits),
  };
}

/** Reads the value. Throws DecodeError for bytes that are none, and what `host` throws. */
export function readJsValue(ref: JsValueRef, host: HostObjectReader, limits: Limits): unknown {
  return readValue(ref.reader.bytes, ref.reader.view, ref.start, ref.end, host, limits.value);
}

/** Returns where the value's bytes begin: packed, behind room for a struct of one pointer. */
function beginJsValue(out: SegmentWriter): number {
  if (!out.packed) return out.length;
  out.ensure(8);
  out.view.setFloat64(out.length, 0);
  out.length += 8;
  return out.length;
}

/**
 * The struct comes behind its bytes: only then it is known whether it needs its second pointer. Packed, it stands in front
 * of them where it needs none, since a pointer backwards has four bytes that are not zero.
 */
function endJsValue(out: SegmentWriter, at: number, start: number, externals: readonly External[]): void {
  const byteLength = out.length - start;
  if ((out.length & 7) !== 0) out.align();
  if (out.packed && externals.length === 0) {
    setStructPointer(out.view, at, start - 8, 0, 1);
    setListPointer(out.view, start - 8, start, ElementSize.byte, byteLength);
    return;
  }
  const struct = out.length;
  const pointers = externals.length === 0 ? 1 : 2;
  out.ensure(16);
  setStructPointer(out.view, at, struct, 0, pointers);
  setListPointer(out.view, struct + 8 * JS_VALUE_V8_SERIALIZED_POINTER, start, ElementSize.byte, byteLength);
  out.length = struct + 8 * pointers;
  if (externals.length > 0) writeExternals(out, struct + 8 * JS_VALUE_EXTERNALS_POINTER, externals);
}

function writeExternals(out: SegmentWriter, pointerAt: number, externals: readonly External[]): void {
  const count = externals.length;
  let dataWords = 1;
  for (const external of externals) if (external.expectedLength !== undefined) dataWords = JS_VALUE_EXTERNAL_DATA_WORDS;
  const step = 8 * (dataWords + 1);
  const at = out.length;
  out.ensure(8 + count * step);
  setListPointer(out.view, pointerAt, at, ElementSize.composite, count * (dataWords + 1));
  out.bytes.fill(0, at, at + 8 + count * step);
  out.length = at + 8 + count * step;
  const view = out.view;
  view.setUint32(at, count << 2, true);
  view.setUint32(at + 4, dataWords | (1 << 16), true);
  for (let i = 0; i < count; i++) {
    const external = externals[i] as External;
    const data = at + 8 + i * step;
    view.setUint16(data + JS_VALUE_EXTERNAL_WHICH, external.kind, true);
    view.setUint16(data + JS_VALUE_EXTERNAL_READABLE_STREAM_ENCODING, external.encoding ?? 0, true);
    if (external.expectedLength !== undefined) {
      const known = JS_VALUE_EXTERNAL_READABLE_STREAM_EXPECTED_LENGTH_IS_KNOWN;
      view.setUint16(data + JS_VALUE_EXTERNAL_READABLE_STREAM_EXPECTED_LENGTH_WHICH, known, true);
      view.setBigUint64(data + JS_VALUE_EXTERNAL_READABLE_STREAM_EXPECTED_LENGTH_KNOWN, external.expectedLength, true);
    }
    if (external.capIndex >= 0) setCapabilityPointer(view, data + 8 * dataWords, external.capIndex);
  }
}

function readExternals(reader: SegmentReader, pointerAt: number, limits: Limits): readonly External[] {
  reader.enterStructList(pointerAt);
  const { listAt, listCount, listStep, listDataBytes } = reader;
  if (listCount > limits.maxCapTable) throw new DecodeError(`a value that mentions ${listCount} capabilities`);
  const externals: External[] = [];
  for (let i = 0; i < listCount; i++) {
    reader.enterElement(listAt + i * listStep, listDataBytes, listStep);
    externals.push(readExternal(reader));
  }
  return externals;
}

/** Reads the struct last entered. All that have a capability have it in the same place. */
function readExternal(reader: SegmentReader): External {
  const kind = reader.u16(JS_VALUE_EXTERNAL_WHICH);
  const capIndex = reader.capabilityIndex(reader.pointer(JS_VALUE_EXTERNAL_ABORT_SIGNAL_POINTER));
  const isReadable = kind === ExternalKind.readableStream;
  const hasEncoding = isReadable || kind === ExternalKind.writableStream;
  const hasLength =
    isReadable &&
    reader.u16(JS_VALUE_EXTERNAL_READABLE_STREAM_EXPECTED_LENGTH_WHICH) ===
      JS_VALUE_EXTERNAL_READABLE_STREAM_EXPECTED_LENGTH_IS_KNOWN;
  return {
    kind,
    capIndex,
    encoding: hasEncoding ? reader.u16(JS_VALUE_EXTERNAL_READABLE_STREAM_ENCODING) : 0,
    expectedLength: hasLength ? reader.u64(JS_VALUE_EXTERNAL_READABLE_STREAM_EXPECTED_LENGTH_KNOWN) : undefined,
  };
}
