// hot path (bench: npm run bench). Text: UTF-8 with a NUL behind it.
import { ElementSize, setListPointer } from "./pointers.ts";
import type { SegmentWriter } from "./writer.ts";

/** Texts of up to this length are looked for among those read lately: names of methods come again and again. */
const LONGEST_KNOWN = 32;
const SLOTS = 256;
const SHIFT = 24;
const known: string[] = new Array<string>(SLOTS).fill("");

/** Up to here a loop over the characters is faster than an encoder. */
const SHORT = 48;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** The text in `bytes[start..end)`; what is malformed becomes U+FFFD. */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return "";
  if (length > LONGEST_KNOWN) return decoder.decode(bytes.subarray(start, end));
  // In bounds: the caller has checked that the bytes are there.
  const first = bytes[start] as number;
  const middle = bytes[start + (length >> 1)] as number;
  const last = bytes[end - 1] as number;
  const slot = Math.imul(length | (first << 8) | (middle << 16) | (last << 24), 0x9e37_79b1) >>> SHIFT;
  const candidate = known[slot] as string;
  // Only ASCII is kept, so equal units mean equal bytes.
  if (candidate.length === length) {
    let i = 0;
    while (i < length && candidate.charCodeAt(i) === bytes[start + i]) i++;
    if (i === length) return candidate;
  }
  const text = decoder.decode(bytes.subarray(start, end));
  if (isAscii(bytes, start, end)) known[slot] = text;
  return text;
}

/** Appends `text` and points the pointer at `pointerAt` to it. Lone surrogates become U+FFFD. */
export function writeText(w: SegmentWriter, pointerAt: number, text: string): void {
  const length = text.length;
  const at = w.length;
  let byteLength = length;
  if (length > SHORT || !writeAscii(w, at, text)) {
    w.ensure(3 * length + 8);
    byteLength = encoder.encodeInto(text, w.bytes.subarray(at)).written;
    w.bytes.fill(0, at + byteLength, at + ((byteLength + 8) & ~7));
  }
  setListPointer(w.view, pointerAt, at, ElementSize.byte, byteLength + 1);
  w.length = at + ((byteLength + 8) & ~7);
}

function writeAscii(w: SegmentWriter, at: number, text: string): boolean {
  const length = text.length;
  w.ensure(length + 8);
  const bytes = w.bytes;
  // Zeroes the last word, and with it the NUL and the padding.
  w.view.setFloat64(at + (length & ~7), 0);
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return false;
    bytes[at + i] = unit;
  }
  return true;
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] as number) > 0x7f) return false;
  return true;
}
