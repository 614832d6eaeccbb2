// hot path of packed links (bench: capstan bench --packed). Cap'n Proto's packing: every word becomes a tag with a bit for
// each byte that is not zero, and those bytes. Behind the tag 0x00 stands how many more words of zeros follow; behind 0xff
// and its eight bytes, how many more words follow as they are.
import { DecodeError } from "./errors.ts";
import { messageLength } from "./framing.ts";
import type { Limits } from "./limits.ts";

/** Words that may follow one of zeros, or one without any. */
const MAX_RUN = 255;
const SLAB_BYTES = 64 * 1024;
/** What is longer gets a buffer of its own. */
const LONGEST_IN_SLAB = SLAB_BYTES / 8;
/** What unpacks to more than so many times its length is mostly zeros. */
const MOST_GROWTH = 8;
/** Such frames are handed on in pieces of so many bytes, or of one message. */
const PIECE_BYTES = 1024;

/** Memory that is given out piece by piece, each once: a buffer for each frame takes longer than to pack it. */
class Slab {
  bytes = new Uint8Array(0);
  /** How much of `bytes` is given out. Behind it are zeros, or what whoever writes here may write over. */
  used = 0;

  /** Makes room for `count` bytes behind `used`. */
  ensure(count: number): void {
    if (this.used + count <= this.bytes.length) return;
    this.bytes = new Uint8Array(SLAB_BYTES);
    this.used = 0;
  }
}

const packedSlab = new Slab();
const unpackedSlab = new Slab();

/** How many bits of a tag are set. */
const BITS = Uint8Array.from({ length: 256 }, (_, tag) => {
  let bits = 0;
  for (let rest = tag; rest !== 0; rest >>= 1) bits += rest & 1;
  return bits;
});

/**
 * The most bytes that `length` bytes of whole words can become. The worst are words without a zero and words with two by
 * turns: 17 bytes for 16.
 */
export function packedBound(length: number): number {
  return length + Math.floor(length / 16) + 2;
}

/**
 * The packed form of `frame`, which is of whole words. It belongs to the caller.
 *
 * @throws RangeError for a length that is no multiple of 8.
 */
export function packFrame(frame: Uint8Array): Uint8Array {
  if ((frame.length & 7) !== 0) throw new RangeError(`A frame of ${frame.length} bytes, not of whole words.`);
  const bound = packedBound(frame.length);
  if (bound > LONGEST_IN_SLAB) {
    const own = new Uint8Array(bound);
    const end = pack(frame, own, 0);
    // What shrank a lot must not keep the rest of its buffer.
    return end < bound / 2 ? own.slice(0, end) : own.subarray(0, end);
  }
  packedSlab.ensure(bound);
  const start = packedSlab.used;
  packedSlab.used = pack(frame, packedSlab.bytes, start);
  return packedSlab.bytes.subarray(start, packedSlab.used);
}

/**
 * What `packed` unpacks to: whole words. It belongs to the caller. A kilobyte may unpack to a megabyte: how much it is to be
 * is found out, and held against `limits.maxFrameBytes`, before anything is allocated.
 *
 * @throws DecodeError for bytes that end within a word or a run, and for what unpacks to more than is allowed.
 */
export function unpackFrame(packed: Uint8Array, limits: Limits): Uint8Array {
  const length = unpackedLength(packed, limits.maxFrameBytes);
  if (length > LONGEST_IN_SLAB || length > MOST_GROWTH * packed.length) {
    const own = new Uint8Array(length);
    unpack(packed, own, 0);
    return own;
  }
  unpackedSlab.ensure(length);
  const start = unpackedSlab.used;
  unpackedSlab.used += length;
  unpack(packed, unpackedSlab.bytes, start);
  return unpackedSlab.bytes.subarray(start, unpackedSlab.used);
}

/**
 * Whether a frame of `length` bytes that came as `packedLength` is to be taken apart with `piecesOf`. Messages keep their
 * frame: of one that is mostly zeros a short message that somebody keeps would keep a thousand times what its peer sent.
 */
export function isMostlyZeros(length: number, packedLength: number): boolean {
  return length > MOST_GROWTH * packedLength;
}

/**
 * The messages of a frame, each in memory of its own, short ones together. What is no whole message comes as it is.
 *
 * @throws DecodeError for a message of more segments than are allowed.
 */
export function* piecesOf(frame: Uint8Array, limits: Limits): Generator<Uint8Array> {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  let start = 0;
  for (let at = 0; at < frame.length; ) {
    // There may be a million of one segment.
    const isFlat = view.getUint32(at, true) === 0;
    const length = isFlat ? 8 + 8 * view.getUint32(at + 4, true) : messageLength(frame, at, limits);
    const end = length === 0 ? frame.length : Math.min(at + length, frame.length);
    if (at > start && end - start > PIECE_BYTES) {
      yield frame.slice(start, at);
      start = at;
    }
    at = end;
  }
  yield start === 0 ? frame : frame.slice(start);
}

/**
 * Packs `bytes`, which are whole words, into `into` from `at` on, and returns the end. There must be room for
 * `packedBound(bytes.length)` bytes; what is behind the end there may be overwritten.
 */
