// The value codec as the tests of this folder use it, and node:v8 as its slow twin.
import { Deserializer, Serializer } from "node:v8";
import { DecodeError } from "../../../packages/wire/src/errors.ts";
import { SegmentWriter } from "../../../packages/wire/src/segment/writer.ts";
import type { HostObjectReader, HostObjectWriter } from "../../../packages/wire/src/value/host.ts";
import { DEFAULT_VALUE_LIMITS, type ValueLimits } from "../../../packages/wire/src/value/limits.ts";
import { readValue } from "../../../packages/wire/src/value/read.ts";
import { writeValue } from "../../../packages/wire/src/value/write.ts";

/** A host that knows no objects. */
export const noHost: HostObjectWriter & HostObjectReader = {
  writeHostObject: () => false,
  readHostObject(_, tag) {
    throw new DecodeError(`host tag ${tag}`);
  },
};

export function encode(
  value: unknown,
  host: HostObjectWriter = noHost,
  limits: Partial<ValueLimits> = {},
): Uint8Array<ArrayBuffer> {
  const out = new SegmentWriter(64);
  // Not at the buffer's start, as in a message.
  out.ensure(8);
  out.length = 8;
  writeValue(out, value, host, { ...DEFAULT_VALUE_LIMITS, ...limits });
  return new Uint8Array(out.bytes.subarray(8, out.length));
}

/** Reads `bytes` from within a larger buffer, at an odd position: as they may lie in a frame. */
export function decode(bytes: Uint8Array, host: HostObjectReader = noHost, limits: Partial<ValueLimits> = {}): unknown {
  const frame = new Uint8Array(bytes.length + 16).fill(0x30);
  frame.set(bytes, 3);
  const view = new DataView(frame.buffer);
  return readValue(frame, view, 3, 3 + bytes.length, host, { ...DEFAULT_VALUE_LIMITS, ...limits });
}

export function roundTrip(value: unknown): unknown {
  return decode(encode(value));
}

/** What V8 writes. Unlike v8.serialize this writes views in V8's own form, not as host objects. */
export function v8Encode(value: unknown): Uint8Array {
  const serializer = new Serializer();
  serializer.writeHeader();
  serializer.writeValue(value);
  return serializer.releaseBuffer();
}

export function v8Decode(bytes: Uint8Array): unknown {
  const deserializer = new Deserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue() as unknown;
}

/** Bytes from text, where each character is one: `bytes("\xff\x0fI\x02")`. */
export function raw(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** A whole value: the header of version 15, and `text` as with `raw`. */
export function valueBytes(text: string): Uint8Array<ArrayBuffer> {
  return raw(`\xff\x0f${text}`);
}
