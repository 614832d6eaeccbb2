// Messages laid out by hand, word by word.
import { DEFAULT_LIMITS, type Limits } from "../../../packages/wire/src/limits.ts";
import { SegmentReader } from "../../../packages/wire/src/segment/reader.ts";

/** A word by its two halves, or by text of up to eight characters. */
export type Word = readonly [low: number, high: number] | string;

/** A pointer to a struct `offset` words behind it. */
export const structAt = (offset: number, dataWords: number, pointers: number): Word => [
  offset << 2,
  dataWords + pointers * 0x1_0000,
];
/** A pointer to a list `offset` words behind it. */
export const listAt = (offset: number, size: number, count: number): Word => [(offset << 2) | 1, size + 8 * count];
/** A far pointer to the landing pad at word `word` of `segment`. */
export const farTo = (segment: number, word: number, isDouble = false): Word => [
  ((word << 3) | (isDouble ? 6 : 2)) >>> 0,
  segment,
];
export const capability = (index: number): Word => [3, index];
export const NULL: Word = [0, 0];

export function bytesOf(words: readonly Word[]): Uint8Array {
  const bytes = new Uint8Array(8 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    if (typeof word === "string") {
      bytes.set(new TextEncoder().encode(word), 8 * i);
    } else {
      view.setUint32(8 * i, word[0] >>> 0, true);
      view.setUint32(8 * i + 4, word[1] >>> 0, true);
    }
  });
  return bytes;
}

/** A reader of these words, with other bytes around them that are none of its business. */
export function readerOf(words: readonly Word[], limits: Limits = DEFAULT_LIMITS): SegmentReader {
  const margin = 24;
  const bytes = new Uint8Array(2 * margin + 8 * words.length).fill(0xee);
  bytes.set(bytesOf(words), margin);
  return new SegmentReader(bytes, new DataView(bytes.buffer), margin, bytes.length - margin, limits);
}
