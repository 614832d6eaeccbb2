// Reads a struct of params or results by offsets, as generated layouts give them.
import { DecodeError, type SegmentReader } from "@capstan/wire";
import type { Capability } from "../capabilities/capability.ts";
import type { ReceivedPayload } from "../payload.ts";

/** Lists of numbers by the type of their elements. */
export type NumberType =
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float32"
  | "float64";

/** Bytes of one number of each type. */
export const NUMBER_BYTES: { readonly [Type in NumberType]: 1 | 2 | 4 | 8 } = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float32: 4,
  float64: 8,
};

/** What an element of a list of numbers is in JavaScript. */
export type NumberOf<Type extends NumberType> = Type extends "int64" | "uint64" ? bigint : number;

/**
 * A struct within a payload. Offsets are in bytes, those of bits in bits; pointers are counted from 0. Fields that the
 * sender's version of the struct does not have read as 0, "" and the like; a number with another default is to be XORed
 * with it. Whatever is not right throws DecodeError.
 */
export class StructView {
  /** What it is within. */
  readonly payload: ReceivedPayload;
  readonly #data: number;
  readonly #dataEnd: number;
  readonly #pointersEnd: number;

  private constructor(payload: ReceivedPayload, data: number, dataEnd: number, pointersEnd: number) {
    this.payload = payload;
    this.#data = data;
    this.#dataEnd = dataEnd;
    this.#pointersEnd = pointersEnd;
  }

  /** The content of `payload`. Borrows it: capabilities are there until it is released, everything else stays. */
  static of(payload: ReceivedPayload): StructView {
    return StructView.#at(payload, payload.content);
  }

