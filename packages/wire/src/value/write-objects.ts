// Objects as values, all but plain objects and arrays: the kinds that structured clone knows, then the host's.
import { cloneError, objectNotClonable } from "./clone-error.ts";
import * as Tag from "./tags.ts";
import type { ValueWriter } from "./value-writer.ts";
import { writeBigInt } from "./write-bigint.ts";
import { writeArrayBuffer, writeView } from "./write-buffers.ts";
import { isNativeError, writeDomException, writeError } from "./write-errors.ts";
import { writeStringValue } from "./write-strings.ts";

/** Writes an object of its kind and returns true, or returns false if it only looks like one (a Proxy, say). */
type Write = (out: ValueWriter, object: object) => boolean;

const hasOwn = Object.prototype.hasOwnProperty;
const mapForEach = Map.prototype.forEach;
const setForEach = Set.prototype.forEach;

const writers: { readonly [kind: string]: Write } = {
  Map: branded(getter(Map.prototype, "size"), writeMap),
  Set: branded(getter(Set.prototype, "size"), writeSet),
  Date: branded(Date.prototype.getTime, (out, time) => {
    out.writeByte(Tag.DATE);
    out.writeDouble(time as number);
  }),
  RegExp: branded(getter(RegExp.prototype, "source"), writeRegExp),
  ArrayBuffer: branded(getter(ArrayBuffer.prototype, "byteLength"), (out, _, object) =>
    writeArrayBuffer(out, object as ArrayBuffer),
  ),
  Boolean: branded(Boolean.prototype.valueOf, (out, value) =>
    out.writeByte(value === true ? Tag.BOXED_TRUE : Tag.BOXED_FALSE),
  ),
  Number: branded(Number.prototype.valueOf, (out, value) => {
    out.writeByte(Tag.BOXED_NUMBER);
    out.writeDouble(value as number);
  }),
  BigInt: branded(BigInt.prototype.valueOf, (out, value) => writeBigInt(out, Tag.BOXED_BIGINT, value as bigint)),
  String: branded(String.prototype.valueOf, (out, value) => {
    out.writeByte(Tag.BOXED_STRING);
    writeStringValue(out, value as string);
  }),
  Error: (out, object) => {
    if (!isNativeError(object)) return false;
    writeError(out, object);
    return true;
  },
  DOMException: branded(getter(DOMException.prototype, "name"), (out, _, object) =>
    writeDomException(out, object as DOMException),
  ),
};

/** The same by prototype. A subclass's instance is written as its base. */
const writersByPrototype = new Map<object, Write>(
  [Map, Set, Date, RegExp, ArrayBuffer, Boolean, Number, BigInt, String, Error, DOMException].flatMap((base) => {
    const write = writers[base.name];
    return write === undefined ? [] : [[base.prototype as object, write]];
  }),
);

/** Writes an object that is neither an array nor a plain object of this realm. */
export function writeOtherObject(out: ValueWriter, object: object): void {
  out.chargeHeavy();
  if (ArrayBuffer.isView(object)) {
    writeView(out, object);
    return;
  }
  let proto = Object.getPrototypeOf(object) as object | null;
  for (; proto !== null; proto = Object.getPrototypeOf(proto) as object | null) {
    const write = writersByPrototype.get(proto);
    if (write?.(out, object) === true) return;
  }
  // The host comes before everything that reads a property: it may be a stub.
  if (out.host.writeHostObject(out, object)) return;
  if (writeOfOtherRealm(out, object)) return;
  throw objectNotClonable(object, false);
}

/** Writes what only the host may know: a Proxy. */
export function writeForeignObject(out: ValueWriter, object: object): void {
  out.chargeHeavy();
  if (!out.host.writeHostObject(out, object)) throw objectNotClonable(object, true);
}

