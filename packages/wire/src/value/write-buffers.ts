// ArrayBuffers and their views as values.
import { cloneError, detachedBuffer, notClonable } from "./clone-error.ts";
import * as Tag from "./tags.ts";
import type { ValueWriter } from "./value-writer.ts";
import { VIEW_CODES } from "./views.ts";

/** What newer runtimes have, and this project's oldest type library has not. */
interface NewerArrayBuffer {
  readonly detached?: boolean;
  readonly resizable?: boolean;
  readonly maxByteLength?: number;
}

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
const typedArrayName = viewGetter(typedArrayPrototype, Symbol.toStringTag);
const ofTypedArray = viewFields(typedArrayPrototype);
const ofDataView = viewFields(DataView.prototype);

/** Prototypes of the views that are not subclasses. */
const NATIVE_VIEWS = new Set<unknown>(
  Object.keys(VIEW_CODES).map(
    (name) => (globalThis as unknown as Record<string, { prototype?: object }>)[name]?.prototype,
  ),
);

/** Writes the tag, length and bytes of `buffer`. */
export function writeArrayBuffer(out: ValueWriter, buffer: ArrayBuffer): void {
  if (isDetached(buffer)) throw detachedBuffer();
  const { resizable, maxByteLength = 0 } = buffer as NewerArrayBuffer;
  if (resizable === true) {
    if (maxByteLength > out.limits.maxBytes) {
      throw cloneError(`An ArrayBuffer that can grow past ${out.limits.maxBytes} bytes could not be cloned.`);
    }
    out.writeByte(Tag.RESIZABLE_ARRAY_BUFFER);
    out.writeVarint(buffer.byteLength);
    out.writeVarint(maxByteLength);
  } else {
    out.writeByte(Tag.ARRAY_BUFFER);
    out.writeVarint(buffer.byteLength);
  }
  out.writeRaw(new Uint8Array(buffer));
}

/** Writes a view, and its buffer in front of it if that was not written yet. Its own id comes after its buffer's. */
export function writeView(out: ValueWriter, view: ArrayBufferView): void {
  out.objects.leave(view);
  const name = typedArrayName.call(view) as string | undefined;
  const fields = name === undefined ? ofDataView : ofTypedArray;
  const buffer = fields.buffer.call(view) as ArrayBuffer;
  let byteOffset: number;
  let byteLength: number;
  try {
    byteOffset = fields.byteOffset.call(view) as number;
    byteLength = fields.byteLength.call(view) as number;
    if (byteLength === 0 && (buffer as NewerArrayBuffer).resizable === true) assertInBounds(view, name);
  } catch {
    if (isDetached(buffer)) throw detachedBuffer();
    throw notClonable(`#<${name ?? "DataView"}>`);
  }
  const code = VIEW_CODES[name ?? "DataView"];
  if (code === undefined) throw notClonable(`#<${name}>`);
  let resizable = false;
  if (byteLength !== buffer.byteLength && isSliceOfPool(view, buffer)) {
    out.objects.skip();
    out.chargeHeavy();
    out.writeByte(Tag.ARRAY_BUFFER);
    out.writeBytes(new Uint8Array(buffer, byteOffset, byteLength));
    byteOffset = 0;
  } else {
    out.writeValue(buffer);
    resizable = (buffer as NewerArrayBuffer).resizable === true;
  }
  out.objects.enter(view);
  out.writeByte(Tag.VIEW);
  out.writeByte(code);
  out.writeVarint(byteOffset);
  out.writeVarint(byteLength);
  out.writeVarint(resizable ? Tag.VIEW_OF_RESIZABLE : 0);
}

/**
 * Whether the rest of `buffer` is none of the view's business. Node's Buffers are slices of pools that hold other
 * data of the process, and so is a Uint8Array made from a Buffer's fields: the rest must not go to the peer.
 */
function isSliceOfPool(view: ArrayBufferView, buffer: ArrayBuffer): boolean {
  if (!NATIVE_VIEWS.has(Object.getPrototypeOf(view))) return true;
  const node = (globalThis as { Buffer?: { poolSize?: number } }).Buffer;
  return node !== undefined && buffer.byteLength === node.poolSize;
}

function isDetached(buffer: ArrayBuffer): boolean {
  const { detached } = buffer as NewerArrayBuffer;
  if (detached !== undefined) return detached;
  if (buffer.byteLength !== 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/** Throws for a view whose resizable buffer has shrunk below its end. */
function assertInBounds(view: ArrayBufferView, name: string | undefined): void {
  // Every method of a typed array refuses one that is out of bounds; the cheapest looks for nothing in nothing.
  if (name !== undefined) Uint8Array.prototype.keys.call(view as Uint8Array);
}

function viewFields(prototype: object) {
  return {
    buffer: viewGetter(prototype, "buffer"),
    byteOffset: viewGetter(prototype, "byteOffset"),
    byteLength: viewGetter(prototype, "byteLength"),
  };
}

function viewGetter(prototype: object, key: string | symbol): (this: unknown) => unknown {
  const get = Object.getOwnPropertyDescriptor(prototype, key)?.get;
  if (get === undefined) throw new Error(`This runtime has no getter "${String(key)}" for views.`);
  return get;
}
