// Copies any part of any message, typed or not, into one clean segment: every object once where it belongs, and no far
// pointers. What a hostile message makes of this is bounded by the budget and the nesting.
import { DecodeError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { type MessageSegments, PointerTarget, resolvePointer } from "./far-pointer.ts";
import { CAPABILITY, ElementSize, PointerKind, setListPointer, setStructPointer } from "./pointers.ts";
import { SegmentReader } from "./reader.ts";
import { SegmentWriter } from "./writer.ts";

/**
 * A copy may have this many times the words of its message: objects may be shared, but not for nothing. A pointer costs as
 * many, since following it takes that much longer: what is nothing but pointers is then to be without sharing.
 */
const SHARING = 8;
const SPARE_WORDS = 1024;

/** Levels of rpc.capnp around a payload's content. */
const ENVELOPE_LEVELS = 4;

/** Bits of each size of list element; the last two have their own ways. */
const ELEMENT_BITS = [0, 1, 8, 16, 32, 64] as const;

/** What becomes of a pointer that is not right. */
const REFUSE = -1;
const MAKE_NULL = 0;
/** Lower half of a pointer of no known kind: whoever follows it finds that it is not right. */
const POISON = 7;

/**
 * Copies what the pointer at `fromAt` leads to, and all behind it, to `to.length`, and points the pointer at `toAt` to
 * it. Capability pointers are kept as they are. Throws DecodeError for what is not right or over `maxNesting`, and for
 * copies that cost more than eight times their message; `to` has then been written to.
 */
export function copyPointer(from: SegmentReader, fromAt: number, to: SegmentWriter, toAt: number): void {
  copyWithin(from, fromAt, to, toAt, SHARING, from.maxNesting, REFUSE);
}

/** Like `copyPointer`, but leaves out what is not right, and whatever would make it longer than its message. */
export function copyTolerantly(from: SegmentReader, fromAt: number, to: SegmentWriter, toAt: number): void {
  copyWithin(from, fromAt, to, toAt, 1, from.maxNesting + ENVELOPE_LEVELS, MAKE_NULL);
}

/**
 * Like `copyPointer`, but copies structs and capability pointers alone, and null for every list: all that a promised
 * answer's transform can pass through. What is not right becomes null too.
 */
export function copyWithoutLists(from: SegmentReader, fromAt: number, to: SegmentWriter, toAt: number): void {
  copyWithin(from, fromAt, to, toAt, SHARING, from.maxNesting, MAKE_NULL, true);
}

/**
 * Makes a message flat. Pointers that are not right stay so, for whoever reads what they are in: a peer's faulty params
 * are an error of that call, not of the connection.
 */
export function flatten(message: MessageSegments, limits: Limits): SegmentReader {
  let words = 0;
  for (let i = 0; i < message.starts.length; i++) words += wordsBetween(message.starts[i], message.ends[i]);
  if (wordsBetween(message.starts[0], message.ends[0]) === 0) throw new DecodeError("a message without a root");
  const to = new SegmentWriter(8 * (words + 1));
  to.view.setFloat64(0, 0);
  to.length = 8;
  const budget = Math.min(limits.maxMessageWords, SHARING * words + SPARE_WORDS);
  new Copier(message, to, budget, SHARING, limits.maxNesting + ENVELOPE_LEVELS, POISON).copy(
    0,
    message.starts[0] as number,
    0,
    0,
  );
  return new SegmentReader(to.bytes, to.view, 0, to.length, limits);
}

function copyWithin(
  from: SegmentReader,
  fromAt: number,
  to: SegmentWriter,
  toAt: number,
  sharing: number,
  maxNesting: number,
  instead: number,
  dropsLists = false,
): void {
  if (fromAt < 0) return;
  const words = wordsBetween(from.start, from.end);
  const budget = Math.min(from.budget, sharing * words + (sharing > 1 ? SPARE_WORDS : 0));
  const segments = { bytes: from.bytes, view: from.view, starts: [from.start], ends: [from.end] };
  const copier = new Copier(segments, to, budget, sharing, maxNesting, instead, dropsLists);
  copier.copy(0, fromAt, toAt, 0);
  from.budget -= budget - copier.budget;
}

function wordsBetween(start: number | undefined, end: number | undefined): number {
  return start === undefined || end === undefined ? 0 : (end - start) / 8;
}

/** One copy under way. */
class Copier {
  /** Words that may still be visited. */
  budget: number;
  readonly #from: MessageSegments;
  readonly #to: SegmentWriter;
  /** What a pointer costs besides its word. */
  readonly #pointerCost: number;
  readonly #maxNesting: number;
  readonly #instead: number;
  readonly #dropsLists: boolean;
  readonly #target = new PointerTarget();

  constructor(
    from: MessageSegments,
    to: SegmentWriter,
    budget: number,
    sharing: number,
    maxNesting: number,
    instead: number,
    dropsLists = false,
  ) {
    this.#from = from;
    this.#to = to;
    this.budget = budget;
    this.#pointerCost = sharing - 1;
    this.#maxNesting = maxNesting;
    this.#instead = instead;
    this.#dropsLists = dropsLists;
  }

  /** Copies what the pointer at `fromAt` leads to, `depth` pointers away from the first one. */
  copy(segment: number, fromAt: number, toAt: number, depth: number): void {
    if (!this.#charge(this.#pointerCost)) return this.#refuse(toAt, "a copy longer than its message may be");
    const target = this.#target;
    if (!resolvePointer(this.#from, segment, fromAt, target))
      return this.#refuse(toAt, "a far pointer that leads nowhere");
    const { low, high } = target;
    if (low === 0 && high === 0) return this.#setPointer(toAt, 0, 0);
    switch (low & 3) {
      case PointerKind.struct:
        return this.#copyStruct(target.segment, target.at, high, toAt, depth);
      case PointerKind.list:
        if (this.#dropsLists) return this.#setPointer(toAt, 0, 0);
        return this.#copyList(target.segment, target.at, high & 7, high >>> 3, toAt, depth);
      default:
        if (low !== CAPABILITY) return this.#refuse(toAt, "a pointer of unknown kind");
        return this.#setPointer(toAt, low, high);
    }
  }

  #copyStruct(segment: number, at: number, sizes: number, toAt: number, depth: number): void {
    const dataWords = sizes & 0xffff;
    const pointers = sizes >>> 16;
    const size = 8 * (dataWords + pointers);
    if (!this.#isWithin(segment, at, size)) return this.#refuse(toAt, "a pointer to a struct out of bounds");
    if (depth >= this.#maxNesting) return this.#refuse(toAt, `nesting over ${this.#maxNesting}`);
    if (!this.#charge(dataWords + pointers)) return this.#refuse(toAt, "a copy longer than its message may be");
    const to = this.#allocate(size);
    setStructPointer(this.#to.view, toAt, to, dataWords, pointers);
    this.#copyContent(segment, at, to, dataWords, pointers, depth);
  }

  #copyList(segment: number, at: number, size: number, count: number, toAt: number, depth: number): void {
    if (size === ElementSize.composite) return this.#copyStructs(segment, at, count, toAt, depth);
    const isPointers = size === ElementSize.pointer;
    const bits = isPointers ? 64 : (ELEMENT_BITS[size] as number);
    const byteLength = Math.ceil((count * bits) / 8);
    if (!this.#isWithin(segment, at, byteLength)) return this.#refuse(toAt, "a pointer to a list out of bounds");
    if (depth >= this.#maxNesting) return this.#refuse(toAt, `nesting over ${this.#maxNesting}`);
    // Elements without a size cost a word each: whoever reads them goes through them all.
    const words = bits === 0 ? count : Math.ceil(byteLength / 8);
    if (!this.#charge(words)) return this.#refuse(toAt, "a copy longer than its message may be");
    const to = this.#allocate(bits === 0 ? 0 : 8 * words);
    setListPointer(this.#to.view, toAt, to, size, count);
    if (isPointers) {
      this.#copyContent(segment, at, to, 0, count, depth);
      return;
    }
    this.#to.bytes.set(this.#from.bytes.subarray(at, at + byteLength), to);
    const spareBits = byteLength * 8 - count * bits;
    if (spareBits > 0)
      this.#to.view.setUint8(to + byteLength - 1, this.#to.view.getUint8(to + byteLength - 1) & (0xff >> spareBits));
  }

  #copyStructs(segment: number, at: number, words: number, toAt: number, depth: number): void {
    if (!this.#isWithin(segment, at, 8 + 8 * words)) return this.#refuse(toAt, "a pointer to a list out of bounds");
    const tag = this.#from.view.getUint32(at, true);
    const sizes = this.#from.view.getUint32(at + 4, true);
    const count = tag >>> 2;
    const dataWords = sizes & 0xffff;
    const pointers = sizes >>> 16;
    const step = dataWords + pointers;
    if ((tag & 3) !== PointerKind.struct || count * step > words) {
      return this.#refuse(toAt, "a list of structs with more elements than words for them");
    }
    if (depth >= this.#maxNesting) return this.#refuse(toAt, `nesting over ${this.#maxNesting}`);
    if (!this.#charge(1 + Math.max(count, words))) return this.#refuse(toAt, "a copy longer than its message may be");
    const to = this.#allocate(8 + 8 * count * step);
    setListPointer(this.#to.view, toAt, to, ElementSize.composite, count * step);
    this.#to.view.setUint32(to, tag, true);
    this.#to.view.setUint32(to + 4, sizes, true);
    if (step === 0) return;
    for (let i = 0; i < count; i++) {
      const offset = 8 + 8 * i * step;
      this.#copyContent(segment, at + offset, to + offset, dataWords, pointers, depth);
    }
  }

  /** Copies data words, then what `pointers` pointers behind them lead to. */
  #copyContent(segment: number, at: number, to: number, dataWords: number, pointers: number, depth: number): void {
    if (dataWords > 0) this.#to.bytes.set(this.#from.bytes.subarray(at, at + 8 * dataWords), to);
    const { view } = this.#from;
    const first = 8 * dataWords;
    for (let i = 0; i < pointers; i++) {
      const pointerAt = at + first + 8 * i;
      // Null is there already.
      if (view.getInt32(pointerAt, true) === 0 && view.getInt32(pointerAt + 4, true) === 0) continue;
      this.copy(segment, pointerAt, to + first + 8 * i, depth + 1);
    }
  }

  /** Takes zeroed memory: a copy that ends early leaves null pointers. */
  #allocate(size: number): number {
    const to = this.#to;
    to.ensure(size);
    const at = to.length;
    to.bytes.fill(0, at, at + size);
    to.length = at + size;
    return at;
  }

  #isWithin(segment: number, at: number, size: number): boolean {
    return at >= (this.#from.starts[segment] as number) && at + size <= (this.#from.ends[segment] as number);
  }

  /** What has no size costs nothing: its pointer was paid for by whoever holds it. */
  #charge(words: number): boolean {
    if (words > this.budget) return false;
    this.budget -= words;
    return true;
  }

  #setPointer(at: number, low: number, high: number): void {
    this.#to.view.setInt32(at, low, true);
    this.#to.view.setUint32(at + 4, high, true);
  }

  #refuse(toAt: number, why: string): void {
    if (this.#instead === REFUSE) throw new DecodeError(why);
    this.#setPointer(toAt, this.#instead, 0);
  }
}
