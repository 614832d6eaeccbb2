// The kinds of ArrayBuffer views and their codes.

/** The byte that tells a view's kind, by the name of its class. */
export const VIEW_CODES: { readonly [name: string]: number } = {
  Int8Array: 0x62, // b
  Uint8Array: 0x42, // B
  Uint8ClampedArray: 0x43, // C
  Int16Array: 0x77, // w
  Uint16Array: 0x57, // W
  Int32Array: 0x64, // d
  Uint32Array: 0x44, // D
  Float16Array: 0x68, // h
  Float32Array: 0x66, // f
  Float64Array: 0x46, // F
  BigInt64Array: 0x71, // q
  BigUint64Array: 0x51, // Q
  DataView: 0x3f, // ?
};

/** Makes a view. Without a length it reaches to its buffer's end, also when that moves. */
export interface ViewConstructor {
  new (buffer: ArrayBuffer, byteOffset: number, length?: number): ArrayBufferView;
  readonly BYTES_PER_ELEMENT?: number;
}

/** The classes that this runtime has, by code. */
export const VIEWS_BY_CODE: ReadonlyMap<number, ViewConstructor> = new Map(
  Object.entries(VIEW_CODES).flatMap(([name, code]): [number, ViewConstructor][] => {
    const view = (globalThis as unknown as Record<string, ViewConstructor | undefined>)[name];
    return view === undefined ? [] : [[code, view]];
  }),
);
