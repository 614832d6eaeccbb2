// hot path (bench: npm run bench). Bytes to JavaScript values: V8's serialization format, versions 13 to 15.
import { DecodeError } from "../errors.ts";
import type { HostObjectReader } from "./host.ts";
import {
  COST_OF_OBJECT,
  COST_OF_PROPERTY,
  DEFAULT_VALUE_LIMITS,
  FEW_PROPERTIES,
  HEAVY_OBJECT,
  type ValueLimits,
} from "./limits.ts";
import { readBigInt } from "./read-bigint.ts";
import { readOtherValue } from "./read-objects.ts";
import { readKey, readLatin1, readUtf8, readUtf16 } from "./read-strings.ts";
import * as Tag from "./tags.ts";

const NO_HOST: HostObjectReader = {
  readHostObject: () => {
    throw new DecodeError("value: no host objects here");
  },
};
const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

/** Arrays up to this length get their room at once; longer ones may lie, and grow as their elements come. */
const MAX_ROOM = 1024;
/** Object tables up to this length are kept for the next value. */
const MAX_KEPT = 64;

/** The reader that is not in use: a host that reads another value meanwhile finds none, and makes one. */
let spare: ValueReader | undefined;

/**
 * Reads the value in `bytes[start..end)`; `view` views the same memory from the same offset. What is returned shares
 * no memory with `bytes`.
 *
 * Throws DecodeError for everything that is not one whole value within the limits, and what `host` throws.
 */
export function readValue(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  host: HostObjectReader,
  limits: ValueLimits,
): unknown {
  const reader = spare ?? new ValueReader();
  spare = undefined;
  try {
    reader.begin(bytes, view, start, end, host, limits);
    const value = reader.readValue();
    reader.finish();
    return value;
  } catch (error) {
    // Stack, string length, Map size, array buffer allocation: an engine's own bounds, met before ours.
    if (error instanceof RangeError) throw new DecodeError(`value: ${error.message}`, { cause: error });
    throw error;
  } finally {
    reader.reset();
    spare = reader;
  }
}

/** One value being read. Handed to the host, which reads its objects with the methods up to `readString`. */
export class ValueReader {
  host: HostObjectReader = NO_HOST;
  limits: ValueLimits = DEFAULT_VALUE_LIMITS;
  bytes: Uint8Array = NO_BYTES;
  view: DataView = NO_VIEW;
  /** Where the next byte is. */
  position = 0;
  version: number = Tag.WRITTEN_VERSION;
  /** Bytes that resizable buffers of this value may still reserve. */
  growth = 0;
  #start = 0;
  #end = 0;
  #depth = 0;
  #budget = 0;
  /** Objects by id; undefined while an object is not made yet. */
  #objects: unknown[] = [];
  #count = 0;

  /** Reads any value nested in the one being read. */
  readValue(): unknown {
    const tag = this.readTag();
    switch (tag) {
      case Tag.INT32:
        return this.#readInt32();
      case Tag.LATIN1:
        return this.#readLatin1();
      case Tag.OBJECT:
        return this.#readObject();
      case Tag.DENSE_ARRAY:
        return this.#readDenseArray();
      case Tag.TRUE:
        return true;
      case Tag.FALSE:
        return false;
      case Tag.NULL:
        return null;
      case Tag.UNDEFINED:
        return undefined;
      case Tag.DOUBLE:
        return this.readDouble();
      case Tag.UTF16:
      case Tag.UTF8:
        return this.#readWideString(tag);
      case Tag.BIGINT:
        return readBigInt(this);
      case Tag.UINT32:
        return this.readVarint();
      default:
        return readOtherValue(this, tag);
    }
  }

