// hot path (bench: npm run bench). One value on its way to bytes: what is common to all of its parts.
import type { SegmentWriter } from "../segment/writer.ts";
import { functionNotClonable, notClonable, tooDeep, tooLarge, tooMany } from "./clone-error.ts";
import type { HostObjectWriter } from "./host.ts";
import { WrittenObjects } from "./identity.ts";
import {
  COST_OF_ENTRY,
  COST_OF_OBJECT,
  COST_OF_PROPERTY,
  DEFAULT_VALUE_LIMITS,
  FEW_PROPERTIES,
  HEAVY_OBJECT,
  type ValueLimits,
} from "./limits.ts";
import * as Tag from "./tags.ts";
import { writeBigInt } from "./write-bigint.ts";
import { writeForeignObject, writeOtherObject, writeProperties, writeSparseArray } from "./write-objects.ts";
import { writeStringValue, writeUtf8 } from "./write-strings.ts";

const hasOwn = Object.prototype.hasOwnProperty;
const plainPrototype = Object.prototype;
const getPrototypeOf: (object: object) => object | null = Object.getPrototypeOf;

/** Arrays up to this length are always written densely: their holes cost less than finding out. */
const ALWAYS_DENSE = 10;

/** What closes an error and the objects that it is in takes no more. */
const CLOSING_BYTES = 1024;

const NO_HOST: HostObjectWriter = { writeHostObject: () => false };
const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

/** Where a writer stood, to return to. */
export interface WriterMark {
  readonly position: number;
  readonly objects: number;
  readonly depth: number;
  readonly cost: number;
  readonly host: number;
}

/** One value being written. Handed to the host, which writes its objects with the methods up to `writeString`. */
export class ValueWriter {
  host: HostObjectWriter = NO_HOST;
  limits: ValueLimits = DEFAULT_VALUE_LIMITS;
  /** Ids of the objects written so far. */
  readonly objects: WrittenObjects = new WrittenObjects();
  /** The buffer; replaced when it grows. */
  bytes: Uint8Array = NO_BYTES;
  view: DataView = NO_VIEW;
  /** Where the next byte goes. */
  position = 0;
  /** Whether this is something thrown: what is over a limit in it is dropped. */
  isThrown = false;
  /** Whether going over the limit fails at once: what is being written is dropped then. */
  #isStrict = false;
  #out: SegmentWriter | undefined;
  #capacity = 0;
  #start = 0;
  #depth = 0;
  /** What was charged beyond one for each object, in parts of `COST_OF_OBJECT`. */
  #cost = 0;
  /** Bytes that were counted and not kept: the value is over the limit and only its size matters. */
  #skipped = 0;

  /** Writes the tag that opens a host object. */
  writeHostTag(tag: number): void {
    this.writeByte(Tag.HOST_OBJECT);
    this.writeVarint(tag);
  }

  /** Writes any value, nested in the one being written: it shares its identities and limits. */
  writeValue(value: unknown): void {
    switch (typeof value) {
      case "number":
        this.#writeNumber(value);
        return;
      case "string":
        writeStringValue(this, value);
        return;
      case "object":
        if (value === null) this.writeByte(Tag.NULL);
        else this.#writeObject(value);
        return;
      case "boolean":
        this.writeByte(value ? Tag.TRUE : Tag.FALSE);
        return;
      case "undefined":
        this.writeByte(Tag.UNDEFINED);
        return;
      case "function":
        this.#writeFunction(value);
        return;
      case "bigint":
        writeBigInt(this, Tag.BIGINT, value);
        return;
      default:
        throw notClonable(String(value));
    }
  }

