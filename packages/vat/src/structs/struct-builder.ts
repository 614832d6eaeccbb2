// Writes a struct of params or results by offsets, as generated layouts give them.
import {
  ElementSize,
  type SegmentWriter,
  setCapabilityPointer,
  setListPointer,
  setStructPointer,
  writeText,
} from "@capstan/wire";
import type { Capability } from "../capabilities/capability.ts";
import type { PayloadBuilder, PayloadEncoder } from "../payload.ts";
import { NUMBER_BYTES, type NumberOf, type NumberType } from "./struct-view.ts";

/** What a struct takes: words of data, and pointers. */
export interface StructSize {
  readonly dataWords: number;
  readonly pointers: number;
}

/** The element size of a list of numbers by the bytes of one. */
const ELEMENT_SIZE = {
  1: ElementSize.byte,
  2: ElementSize.twoBytes,
  4: ElementSize.fourBytes,
  8: ElementSize.eightBytes,
} as const;

/**
 * A struct that is being written, zeroed at first. Offsets are in bytes, those of bits in bits; pointers are counted from
 * 0. Each pointer is set once: what it led to before would stay in the message. Throws RangeError for places that the
 * struct does not have.
 */
export class StructBuilder {
  readonly #out: PayloadBuilder;
  readonly #data: number;
  readonly #size: StructSize;

  private constructor(out: PayloadBuilder, data: number, size: StructSize) {
    this.#out = out;
    this.#data = data;
    this.#size = size;
  }

  /** Appends a struct and points the pointer at `at` to it. */
  static init(out: PayloadBuilder, at: number, size: StructSize): StructBuilder {
    const data = allocate(out.writer, 8 * (size.dataWords + size.pointers));
    setStructPointer(out.writer.view, at, data, size.dataWords, size.pointers);
    return new StructBuilder(out, data, size);
  }

  setBool(bit: number, value: boolean): void {
    const at = this.#field(bit >>> 3, 1);
    const { view } = this.#out.writer;
    const mask = 1 << (bit & 7);
    view.setUint8(at, value ? view.getUint8(at) | mask : view.getUint8(at) & ~mask);
  }

