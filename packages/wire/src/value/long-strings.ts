// Bytes to strings too long for a loop: by Node's Buffer where there is one, which is many times faster, and in a way
// that every runtime has. Buffer is found on the global object: the package imports nothing of Node's.

/** Decodes `bytes[start..end)`. */
export type Decode = (bytes: Uint8Array, start: number, end: number) => string;

interface Slicer {
  readonly latin1Slice?: (this: Uint8Array, start: number, end: number) => string;
  readonly ucs2Slice?: (this: Uint8Array, start: number, end: number) => string;
}

/** Up to here fromCharCode takes the units as arguments: enough to be fast, and far from any engine's bound. */
const CHUNK = 2048;

const utf16 = new TextDecoder("utf-16le", { ignoreBOM: true, fatal: true });

/** The ways that every runtime has. */
export const portable: { readonly latin1: Decode; readonly utf16: Decode } = {
  latin1(bytes, start, end) {
    // TextDecoder's "latin1" is windows-1252, which differs. Widened to UTF-16 the bytes mean what they should.
    const units = new Uint16Array(end - start);
    units.set(bytes.subarray(start, end));
    return utf16.decode(units);
  },
  utf16(bytes, start, end) {
    const count = (end - start) >> 1;
    const units = new Uint16Array(count);
    // Not as a view: typed arrays need an alignment that frames do not have.
    new Uint8Array(units.buffer).set(bytes.subarray(start, start + 2 * count));
    if (count > CHUNK) {
      try {
        return utf16.decode(units);
      } catch {
        // A lone surrogate: no decoder passes it through.
      }
    }
    let text = "";
    for (let i = 0; i < count; i += CHUNK) text += String.fromCharCode(...units.subarray(i, i + CHUNK));
    return text;
  },
};

const { latin1Slice, ucs2Slice } =
  (globalThis as { Buffer?: { prototype?: Slicer } }).Buffer?.prototype ?? ({} as Slicer);

/** One byte a code unit. */
export const decodeLatin1: Decode =
  typeof latin1Slice === "function" ? (bytes, start, end) => latin1Slice.call(bytes, start, end) : portable.latin1;

/** Two bytes a code unit, the lower first; lone surrogates too. */
export const decodeUtf16: Decode =
  typeof ucs2Slice === "function" ? (bytes, start, end) => ucs2Slice.call(bytes, start, end) : portable.utf16;
