// hot path (bench: npm run bench). Strings as values: Latin-1 where they fit into it, UTF-16 otherwise.
import { LATIN1, PADDING, UTF16 } from "./tags.ts";
import type { ValueWriter } from "./value-writer.ts";

/** From this length on a native encoder is faster than a loop. */
const LONG = 48;

const encoder = new TextEncoder();

/** Writes `text` as a value. */
export function writeStringValue(out: ValueWriter, text: string): void {
  const length = text.length;
  if (length >= LONG) {
    writeLong(out, text);
    return;
  }
  out.ensure(length + 2);
  const bytes = out.bytes;
  let at = out.position;
  bytes[at] = LATIN1;
  bytes[at + 1] = length;
  at += 2;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0xff) {
      writeUtf16(out, text);
      return;
    }
    bytes[at + i] = unit;
  }
  out.position = at + length;
}

/** Writes `text` as UTF-8 behind its length in bytes. Lone surrogates become U+FFFD. */
export function writeUtf8(out: ValueWriter, text: string): void {
  const encoded = encoder.encode(text);
  out.writeBytes(encoded);
}

function writeLong(out: ValueWriter, text: string): void {
  const length = text.length;
  if (!out.fits(length + 6)) {
    // Only its size matters now: the value is over the limit.
    out.skip(isLatin1(text) ? length : 2 * length);
    return;
  }
  out.ensure(length + 6);
  const before = out.position;
  out.bytes[out.position++] = LATIN1;
  out.writeVarint(length);
  const bytes = out.bytes;
  const at = out.position;
  const { read, written } = encoder.encodeInto(text, bytes.subarray(at, at + length));
  if (read !== length || written !== length) {
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0xff) {
        out.position = before;
        writeUtf16(out, text);
        return;
      }
      bytes[at + i] = unit;
    }
  }
  out.position = at + length;
}

function writeUtf16(out: ValueWriter, text: string): void {
  const byteLength = 2 * text.length;
  if (!out.fits(byteLength + 7)) {
    out.skip(byteLength);
    return;
  }
  out.ensure(byteLength + 7);
  const header =
    byteLength < 0x80 ? 2 : byteLength < 0x4000 ? 3 : byteLength < 0x20_0000 ? 4 : byteLength < 0x1000_0000 ? 5 : 6;
  // V8 reads the units in place, so they stand at an even distance from the value's start.
  if (((out.size + header) & 1) !== 0) out.bytes[out.position++] = PADDING;
  out.bytes[out.position++] = UTF16;
  out.writeVarint(byteLength);
  const at = out.position;
  const units = new Uint16Array(out.bytes.buffer, out.bytes.byteOffset + at, text.length);
  for (let i = 0; i < units.length; i++) units[i] = text.charCodeAt(i);
  out.position = at + byteLength;
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}