function pack(bytes: Uint8Array, into: Uint8Array, at: number): number {
  const end = bytes.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, end);
  let to = at;
  for (let from = 0; from < end; from += 8) {
    const tagAt = to;
    const low = view.getInt32(from, true);
    const high = view.getInt32(from + 4, true);
    // Each byte is written, and the next one over it where it is zero: branches would be mispredicted half of the time.
    into[++to] = low;
    const a = (low & 0xff) === 0 ? 0 : 1;
    into[(to += a)] = low >> 8;
    const b = (low & 0xff00) === 0 ? 0 : 1;
    into[(to += b)] = low >> 16;
    const c = (low & 0xff0000) === 0 ? 0 : 1;
    into[(to += c)] = low >> 24;
    const d = low >>> 24 === 0 ? 0 : 1;
    into[(to += d)] = high;
    const e = (high & 0xff) === 0 ? 0 : 1;
    into[(to += e)] = high >> 8;
    const f = (high & 0xff00) === 0 ? 0 : 1;
    into[(to += f)] = high >> 16;
    const g = (high & 0xff0000) === 0 ? 0 : 1;
    into[(to += g)] = high >> 24;
    const h = high >>> 24 === 0 ? 0 : 1;
    to += h;
    const tag = a | (b << 1) | (c << 2) | (d << 3) | (e << 4) | (f << 5) | (g << 6) | (h << 7);
    into[tagAt] = tag;
    if (tag !== 0 && tag !== 0xff) continue;
    const next = from + 8;
    const last = Math.min(end, next + 8 * MAX_RUN);
    const run = tag === 0 ? endOfZeros(view, next, last) : endOfDense(view, next, last);
    into[to++] = (run - next) >> 3;
    if (tag === 0xff && run > next) {
      copy(bytes, next, run, into, to);
      to += run - next;
    }
    from = run - 8;
  }
  return to;
}

/** The end of the words of zeros that begin at `from`. */
function endOfZeros(view: DataView, from: number, end: number): number {
  let at = from;
  while (at < end && (view.getInt32(at, true) | view.getInt32(at + 4, true)) === 0) at += 8;
  return at;
}

/** The end of the words that begin at `from` and are no shorter packed: those with one zero at most. */
function endOfDense(view: DataView, from: number, end: number): number {
  let at = from;
  for (; at < end; at += 8) {
    const low = zeroBytes(view.getInt32(at, true));
    const high = zeroBytes(view.getInt32(at + 4, true));
    if ((low !== 0 && high !== 0) || ((low | high) & ((low | high) - 1)) !== 0) break;
  }
  return at;
}

/** The highest bit of each byte that is zero. */
function zeroBytes(word: number): number {
  return ~(((word & 0x7f7f7f7f) + 0x7f7f7f7f) | word | 0x7f7f7f7f);
}

/** A few bytes are copied sooner than two views of them are made. */
function copy(bytes: Uint8Array, from: number, end: number, into: Uint8Array, to: number): void {
  if (end - from > 64) into.set(bytes.subarray(from, end), to);
  else for (let i = from; i < end; i++) into[to + i - from] = bytes[i] as number;
}

/** Counts the words of `packed`. Throws as `unpackFrame` does. */
function unpackedLength(packed: Uint8Array, maxBytes: number): number {
  const end = packed.length;
  const maxWords = Math.floor(maxBytes / 8);
  let words = 0;
  for (let at = 0; at < end; ) {
    const tag = packed[at] as number;
    let size = 1 + (BITS[tag] as number);
    words++;
    if (tag === 0 || tag === 0xff) {
      const more = at + size < end ? (packed[at + size] as number) : 0;
      words += more;
      size += tag === 0 ? 1 : 1 + 8 * more;
    }
    at += size;
    if (at > end) throw new DecodeError("a packed frame that ends within a word");
    if (words > maxWords) throw new DecodeError(`a packed frame of more than ${maxBytes} bytes, more than is allowed`);
  }
  return 8 * words;
}

/** Unpacks `packed` into `into` from `at` on, where there are zeros, of the length that `unpackedLength` said. */
function unpack(packed: Uint8Array, into: Uint8Array, at: number): void {
  let to = at;
  for (let from = 0; from < packed.length; to += 8) {
    const tag = packed[from++] as number;
    if (tag === 0) {
      to += 8 * (packed[from++] as number);
    } else if (tag === 0xff) {
      copy(packed, from, from + 8, into, to);
      const run = 8 * (packed[from + 8] as number);
      from += 9;
      if (run > 0) copy(packed, from, from + run, into, to + 8);
      from += run;
      to += run;
    } else {
      if ((tag & 0x01) !== 0) into[to] = packed[from++] as number;
      if ((tag & 0x02) !== 0) into[to + 1] = packed[from++] as number;
      if ((tag & 0x04) !== 0) into[to + 2] = packed[from++] as number;
      if ((tag & 0x08) !== 0) into[to + 3] = packed[from++] as number;
      if ((tag & 0x10) !== 0) into[to + 4] = packed[from++] as number;
      if ((tag & 0x20) !== 0) into[to + 5] = packed[from++] as number;
      if ((tag & 0x40) !== 0) into[to + 6] = packed[from++] as number;
      if ((tag & 0x80) !== 0) into[to + 7] = packed[from++] as number;
    }
  }
}