  /** Writes an integer from 0 to 2^32 - 1. */
  writeVarint(value: number): void {
    this.ensure(5);
    const bytes = this.bytes;
    let at = this.position;
    let rest = value >>> 0;
    while (rest > 0x7f) {
      bytes[at++] = rest | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.position = at;
  }

  writeDouble(value: number): void {
    this.ensure(8);
    this.view.setFloat64(this.position, value, true);
    this.position += 8;
  }

  /** Writes the number of bytes, then the bytes. */
  writeBytes(bytes: Uint8Array): void {
    this.writeVarint(bytes.length);
    this.writeRaw(bytes);
  }

  /** Writes `text` as UTF-8 behind its length in bytes. Lone surrogates become U+FFFD: `writeValue` keeps them. */
  writeString(text: string): void {
    writeUtf8(this, text);
  }

  // What follows is for the codec's own files.

  /** Bytes of the value so far, its header included. */
  get size(): number {
    return this.position - this.#start + this.#skipped;
  }

  writeByte(byte: number): void {
    this.ensure(1);
    this.bytes[this.position++] = byte;
  }

  writeRaw(bytes: Uint8Array): void {
    if (!this.fits(bytes.length)) {
      this.skip(bytes.length);
      return;
    }
    this.ensure(bytes.length);
    this.bytes.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** Makes room for `count` bytes. */
  ensure(count: number): void {
    if (this.position + count > this.#capacity) this.#grow(count);
  }

  /** Whether `count` more bytes stay within the limit. Where not, `skip` them: memory stays bounded. */
  fits(count: number): boolean {
    return this.size + count <= this.limits.maxBytes;
  }

  /** Counts bytes without writing them. The write is bound to fail in `finish`, which tells the size. */
  skip(count: number): void {
    if (this.#isStrict) throw tooLarge(this.limits.maxBytes, this.size + count);
    this.#skipped += count;
  }

  /** Enters a container: throws past the depth limit. `ascend` leaves it. */
  descend(): void {
    if (++this.#depth > this.limits.maxDepth) throw tooDeep(this.limits.maxDepth);
  }

  ascend(): void {
    this.#depth--;
  }

  /** Counts an object that is neither a plain one nor a dense array: it costs its reader more. */
  chargeHeavy(): void {
    this.#cost += COST_OF_OBJECT * (HEAVY_OBJECT - 1);
  }

  /** Counts entries of a Map or Set. */
  chargeEntries(count: number): void {
    this.#cost += COST_OF_ENTRY * count;
  }

  /** Counts the properties of one object. */
  chargeProperties(count: number): void {
    if (count > FEW_PROPERTIES) this.#cost += COST_OF_PROPERTY * (count - FEW_PROPERTIES);
  }

  writeElements(elements: readonly unknown[]): void {
    this.objects.enter(elements);
    this.descend();
    this.#writeDense(elements, elements.length);
    this.#endDense(0, elements.length);
    this.ascend();
  }

  /** Writes the enumerable own properties with string keys, in their order. */
  writePlainObject(object: Record<string, unknown>): void {
    this.writeByte(Tag.OBJECT);
    let count = 0;
    // for-in costs half of Object.keys here, and skips what a getter deletes on the way.
    for (const key in object) {
      if (!hasOwn.call(object, key)) continue;
      const value = object[key];
      writeStringValue(this, key);
      this.writeValue(value);
      count++;
    }
    this.chargeProperties(count);
    this.writeByte(Tag.OBJECT_END);
    this.writeVarint(count);
  }

  begin(out: SegmentWriter, host: HostObjectWriter, limits: ValueLimits): void {
    this.#out = out;
    this.host = host;
    this.limits = limits;
    this.#start = out.length;
    this.position = out.length;
    this.#refresh(out);
    this.ensure(2);
    this.bytes[this.position] = Tag.VERSION;
    this.bytes[this.position + 1] = Tag.WRITTEN_VERSION;
    this.position += 2;
  }

  finish(): void {
    this.#checkLimits(0);
    if (this.#out !== undefined) this.#out.length = this.position;
  }

  /** Runs `write`, which is a part that may be dropped: in something thrown it throws as soon as a limit is passed. */
  withinLimits(write: () => void): void {
    if (!this.isThrown) {
      write();
      return;
    }
    const outer = this.#isStrict;
    this.#isStrict = true;
    try {
      write();
      this.#checkLimits(CLOSING_BYTES);
    } finally {
      this.#isStrict = outer;
    }
  }

  /** Throws where the value is over a limit. @param margin bytes that must be left. */
  #checkLimits(margin: number): void {
    const size = this.size;
    const { maxBytes, maxObjects } = this.limits;
    if (size + margin > maxBytes) throw tooLarge(maxBytes, size);
    if (COST_OF_OBJECT * this.objects.count + this.#cost > COST_OF_OBJECT * maxObjects) throw tooMany(maxObjects);
  }

  /** Lets go of everything that belongs to the value. */
  reset(): void {
    this.objects.clear();
    this.#out = undefined;
    this.host = NO_HOST;
    this.bytes = NO_BYTES;
    this.view = NO_VIEW;
    this.#capacity = 0;
    this.#depth = 0;
    this.#cost = 0;
    this.#skipped = 0;
  }

  /** Where the writer stands, for `rollback`. */
  mark(): WriterMark {
    return {
      position: this.position,
      objects: this.objects.count,
      depth: this.#depth,
      cost: this.#cost,
      host: this.host.checkpoint?.() ?? 0,
    };
  }

  /** Drops what was written since `mark`. A value that went over the limit meanwhile stays over it. */
  rollback(mark: WriterMark): void {
    if (this.#skipped === 0) this.position = mark.position;
    this.objects.rollback(mark.objects);
    this.#depth = mark.depth;
    this.#cost = mark.cost;
    this.host.rollback?.(mark.host);
  }

  #writeNumber(value: number): void {
    this.ensure(9);
    const at = this.position;
    if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
      const bytes = this.bytes;
      const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
      bytes[at] = Tag.INT32;
      if (zigzag < 0x80) {
        bytes[at + 1] = zigzag;
        this.position = at + 2;
      } else {
        this.position = at + 1;
        this.writeVarint(zigzag);
      }
    } else {
      this.bytes[at] = Tag.DOUBLE;
      this.view.setFloat64(at + 1, value, true);
      this.position = at + 9;
    }
  }

  #writeObject(object: object): void {
    const id = this.objects.enter(object);
    if (id >= 0) {
      this.writeByte(Tag.REFERENCE);
      this.writeVarint(id);
      return;
    }
    this.descend();
    if (this.host.isProxy?.(object) === true) writeForeignObject(this, object);
    else if (Array.isArray(object)) this.#writeArray(object);
    else if (getPrototypeOf(object) === plainPrototype) this.writePlainObject(object as Record<string, unknown>);
    else writeOtherObject(this, object);
    this.ascend();
  }

  #writeFunction(callable: object): void {
    const id = this.objects.enter(callable);
    if (id >= 0) {
      this.writeByte(Tag.REFERENCE);
      this.writeVarint(id);
      return;
    }
    this.descend();
    this.chargeHeavy();
    if (!this.host.writeHostObject(this, callable)) throw functionNotClonable(callable);
    this.ascend();
  }

  #writeArray(array: readonly unknown[]): void {
    const length = array.length;
    let present = -1;
    if (length > ALWAYS_DENSE) {
      // Object.values is the one cheap way to learn how many elements there are: it makes no string for each.
      present = Object.values(array).length;
      if (4 * present < length) {
        writeSparseArray(this, array);
        return;
      }
    }
    const holes = this.#writeDense(array, length);
    if (present < 0) present = Object.keys(array).length;
    const more = present === length - holes ? 0 : writeProperties(this, array);
    this.#endDense(more, length);
  }

  /** Writes tag, length and elements; returns the number of holes among them. */
  #writeDense(array: readonly unknown[], length: number): number {
    let holes = 0;
    this.#cost += length;
    this.writeByte(Tag.DENSE_ARRAY);
    this.writeVarint(length);
    for (let i = 0; i < length; i++) {
      const element = array[i];
      if (element === undefined && !hasOwn.call(array, i)) {
        this.writeByte(Tag.HOLE);
        holes++;
      } else {
        this.writeValue(element);
      }
    }
    return holes;
  }

  #endDense(properties: number, length: number): void {
    this.chargeProperties(properties);
    this.writeByte(Tag.DENSE_ARRAY_END);
    this.writeVarint(properties);
    this.writeVarint(length);
  }

  #refresh(out: SegmentWriter): void {
    this.bytes = out.bytes;
    this.view = out.view;
    this.#capacity = out.bytes.length;
  }

  #grow(count: number): void {
    const out = this.#out;
    if (out === undefined) throw new Error("The value that this ValueWriter wrote is finished.");
    if (this.size > this.limits.maxBytes) {
      if (this.#isStrict) throw tooLarge(this.limits.maxBytes, this.size);
      // Too large already: go on only to learn the size, over and over in the same memory.
      this.#skipped += this.position - this.#start;
      this.position = this.#start;
      if (this.position + count <= this.#capacity) return;
    }
    const length = out.length;
    out.length = this.position;
    out.ensure(count);
    out.length = length;
    this.#refresh(out);
  }
}
