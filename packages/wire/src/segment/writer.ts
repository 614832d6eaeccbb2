// hot path (bench: npm run bench). Bump allocation of Cap'n Proto messages in growing slabs.

const DEFAULT_SLAB_BYTES = 128 * 1024;

/**
 * A growing buffer that messages are written into one behind the other, in place.
 *
 * Positions are byte offsets into `bytes`. They stay valid when the buffer grows, but `bytes` and `view` are
 * replaced: read them from the writer after every `ensure`. Memory handed out is not cleared, so whoever allocates
 * writes every byte. Little-endian throughout.
 */
export class SegmentWriter {
  bytes: Uint8Array;
  view: DataView;
  /** First byte that `take` has not handed out yet. Always a multiple of 8. */
  start = 0;
  /** End of what is written. */
  length = 0;
  /**
   * Whether what is written is to be packed: structs are then laid out so that few of their bytes are not zero. Readers
   * need not know. Default false.
   */
  packed = false;
  readonly #slabBytes: number;

  /** @param slabBytes size of a fresh buffer in bytes; a larger message gets a larger one. */
  constructor(slabBytes: number = DEFAULT_SLAB_BYTES) {
    this.#slabBytes = slabBytes;
    this.bytes = new Uint8Array(slabBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Bytes written and not yet taken. */
  get pending(): number {
    return this.length - this.start;
  }

  /** Makes room for `count` bytes behind `length`. */
  ensure(count: number): void {
    if (this.length + count > this.bytes.length) this.#grow(count);
  }

  /** Fills with zeros up to the next word boundary. */
  align(): void {
    const rest = this.length & 7;
    if (rest === 0) return;
    const end = this.length + 8 - rest;
    this.ensure(8 - rest);
    this.bytes.fill(0, this.length, end);
    this.length = end;
  }

  /** Everything written since the last `take`. The bytes belong to the caller: the writer never touches them again. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(this.start, this.length);
    // A slab that grew is not kept: its next growth would have to carry what was taken along.
    const free = this.bytes.length - this.length;
    if (this.bytes.length > this.#slabBytes || free < this.#slabBytes / 4) this.#replaceAt(this.#slabBytes, 0);
    else this.start = this.length;
    return taken;
  }

  /** Forgets everything, and lets go of the buffer: for a writer that will hardly be written to again. */
  free(): void {
    this.#replaceAt(0, 0);
  }

  #grow(count: number): void {
    const pending = this.length - this.start;
    const old = this.bytes.subarray(this.start, this.length);
    const shift = this.start;
    // Positions are absolute, so a message that is being written keeps its offset within the buffer.
    this.#replaceAt(Math.max(this.#slabBytes, 2 * (pending + count)) + shift, shift);
    this.bytes.set(old, shift);
    this.length = shift + pending;
  }

  #replaceAt(size: number, start: number): void {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
    this.start = start;
    this.length = start;
  }
}