  static #at(payload: ReceivedPayload, pointerAt: number): StructView {
    payload.reader.enterStruct(pointerAt);
    return StructView.#entered(payload);
  }

  static #entered(payload: ReceivedPayload): StructView {
    const { data, dataEnd, pointersEnd } = payload.reader;
    return new StructView(payload, data, dataEnd, pointersEnd);
  }

  bool(bit: number): boolean {
    const at = this.#data + (bit >>> 3);
    return at < this.#dataEnd && (this.#reader.view.getUint8(at) & (1 << (bit & 7))) !== 0;
  }

  int8(offset: number): number {
    return (this.uint8(offset) << 24) >> 24;
  }

  uint8(offset: number): number {
    return this.#has(offset) ? this.#reader.view.getUint8(this.#data + offset) : 0;
  }

  int16(offset: number): number {
    return (this.uint16(offset) << 16) >> 16;
  }

  uint16(offset: number): number {
    return this.#has(offset) ? this.#reader.view.getUint16(this.#data + offset, true) : 0;
  }

  int32(offset: number): number {
    return this.uint32(offset) | 0;
  }

  uint32(offset: number): number {
    return this.#has(offset) ? this.#reader.view.getUint32(this.#data + offset, true) : 0;
  }

  int64(offset: number): bigint {
    return BigInt.asIntN(64, this.uint64(offset));
  }

  uint64(offset: number): bigint {
    return this.#has(offset) ? this.#reader.view.getBigUint64(this.#data + offset, true) : 0n;
  }

  float32(offset: number): number {
    return this.#has(offset) ? this.#reader.view.getFloat32(this.#data + offset, true) : 0;
  }

  float64(offset: number): number {
    return this.#has(offset) ? this.#reader.view.getFloat64(this.#data + offset, true) : 0;
  }

  isNull(pointer: number): boolean {
    return this.#reader.isNull(this.#pointer(pointer));
  }

  text(pointer: number): string {
    return this.#reader.text(this.#pointer(pointer));
  }

  /** A view into the message, which nobody changes. */
  data(pointer: number): Uint8Array {
    const reader = this.#reader;
    reader.blob(this.#pointer(pointer));
    return reader.bytes.subarray(reader.blobStart, reader.blobEnd);
  }

  struct(pointer: number): StructView {
    return StructView.#at(this.payload, this.#pointer(pointer));
  }

  /** The capability, with a reference for the caller; undefined for a null pointer, and after the payload's release. */
  capability(pointer: number): Capability | undefined {
    return this.#capabilityAt(this.#pointer(pointer));
  }

  structs(pointer: number): StructView[] {
    const reader = this.#reader;
    reader.enterStructList(this.#pointer(pointer));
    const { listAt, listCount, listStep, listDataBytes } = reader;
    return Array.from({ length: listCount }, (_, i) => {
      reader.enterElement(listAt + i * listStep, listDataBytes, listStep);
      return StructView.#entered(this.payload);
    });
  }

  texts(pointer: number): string[] {
    return this.#pointers(pointer).map((at) => this.#reader.text(at));
  }

  /** Each with a reference for the caller. */
  capabilities(pointer: number): (Capability | undefined)[] {
    return this.#pointers(pointer).map((at) => this.#capabilityAt(at));
  }

  bools(pointer: number): boolean[] {
    const reader = this.#reader;
    reader.enterBitList(this.#pointer(pointer));
    const { listAt, listCount } = reader;
    return Array.from(
      { length: listCount },
      (_, i) => (reader.view.getUint8(listAt + (i >>> 3)) & (1 << (i & 7))) !== 0,
    );
  }

  /** A list of lists, or of other things behind pointers: pointer #i of the view that returns is its element i. */
  pointerList(pointer: number): StructView {
    const reader = this.#reader;
    reader.enterPointerList(this.#pointer(pointer));
    const { listAt, listCount } = reader;
    return new StructView(this.payload, listAt, listAt, listAt + 8 * listCount);
  }

  /** How many pointers the struct has, or elements a list of pointers. */
  get pointerCount(): number {
    return (this.#pointersEnd - this.#dataEnd) / 8;
  }

  /** A list of numbers. @throws DecodeError where its elements have another size. */
  numbers<Type extends NumberType>(pointer: number, type: Type): NumberOf<Type>[] {
    const reader = this.#reader;
    const bytes = NUMBER_BYTES[type];
    reader.enterNumberList(this.#pointer(pointer), bytes);
    const { listAt, listCount } = reader;
    const read = numberReader(reader.view, type);
    return Array.from({ length: listCount }, (_, i) => read(listAt + bytes * i) as NumberOf<Type>);
  }

  /** Where pointer #`pointer` stands in `payload.reader`, or -1: for what this class does not read. */
  pointerAt(pointer: number): number {
    return this.#pointer(pointer);
  }

  get #reader(): SegmentReader {
    return this.payload.reader;
  }

  #has(offset: number): boolean {
    return this.#data + offset < this.#dataEnd;
  }

  #pointer(index: number): number {
    const at = this.#dataEnd + 8 * index;
    return at < this.#pointersEnd ? at : -1;
  }

  #pointers(pointer: number): number[] {
    const reader = this.#reader;
    reader.enterPointerList(this.#pointer(pointer));
    const { listAt, listCount } = reader;
    return Array.from({ length: listCount }, (_, i) => listAt + 8 * i);
  }

  #capabilityAt(at: number): Capability | undefined {
    const index = this.#reader.capabilityIndex(at);
    if (index >= 0) return this.payload.cap(index)?.addRef();
    if (this.#reader.isNull(at)) return undefined;
    throw new DecodeError("no capability where one must be");
  }
}

function numberReader(view: DataView, type: NumberType): (at: number) => number | bigint {
  switch (type) {
    case "int8":
      return (at) => view.getInt8(at);
    case "uint8":
      return (at) => view.getUint8(at);
    case "int16":
      return (at) => view.getInt16(at, true);
    case "uint16":
      return (at) => view.getUint16(at, true);
    case "int32":
      return (at) => view.getInt32(at, true);
    case "uint32":
      return (at) => view.getUint32(at, true);
    case "int64":
      return (at) => view.getBigInt64(at, true);
    case "uint64":
      return (at) => view.getBigUint64(at, true);
    case "float32":
      return (at) => view.getFloat32(at, true);
    case "float64":
      return (at) => view.getFloat64(at, true);
  }
}
