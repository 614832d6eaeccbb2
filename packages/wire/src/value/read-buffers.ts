// Bytes to ArrayBuffers, always copied, and to views of them.
import type { ValueReader } from "./read.ts";
import * as Tag from "./tags.ts";
import { VIEWS_BY_CODE } from "./views.ts";

/** What newer type libraries know of ArrayBuffer. */
interface ResizableArrayBuffer extends ArrayBuffer {
  readonly resizable?: boolean;
}
type ResizableArrayBufferConstructor = new (length: number, options: { maxByteLength: number }) => ArrayBuffer;

/** Reads lengths and bytes behind a buffer's tag. */
export function readArrayBuffer(input: ValueReader, tag: number): ArrayBuffer {
  const id = input.reserve();
  const byteLength = input.readVarint();
  if (tag === Tag.ARRAY_BUFFER) return input.register(id, input.copy(byteLength).buffer);
  const maxByteLength = input.readVarint();
  if (maxByteLength < byteLength) throw input.failure("a buffer larger than its maximum");
  input.growth -= maxByteLength;
  if (input.growth < 0) throw input.failure(`buffers that may grow past ${input.limits.maxBytes} bytes`);
  const content = input.copy(byteLength);
  const buffer = new (ArrayBuffer as unknown as ResizableArrayBufferConstructor)(byteLength, { maxByteLength });
  new Uint8Array(buffer).set(content);
  return input.register(id, buffer);
}

/** Reads a view of `buffer` behind its tag. */
export function readView(input: ValueReader, buffer: ResizableArrayBuffer): ArrayBufferView {
  const id = input.reserve();
  const code = input.readByte();
  const byteOffset = input.readVarint();
  const byteLength = input.readVarint();
  const flags = input.version >= Tag.VIEW_FLAGS_VERSION ? input.readVarint() : 0;
  const View = VIEWS_BY_CODE.get(code);
  if (View === undefined) throw input.failure(`a view of the unknown kind 0x${code.toString(16)}`);
  const resizable = buffer.resizable === true;
  if (flags >>> 2 !== 0 || ((flags & Tag.VIEW_OF_RESIZABLE) !== 0) !== resizable) {
    throw input.failure("flags that do not fit the buffer of a view");
  }
  const tracks = (flags & Tag.VIEW_TRACKS_LENGTH) !== 0;
  if (tracks && !resizable) throw input.failure("a view that follows a buffer of fixed length");
  const step = View.BYTES_PER_ELEMENT ?? 1;
  if (byteOffset > buffer.byteLength || byteLength > buffer.byteLength - byteOffset) {
    throw input.failure("a view outside of its buffer");
  }
  if (byteOffset % step !== 0 || byteLength % step !== 0) throw input.failure("a misaligned view");
  return input.register(id, tracks ? new View(buffer, byteOffset) : new View(buffer, byteOffset, byteLength / step));
}
