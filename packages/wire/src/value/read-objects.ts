// Bytes to the rarer kinds of object, and to host objects.

import { COST_OF_ENTRY } from "./limits.ts";
import type { ValueReader } from "./read.ts";
import { readBigInt } from "./read-bigint.ts";
import { readArrayBuffer, readView } from "./read-buffers.ts";
import { readDomException, readNativeError, readV8Error } from "./read-errors.ts";
import * as Tag from "./tags.ts";

/** Reads the value behind any tag but those of primitives, plain objects and dense arrays. */
export function readOtherValue(input: ValueReader, tag: number): unknown {
  switch (tag) {
    case Tag.REFERENCE: {
      const object = input.referred(input.readVarint());
      return object instanceof ArrayBuffer ? withView(input, object) : object;
    }
    case Tag.HOST_OBJECT:
      return nested(input, readHostObject);
    case Tag.MAP:
      return nested(input, readMap);
    case Tag.SET:
      return nested(input, readSet);
    case Tag.SPARSE_ARRAY:
      return nested(input, readSparseArray);
    case Tag.ERROR:
      return nested(input, readV8Error);
    case Tag.ARRAY_BUFFER:
    case Tag.RESIZABLE_ARRAY_BUFFER:
      return withView(input, readArrayBuffer(input, tag));
    case Tag.DATE:
      return input.register(input.reserve(), new Date(input.readDouble()));
    case Tag.REGEXP:
      return readRegExp(input);
    case Tag.BOXED_TRUE:
    case Tag.BOXED_FALSE:
      return input.register(input.reserve(), Object(tag === Tag.BOXED_TRUE) as object);
    case Tag.BOXED_NUMBER:
      return input.register(input.reserve(), Object(input.readDouble()) as object);
    case Tag.BOXED_BIGINT:
      return input.register(input.reserve(), Object(readBigInt(input)) as object);
    case Tag.BOXED_STRING:
      return input.register(input.reserve(), Object(input.readStringValue()) as object);
    default:
      throw input.failure(`the unknown tag 0x${tag.toString(16)}`);
  }
}

function nested<T>(input: ValueReader, read: (input: ValueReader) => T): T {
  input.descend();
  const value = read(input);
  input.ascend();
  return value;
}

/** A view stands behind its buffer, or behind a reference to it, and is the value instead. */
function withView(input: ValueReader, buffer: ArrayBuffer): object {
  if (input.peekTag() !== Tag.VIEW) return buffer;
  input.position++;
  return readView(input, buffer);
}

function readHostObject(input: ValueReader): object {
  const id = input.reserve();
  const tag = input.readVarint();
  switch (tag) {
    case Tag.HostTag.nativeError:
      return readNativeError(input, id);
    case Tag.HostTag.domException:
    case Tag.HostTag.fullDomException:
      return readDomException(input, id, tag === Tag.HostTag.fullDomException);
    default: {
      const object: unknown = input.host.readHostObject(input, tag);
      if ((typeof object !== "object" && typeof object !== "function") || object === null) {
        throw input.failure(`no object under the host tag ${tag}`);
      }
      return input.register(id, object);
    }
  }
}

function readMap(input: ValueReader): Map<unknown, unknown> {
  const map = input.register(input.reserve(), new Map<unknown, unknown>());
  let count = 0;
  while (input.peekTag() !== Tag.MAP_END) {
    input.charge(COST_OF_ENTRY);
    const key = input.readValue();
    map.set(key, input.readValue());
    count += 2;
  }
  input.position++;
  if (input.readVarint() !== count) throw input.failure("a wrong count of a Map");
  return map;
}

function readSet(input: ValueReader): Set<unknown> {
  const set = input.register(input.reserve(), new Set<unknown>());
  let count = 0;
  while (input.peekTag() !== Tag.SET_END) {
    input.charge(COST_OF_ENTRY);
    set.add(input.readValue());
    count++;
  }
  input.position++;
  if (input.readVarint() !== count) throw input.failure("a wrong count of a Set");
  return set;
}

function readSparseArray(input: ValueReader): unknown[] {
  const length = input.readVarint();
  const array: unknown[] = input.register(input.reserve(), []);
  // A length past all that engines lay out as one block makes them use a dictionary, so the real one costs no memory.
  array.length = 0xffff_ffff;
  array.length = length;
  input.readArrayEnd(array, Tag.SPARSE_ARRAY_END, length);
  return array;
}

function readRegExp(input: ValueReader): RegExp {
  const id = input.reserve();
  const source = input.readStringValue();
  if (source.length > input.limits.maxRegExpLength) throw input.failure(`a RegExp of ${source.length} characters`);
  const bits = input.readVarint();
  let flags = "";
  for (let bit = 0; bit < Tag.REGEXP_FLAGS.length; bit++) if ((bits & (1 << bit)) !== 0) flags += Tag.REGEXP_FLAGS[bit];
  if (bits >>> Tag.REGEXP_FLAGS.length !== 0) throw input.failure("unknown flags of a RegExp");
  try {
    return input.register(id, new RegExp(source, flags));
  } catch {
    throw input.failure("a RegExp that is none");
  }
}