  /** Reads an integer from 0 to 2^32 - 1. */
  readVarint(): number {
    let byte = this.readByte();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      byte = this.readByte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break;
        return value >>> 0;
      }
    }
    throw this.failure("a number over 32 bits");
  }

  readDouble(): number {
    const at = this.need(8);
    return this.view.getFloat64(at, true);
  }

  /** Reads what `writeBytes` wrote, as a copy. */
  readBytes(): Uint8Array<ArrayBuffer> {
    return this.copy(this.readVarint());
  }

  /** Reads what `writeString` wrote. */
  readString(): string {
    const length = this.readVarint();
    return readUtf8(this.bytes, this.need(length), length);
  }

  // What follows is for the codec's own files.

  readByte(): number {
    const at = this.position;
    if (at >= this.#end) throw this.failure("the end of the bytes within a value");
    this.position = at + 1;
    return this.bytes[at] as number;
  }

  /** The next tag, behind paddings and counts, which mean nothing. */
  readTag(): number {
    for (;;) {
      const tag = this.readByte();
      if (tag === Tag.PADDING) continue;
      if (tag !== Tag.OBJECT_COUNT) return tag;
      this.readVarint();
    }
  }

  /** The next tag without taking it, or -1 at the end. */
  peekTag(): number {
    while (this.position < this.#end && this.bytes[this.position] === Tag.PADDING) this.position++;
    return this.position < this.#end ? (this.bytes[this.position] as number) : -1;
  }

  /** Reads a value that must be a string. */
  readStringValue(): string {
    const tag = this.readTag();
    if (tag === Tag.LATIN1) return this.#readLatin1();
    if (tag === Tag.UTF16 || tag === Tag.UTF8) return this.#readWideString(tag);
    throw this.failure("no string where one must be");
  }

  /** Takes `count` bytes that must be there; returns where they start. */
  need(count: number): number {
    const at = this.position;
    if (count > this.#end - at) throw this.failure(`${count} bytes where ${this.#end - at} are left`);
    this.position = at + count;
    return at;
  }

  /** Takes `count` bytes into memory of their own. */
  copy(count: number): Uint8Array<ArrayBuffer> {
    const at = this.need(count);
    return new Uint8Array(this.bytes.subarray(at, at + count));
  }

  /** Takes the next id for an object that is made only after its content is read. `weight` is its cost. */
  reserve(weight: number = HEAVY_OBJECT): number {
    this.charge(COST_OF_OBJECT * weight);
    const id = this.#count++;
    this.#objects[id] = undefined;
    return id;
  }

  /** Counts what costs time and memory beyond its bytes. */
  charge(cost: number): void {
    this.#budget -= cost;
    if (this.#budget < 0) throw this.failure(`more than ${this.limits.maxObjects} objects, or what costs as much`);
  }

  /** Makes `object` known under a reserved id. */
  register<T extends object>(id: number, object: T): T {
    this.#objects[id] = object;
    return object;
  }

  /** The object of an id, which may be one whose content is still being read. */
  referred(id: number): object {
    const object = id < this.#count ? this.#objects[id] : undefined;
    if (object === undefined) throw this.failure(`a reference to object ${id}, which is not there yet`);
    return object as object;
  }

  /** Enters a container: throws past the depth limit. `ascend` leaves it. */
  descend(): void {
    if (++this.#depth > this.limits.maxDepth) throw this.failure(`nesting over ${this.limits.maxDepth}`);
  }

  ascend(): void {
    this.#depth--;
  }

  failure(what: string): DecodeError {
    return new DecodeError(`value: ${what} (at byte ${this.position - this.#start})`);
  }

  /** Reads properties into `target` up to the tag `end` and its count; returns the count. */
  readProperties(target: object, end: number): number {
    const properties = target as Record<string | number, unknown>;
    let count = 0;
    for (;;) {
      const tag = this.readTag();
      let key: string | number;
      if (tag === Tag.LATIN1) {
        const length = this.readVarint();
        key = readKey(this.bytes, this.need(length), length);
      } else if (tag === end) {
        break;
      } else {
        key = this.#readOtherKey(tag);
      }
      const value = this.readValue();
      if (key === "__proto__") defineOwn(properties, key, value);
      else properties[key] = value;
      if (++count > FEW_PROPERTIES) this.charge(COST_OF_PROPERTY);
    }
    if (this.readVarint() !== count) throw this.failure("a wrong count of properties");
    return count;
  }

  begin(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    host: HostObjectReader,
    limits: ValueLimits,
  ): void {
    this.bytes = bytes;
    this.view = view;
    this.position = start;
    this.#start = start;
    this.#end = end;
    this.host = host;
    this.limits = limits;
    this.#budget = COST_OF_OBJECT * limits.maxObjects;
    this.growth = limits.maxBytes;
    if (end - start > limits.maxBytes) throw this.failure(`${end - start} bytes, more than ${limits.maxBytes}`);
    if (this.readByte() !== Tag.VERSION) throw this.failure("no version");
    this.version = this.readVarint();
    if (this.version < Tag.OLDEST_VERSION || this.version > Tag.WRITTEN_VERSION) {
      throw this.failure(`version ${this.version}`);
    }
  }

  finish(): void {
    if (this.position !== this.#end) throw this.failure("bytes behind the value");
  }

  /** Lets go of everything that belongs to the value. */
  reset(): void {
    const objects = this.#objects;
    if (this.#count > MAX_KEPT) this.#objects = [];
    else for (let id = 0; id < this.#count; id++) objects[id] = undefined;
    this.#count = 0;
    this.#depth = 0;
    this.#end = 0;
    this.position = 0;
    this.bytes = NO_BYTES;
    this.view = NO_VIEW;
    this.host = NO_HOST;
  }

  #readInt32(): number {
    const zigzag = this.readVarint();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  #readLatin1(): string {
    const length = this.readVarint();
    return readLatin1(this.bytes, this.need(length), length);
  }

  #readWideString(tag: number): string {
    const length = this.readVarint();
    const at = this.need(length);
    if (tag === Tag.UTF8) return readUtf8(this.bytes, at, length);
    if ((length & 1) !== 0) throw this.failure("half a UTF-16 unit");
    return readUtf16(this.bytes, at, length);
  }

  #readOtherKey(tag: number): string | number {
    switch (tag) {
      case Tag.UTF16:
      case Tag.UTF8:
        return this.#readWideString(tag);
      case Tag.INT32:
        return this.#readInt32();
      case Tag.UINT32:
        return this.readVarint();
      case Tag.DOUBLE:
        return this.readDouble();
      default:
        throw this.failure(`no property name but tag 0x${tag.toString(16)}`);
    }
  }

  #readObject(): object {
    this.descend();
    const object = this.register(this.reserve(1), {});
    this.readProperties(object, Tag.OBJECT_END);
    this.#depth--;
    return object;
  }

  #readDenseArray(): unknown[] {
    const length = this.readVarint();
    if (length > this.#end - this.position) throw this.failure(`an array of ${length} elements in fewer bytes`);
    this.charge(length);
    this.descend();
    const array = this.register(this.reserve(1), length <= MAX_ROOM ? new Array<unknown>(length) : []);
    for (let i = 0; i < length; i++) {
      if (this.bytes[this.position] === Tag.HOLE) this.need(1);
      else array[i] = this.readValue();
    }
    if (array.length < length) array.length = length;
    this.readArrayEnd(array, Tag.DENSE_ARRAY_END, length);
    this.#depth--;
    return array;
  }

  /** Reads what an array has besides its elements, up to the tag `end` with count and length. */
  readArrayEnd(array: unknown[], end: number, length: number): void {
    if (this.peekTag() === end) {
      this.position++;
      if (this.readVarint() !== 0) throw this.failure("a wrong count of properties");
    } else {
      this.readProperties(array, end);
    }
    if (this.readVarint() !== length || array.length !== length) throw this.failure("a wrong array length");
  }
}

function defineOwn(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