  /** A number of any type; bigints for those of 64 bits. */
  setNumber<Type extends NumberType>(type: Type, offset: number, value: NumberOf<Type>): void {
    writeNumber(this.#out.writer.view, type, this.#field(offset, NUMBER_BYTES[type]), value);
  }

  setText(pointer: number, text: string): void {
    writeText(this.#out.writer, this.#pointer(pointer), text);
  }

  setData(pointer: number, bytes: Uint8Array): void {
    const { writer } = this.#out;
    const at = allocate(writer, bytes.length);
    writer.bytes.set(bytes, at);
    setListPointer(writer.view, this.#pointer(pointer), at, ElementSize.byte, bytes.length);
  }

  /** Borrows `cap`: the message takes a reference of its own. */
  setCapability(pointer: number, cap: Capability): void {
    setCapabilityPointer(this.#out.writer.view, this.#pointer(pointer), this.#out.addCapability(cap));
  }

  initStruct(pointer: number, size: StructSize): StructBuilder {
    return StructBuilder.init(this.#out, this.#pointer(pointer), size);
  }

  initStructs(pointer: number, count: number, size: StructSize): StructBuilder[] {
    const { writer } = this.#out;
    const bytes = 8 * (size.dataWords + size.pointers);
    const tag = allocate(writer, 8 + count * bytes);
    writer.view.setUint32(tag, count << 2, true);
    writer.view.setUint32(tag + 4, size.dataWords | (size.pointers << 16), true);
    setListPointer(writer.view, this.#pointer(pointer), tag, ElementSize.composite, (count * bytes) / 8);
    return Array.from({ length: count }, (_, i) => new StructBuilder(this.#out, tag + 8 + i * bytes, size));
  }

  setTexts(pointer: number, texts: readonly string[]): void {
    const at = this.#initPointers(pointer, texts.length);
    texts.forEach((text, i) => {
      writeText(this.#out.writer, at + 8 * i, text);
    });
  }

  /** Borrows them, like `setCapability`. Undefined is a null pointer. */
  setCapabilities(pointer: number, caps: readonly (Capability | undefined)[]): void {
    const at = this.#initPointers(pointer, caps.length);
    caps.forEach((cap, i) => {
      if (cap === undefined) return;
      setCapabilityPointer(this.#out.writer.view, at + 8 * i, this.#out.addCapability(cap));
    });
  }

  setNumbers<Type extends NumberType>(pointer: number, type: Type, values: readonly NumberOf<Type>[]): void {
    const { writer } = this.#out;
    const bytes = NUMBER_BYTES[type];
    const at = allocate(writer, bytes * values.length);
    values.forEach((value, i) => {
      writeNumber(writer.view, type, at + bytes * i, value);
    });
    setListPointer(writer.view, this.#pointer(pointer), at, ELEMENT_SIZE[bytes], values.length);
  }

  setBools(pointer: number, values: readonly boolean[]): void {
    const { writer } = this.#out;
    const at = allocate(writer, (values.length + 7) >>> 3);
    values.forEach((value, i) => {
      if (value) writer.bytes[at + (i >>> 3)]! |= 1 << (i & 7);
    });
    setListPointer(writer.view, this.#pointer(pointer), at, ElementSize.bit, values.length);
  }

  /** A list of lists, or of other things behind pointers: pointer #i of what returns is its element i. */
  initPointerList(pointer: number, count: number): StructBuilder {
    return new StructBuilder(this.#out, this.#initPointers(pointer, count), { dataWords: 0, pointers: count });
  }

  #initPointers(pointer: number, count: number): number {
    const { writer } = this.#out;
    const at = allocate(writer, 8 * count);
    setListPointer(writer.view, this.#pointer(pointer), at, ElementSize.pointer, count);
    return at;
  }

  #field(offset: number, bytes: number): number {
    if (offset < 0 || offset + bytes > 8 * this.#size.dataWords) {
      throw new RangeError(`The struct has ${8 * this.#size.dataWords} bytes of data, none at ${offset}.`);
    }
    return this.#data + offset;
  }

  #pointer(index: number): number {
    if (index < 0 || index >= this.#size.pointers) {
      throw new RangeError(`The struct has ${this.#size.pointers} pointers, none at ${index}.`);
    }
    return this.#data + 8 * (this.#size.dataWords + index);
  }
}

/** What fills a struct. */
export interface StructContent {
  readonly size: StructSize;
  readonly write: ((struct: StructBuilder) => void) | undefined;
}

/** Writes one struct as the content of a payload. */
export const structEncoder: PayloadEncoder<StructContent> = {
  encode(out, { size, write }) {
    write?.(StructBuilder.init(out, out.at, size));
    if (write === undefined) StructBuilder.init(out, out.at, size);
  },
};

/** Zeroed room for `bytes`, in whole words. */
function allocate(writer: SegmentWriter, bytes: number): number {
  const at = writer.length;
  const size = (bytes + 7) & ~7;
  writer.ensure(size);
  writer.bytes.fill(0, at, at + size);
  writer.length = at + size;
  return at;
}

function writeNumber(view: DataView, type: NumberType, at: number, value: number | bigint): void {
  switch (type) {
    case "int8":
    case "uint8":
      return view.setUint8(at, value as number);
    case "int16":
    case "uint16":
      return view.setUint16(at, value as number, true);
    case "int32":
    case "uint32":
      return view.setUint32(at, value as number, true);
    case "int64":
    case "uint64":
      return view.setBigUint64(at, BigInt.asUintN(64, value as bigint), true);
    case "float32":
      return view.setFloat32(at, value as number, true);
    case "float64":
      return view.setFloat64(at, value as number, true);
  }
}
