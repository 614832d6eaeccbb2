// hot path (bench: npm run bench). Reads one flat message in place: every position is checked, every visit is paid for.
import { DecodeError, NotFlat } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { CAPABILITY, ElementSize, PointerKind } from "./pointers.ts";
import { readText } from "./text.ts";

/** Words beyond a message's own that whoever reads it may be led to, where it can be read only once. */
const SPARE_WORDS = 1024;

/**
 * One message of one segment. Positions are byte offsets into `bytes` and `view`, which may hold more than the message.
 *
 * It walks with registers: `enterStruct` and the like set them, and the next one overwrites them, so what is needed
 * later is to be read before. Positions come from `start` and `pointer`; -1 stands for a pointer that the sender's
 * version of the struct does not have, and reads as null. Whatever is not right throws DecodeError.
 */
export class SegmentReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** The segment's first byte: where the root pointer is. */
  readonly start: number;
  readonly end: number;
  /** Words that may still be visited. */
  budget: number;
  /** Pointers within one another that a copy follows. */
  readonly maxNesting: number;
  /** The struct last entered: its data is `data..dataEnd`, its pointers `pointers..pointersEnd`. All 0 for null. */
  data = 0;
  dataEnd = 0;
  pointers = 0;
  pointersEnd = 0;
  /** The list last entered: position of its first element, their number, and the bytes of one. */
  listAt = 0;
  listCount = 0;
  listStep = 0;
  /** Bytes of data in each element of a list of structs; the rest of `listStep` is pointers. */
  listDataBytes = 0;
  /** The bytes last found by `blob`. */
  blobStart = 0;
  blobEnd = 0;

  /** The segment is `bytes[start..end)`; both are multiples of 8 away from each other. `view` views all of `bytes`. */
  constructor(bytes: Uint8Array, view: DataView, start: number, end: number, limits: Limits) {
    this.bytes = bytes;
    this.view = view;
    this.start = start;
    this.end = end;
    this.budget = limits.maxMessageWords;
    this.maxNesting = limits.maxNesting;
  }

  /**
   * For what is read once: lowers the budget to what a message of this length can need, each word of it and each pointer to
   * one, whatever it shares. Returns the words to add to the budget afterwards.
   */
  narrowBudget(): number {
    const spared = this.budget - (this.end - this.start) / 4 - SPARE_WORDS;
    if (spared <= 0) return 0;
    this.budget -= spared;
    return spared;
  }

  /** Enters the struct that the pointer leads to. False for a null pointer: every field then reads as its default. */
  enterStruct(pointerAt: number): boolean {
    const low = pointerAt < 0 ? 0 : this.view.getInt32(pointerAt, true);
    const sizes = pointerAt < 0 ? 0 : this.view.getInt32(pointerAt + 4, true);
    if (low === 0 && sizes === 0) {
      this.data = this.dataEnd = this.pointers = this.pointersEnd = 0;
      return false;
    }
    if ((low & 3) !== PointerKind.struct) throw this.#mismatch(low, "a struct");
    // The kind is 0, so twice the lower half is eight times the offset. No overflow: these are not 32-bit sums.
    const data = pointerAt + 8 + low * 2;
    const dataEnd = data + (sizes & 0xffff) * 8;
    const end = dataEnd + (sizes >>> 16) * 8;
    if (data < this.start || end > this.end) throw outOfBounds("a struct");
    this.#charge(1 + (end - data) / 8);
    this.data = data;
    this.dataEnd = dataEnd;
    this.pointers = dataEnd;
    this.pointersEnd = end;
    return true;
  }

  // Fields of the struct last entered. `offset` in bytes is a multiple of the field's size. What an older peer's
  // struct does not have reads as 0; a field with another default is to be XORed with it.

  u8(offset: number): number {
    const at = this.data + offset;
    return at < this.dataEnd ? this.view.getUint8(at) : 0;
  }

  u16(offset: number): number {
    const at = this.data + offset;
    return at < this.dataEnd ? this.view.getUint16(at, true) : 0;
  }

  u32(offset: number): number {
    const at = this.data + offset;
    return at < this.dataEnd ? this.view.getUint32(at, true) : 0;
  }

  u64(offset: number): bigint {
    const at = this.data + offset;
    return at < this.dataEnd ? this.view.getBigUint64(at, true) : 0n;
  }

  /** @param offset in bits. */
  bit(offset: number): boolean {
    const at = this.data + (offset >>> 3);
    return at < this.dataEnd && (this.view.getUint8(at) & (1 << (offset & 7))) !== 0;
  }

  /** Position of pointer #`index`, or -1. */
  pointer(index: number): number {
    const at = this.pointers + 8 * index;
    return at < this.pointersEnd && index >= 0 ? at : -1;
  }

  isNull(pointerAt: number): boolean {
    return (
      pointerAt < 0 || (this.view.getInt32(pointerAt, true) === 0 && this.view.getInt32(pointerAt + 4, true) === 0)
    );
  }

  /** Whether the pointer leads to a struct. Does not say whether that is in bounds. */
  isStruct(pointerAt: number): boolean {
    return !this.isNull(pointerAt) && (this.view.getInt32(pointerAt, true) & 3) === PointerKind.struct;
  }

  /** Index into the cap table, or -1 if the pointer is null or no capability. */
  capabilityIndex(pointerAt: number): number {
    if (pointerAt < 0 || this.view.getUint32(pointerAt, true) !== CAPABILITY) return -1;
    return this.view.getUint32(pointerAt + 4, true);
  }

  /**
   * Goes from the pointer at `pointerAt` through one pointer field after the other. Returns the position of the pointer
   * at the end, or -1 where the way does not exist. Neither throws nor costs: the way's length is its bound.
   */
  follow(pointerAt: number, transform: readonly number[]): number {
    let at = pointerAt;
    for (let i = 0; i < transform.length && at >= 0; i++) {
      const index = transform[i] as number;
      if (!this.isStruct(at)) return -1;
      const sizes = this.view.getInt32(at + 4, true);
      const data = at + 8 + this.view.getInt32(at, true) * 2;
      const pointers = data + (sizes & 0xffff) * 8;
      const end = pointers + (sizes >>> 16) * 8;
      const next = pointers + 8 * index;
      at = data >= this.start && end <= this.end && index >= 0 && next < end ? next : -1;
    }
    return at;
  }

  /** Finds the bytes of a Data: `blobStart..blobEnd`. False for a null pointer: both are 0 then. */
  blob(pointerAt: number): boolean {
    this.blobStart = this.blobEnd = 0;
    if (!this.#list(pointerAt, ElementSize.byte, "bytes")) return false;
    const end = this.listAt + this.listCount;
    if (end > this.end) throw outOfBounds("a list of bytes");
    this.#charge(1 + ((this.listCount + 7) >>> 3));
    this.blobStart = this.listAt;
    this.blobEnd = end;
    return true;
  }

  /** Reads a Text: "" for a null pointer. Overwrites the registers of lists and blobs. */
  text(pointerAt: number): string {
    if (!this.blob(pointerAt)) return "";
    const end = this.blobEnd - 1;
    if (end < this.blobStart || this.bytes[end] !== 0) throw new DecodeError("a text without its NUL");
    return readText(this.bytes, this.blobStart, end);
  }

  /** Enters a list of pointers, which stand at `listAt + 8 * i`. False (and no elements) for a null pointer. */
  enterPointerList(pointerAt: number): boolean {
    if (!this.#list(pointerAt, ElementSize.pointer, "pointers")) return false;
    if (this.listAt + 8 * this.listCount > this.end) throw outOfBounds("a list of pointers");
    this.#charge(1 + this.listCount);
    this.listStep = 8;
    this.listDataBytes = 0;
    return true;
  }

  /**
   * Enters a list of numbers of `bytes` (1, 2, 4 or 8) each, which stand one behind the other from `listAt`. False (and no
   * elements) for a null pointer.
   */
  enterNumberList(pointerAt: number, bytes: number): boolean {
    const size =
      bytes === 1
        ? ElementSize.byte
        : bytes === 2
          ? ElementSize.twoBytes
          : bytes === 4
            ? ElementSize.fourBytes
            : ElementSize.eightBytes;
    if (!this.#list(pointerAt, size, `numbers of ${bytes} bytes`)) return false;
    if (this.listAt + bytes * this.listCount > this.end) throw outOfBounds("a list of numbers");
    this.#charge(1 + ((bytes * this.listCount + 7) >>> 3));
    this.listStep = bytes;
    this.listDataBytes = bytes;
    return true;
  }

  /** Enters a list of bits, which stand from `listAt` on, the lowest of a byte first. False for a null pointer. */
  enterBitList(pointerAt: number): boolean {
    if (!this.#list(pointerAt, ElementSize.bit, "bits")) return false;
    if (this.listAt + ((this.listCount + 7) >>> 3) > this.end) throw outOfBounds("a list of bits");
    this.#charge(1 + ((this.listCount + 63) >>> 6));
    this.listStep = this.listDataBytes = 0;
    return true;
  }

  /** Enters a list of structs. False (and no elements) for a null pointer. `enterElement` goes on. */
  enterStructList(pointerAt: number): boolean {
    if (!this.#list(pointerAt, ElementSize.composite, "structs")) return false;
    const words = this.listCount;
    const tag = this.listAt;
    if (tag + 8 + 8 * words > this.end) throw outOfBounds("a list of structs");
    const low = this.view.getUint32(tag, true);
    const sizes = this.view.getInt32(tag + 4, true);
    if ((low & 3) !== PointerKind.struct) throw new DecodeError("a list of structs without their sizes");
    const count = low >>> 2;
    const step = (sizes & 0xffff) + (sizes >>> 16);
    if (count * step > words) throw new DecodeError("a list of structs with more elements than words for them");
    if (step === 0 && count > (this.end - this.start) / 8 + SPARE_WORDS) {
      throw new DecodeError("a list of structs without a size that is longer than its message");
    }
    this.#charge(1 + Math.max(words, count));
    this.listAt = tag + 8;
    this.listCount = count;
    this.listStep = 8 * step;
    this.listDataBytes = 8 * (sizes & 0xffff);
    return true;
  }

  /**
   * Enters a struct within a list: the one at `at`, with `dataBytes` of data and `step` bytes in all. Whoever enters
   * other lists meanwhile keeps the registers of this one.
   */
  enterElement(at: number, dataBytes: number, step: number): void {
    this.data = at;
    this.dataEnd = this.pointers = at + dataBytes;
    this.pointersEnd = at + step;
  }

  /** Sets `listAt` (which may be the tag's) and `listCount` as the pointer has it. The list's end is not checked. */
  #list(pointerAt: number, size: number, what: string): boolean {
    const low = pointerAt < 0 ? 0 : this.view.getInt32(pointerAt, true);
    const high = pointerAt < 0 ? 0 : this.view.getUint32(pointerAt + 4, true);
    if (low === 0 && high === 0) {
      this.listAt = this.listCount = this.listStep = this.listDataBytes = 0;
      return false;
    }
    if ((low & 3) !== PointerKind.list || (high & 7) !== size) throw this.#mismatch(low, `a list of ${what}`);
    const at = pointerAt + 8 + (low - PointerKind.list) * 2;
    if (at < this.start || at > this.end) throw outOfBounds(`a list of ${what}`);
    this.listAt = at;
    this.listCount = high >>> 3;
    return true;
  }

  #charge(words: number): void {
    this.budget -= words;
    if (this.budget < 0) throw new DecodeError("a message that leads to more words than a message may");
  }

  #mismatch(low: number, wanted: string): DecodeError {
    return (low & 3) === PointerKind.far ? new NotFlat() : new DecodeError(`no pointer to ${wanted} where one must be`);
  }
}

function outOfBounds(what: string): DecodeError {
  return new DecodeError(`a pointer to ${what} out of bounds`);
}
