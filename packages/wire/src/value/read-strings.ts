// hot path (bench: npm run bench). Bytes to strings.
import { decodeLatin1, decodeUtf16 } from "./long-strings.ts";

// Takes what an index yields: that the bytes are there is the caller's care.
const fromUnits = String.fromCharCode as (...units: (number | undefined)[]) => string;

/** Up to here a string is put together unit by unit: a call into the runtime costs more. */
const SHORT = 24;

/** Strings of up to this length are looked for among those of the keys read lately. */
const LONGEST_KEY = 24;
const KEY_SLOTS = 1024;
const KEY_SHIFT = 22;
const keys: string[] = new Array<string>(KEY_SLOTS).fill("");

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A property name. Names come again and again, and a string that an engine has seen as a name before is a faster one.
 */
export function readKey(bytes: Uint8Array, at: number, length: number): string {
  if (length > LONGEST_KEY || length === 0) return readLatin1(bytes, at, length);
  // In bounds: length is at least 1, and the caller has checked that the bytes are there.
  const first = bytes[at] as number;
  const middle = bytes[at + (length >> 1)] as number;
  const last = bytes[at + length - 1] as number;
  const hash = Math.imul(length | (first << 8) | (middle << 16) | (last << 24), 0x9e37_79b1) >>> KEY_SHIFT;
  const known = keys[hash] as string;
  if (known.length === length) {
    let i = 0;
    while (i < length && known.charCodeAt(i) === bytes[at + i]) i++;
    if (i === length) return known;
  }
  const key = readShort(bytes, at, length);
  keys[hash] = key;
  return key;
}

/** One byte a code unit. */
export function readLatin1(bytes: Uint8Array, at: number, length: number): string {
  return length <= SHORT ? readShort(bytes, at, length) : decodeLatin1(bytes, at, at + length);
}

/** Two bytes a code unit, the lower first; `byteLength` is even. */
export function readUtf16(bytes: Uint8Array, at: number, byteLength: number): string {
  const end = at + byteLength;
  if (byteLength > SHORT) return decodeUtf16(bytes, at, end);
  let text = "";
  for (let i = at; i < end; i += 2) text += fromUnits((bytes[i] as number) | ((bytes[i + 1] as number) << 8));
  return text;
}

/** UTF-8; what is malformed becomes U+FFFD. */
export function readUtf8(bytes: Uint8Array, at: number, length: number): string {
  return utf8.decode(bytes.subarray(at, at + length));
}

// Unrolled: one call of fromCharCode with eight units costs little more than with one.
function readShort(b: Uint8Array, start: number, length: number): string {
  let text = "";
  let at = start;
  const end = start + length;
  for (; at + 8 <= end; at += 8) {
    text += fromUnits(b[at], b[at + 1], b[at + 2], b[at + 3], b[at + 4], b[at + 5], b[at + 6], b[at + 7]);
  }
  switch (end - at) {
    case 0:
      return text;
    case 1:
      return text + fromUnits(b[at]);
    case 2:
      return text + fromUnits(b[at], b[at + 1]);
    case 3:
      return text + fromUnits(b[at], b[at + 1], b[at + 2]);
    case 4:
      return text + fromUnits(b[at], b[at + 1], b[at + 2], b[at + 3]);
    case 5:
      return text + fromUnits(b[at], b[at + 1], b[at + 2], b[at + 3], b[at + 4]);
    case 6:
      return text + fromUnits(b[at], b[at + 1], b[at + 2], b[at + 3], b[at + 4], b[at + 5]);
    default:
      return text + fromUnits(b[at], b[at + 1], b[at + 2], b[at + 3], b[at + 4], b[at + 5], b[at + 6]);
  }
}