/** Writes length and properties of an array with few elements for its length. */
export function writeSparseArray(out: ValueWriter, array: readonly unknown[]): void {
  const length = array.length;
  out.chargeHeavy();
  out.writeByte(Tag.SPARSE_ARRAY);
  out.writeVarint(length);
  let count = 0;
  for (const key of Object.keys(array)) {
    const index = arrayIndex(key);
    // A getter may have made the array longer: the length is written already.
    if (index < length || index < 0) count += writeProperty(out, array, key, index < 0 ? key : index);
  }
  out.chargeProperties(count);
  out.writeByte(Tag.SPARSE_ARRAY_END);
  out.writeVarint(count);
  out.writeVarint(length);
}

/** Writes what an array has besides its elements; returns how many properties these are. */
export function writeProperties(out: ValueWriter, array: readonly unknown[]): number {
  let count = 0;
  for (const key of Object.keys(array)) if (arrayIndex(key) < 0) count += writeProperty(out, array, key, key);
  return count;
}

function writeProperty(out: ValueWriter, array: readonly unknown[], key: string, written: string | number): number {
  const value = (array as unknown as Record<string, unknown>)[key];
  if (value === undefined && !hasOwn.call(array, key)) return 0;
  out.writeValue(written);
  out.writeValue(value);
  return 1;
}

/** The array index that `key` spells, or -1. */
function arrayIndex(key: string): number {
  const index = Number(key) >>> 0;
  return String(index) === key && index !== 0xffff_ffff ? index : -1;
}

function writeMap(out: ValueWriter, _: unknown, object: object): void {
  // A copy, since getters of what is in it may change the map.
  const flat: unknown[] = [];
  mapForEach.call(object, (value, key) => flat.push(key, value));
  out.writeByte(Tag.MAP);
  out.chargeEntries(flat.length / 2);
  for (const item of flat) out.writeValue(item);
  out.writeByte(Tag.MAP_END);
  out.writeVarint(flat.length);
}

function writeSet(out: ValueWriter, _: unknown, object: object): void {
  const items: unknown[] = [];
  setForEach.call(object, (item) => items.push(item));
  out.writeByte(Tag.SET);
  out.chargeEntries(items.length);
  for (const item of items) out.writeValue(item);
  out.writeByte(Tag.SET_END);
  out.writeVarint(items.length);
}

function writeRegExp(out: ValueWriter, source: unknown, object: object): void {
  const text = String(source);
  if (text.length > out.limits.maxRegExpLength) {
    throw cloneError(`A RegExp of more than ${out.limits.maxRegExpLength} characters could not be cloned.`);
  }
  let bits = 0;
  for (const flag of (object as RegExp).flags) bits |= 1 << Tag.REGEXP_FLAGS.indexOf(flag);
  out.writeByte(Tag.REGEXP);
  writeStringValue(out, text);
  out.writeVarint(bits);
}

/** Writes a value of another realm (an iframe, node:vm), whose prototypes are not ours. */
function writeOfOtherRealm(out: ValueWriter, object: object): boolean {
  const proto = Object.getPrototypeOf(object) as object | null;
  if (proto === null) return false;
  const kind = Object.prototype.toString.call(object).slice(8, -1);
  if (kind === "Object" && Object.getPrototypeOf(proto) === null && hasOwn.call(proto, "isPrototypeOf")) {
    out.writePlainObject(object as Record<string, unknown>);
    return true;
  }
  return hasOwn.call(writers, kind) && writers[kind]?.(out, object) === true;
}

/** `write` behind a check that `read`, a method of the class, accepts the object: it throws for any other. */
function branded(
  read: (this: never) => unknown,
  write: (out: ValueWriter, content: unknown, object: object) => void,
): Write {
  return (out, object) => {
    let content: unknown;
    try {
      content = Reflect.apply(read, object, []);
    } catch {
      return false;
    }
    write(out, content, object);
    return true;
  };
}

function getter(prototype: object, name: string): (this: never) => unknown {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  if (get === undefined) throw new Error(`This runtime has no getter "${name}".`);
  return get;
}
