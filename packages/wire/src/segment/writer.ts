// hot path (bench: npm run bench). Bump allocation of Cap'n Proto messages in growing slabs.

const DEFAULT_SLAB_BYTES = 128 * 1024;
/** Behind something large there is room for so many bytes more before its buffer grows again. */
const SPARE_BYTES = 1024;

/** Buffers of large messages that are kept to be written to again, and how long they may be. */
const MAX_SPARE_BUFFERS = 4;
const MAX_SPARE_LENGTH = 512 * 1024;

/** A buffer that is written to later. */
interface Slab {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly start: number;
}

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
  /** The slab, while a message that is too large for it has a buffer of its own. */
  #slab: Slab | undefined = undefined;
  /** Buffers of large messages that nobody reads any more. */
  readonly #spare: Uint8Array[] = [];

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
    const free = this.bytes.length - this.length;
    if (this.#slab !== undefined) this.#restore(this.#slab);
    // A slab that grew is not kept: its next growth would have to carry what was taken along.
    else if (this.bytes.length > this.#slabBytes || free < this.#slabBytes / 4) this.#replaceAt(this.#slabBytes, 0);
    else this.start = this.length;
    return taken;
  }

  /** Whether what `take` gives next is in a buffer of its own, which may come back by `recycle`. */
  get ownsBuffer(): boolean {
    return this.#slab !== undefined;
  }

  /** Nobody reads `taken` any more, which was in a buffer of its own: a stream writes the next chunk there. */
  recycle(taken: Uint8Array): void {
    const isWanted = taken.buffer.byteLength <= MAX_SPARE_LENGTH && this.#spare.length < MAX_SPARE_BUFFERS;
    if (!isWanted || this.bytes.length === 0) return;
    this.#spare.push(new Uint8Array(taken.buffer as ArrayBuffer));
  }

  /** Forgets everything, and lets go of the buffer: for a writer that will hardly be written to again. */
  free(): void {
    this.#slab = undefined;
    this.#spare.length = 0;
    this.#replaceAt(0, 0);
  }

  #grow(count: number): void {
    const pending = this.length - this.start;
    const old = this.bytes.subarray(this.start, this.length);
    const shift = this.start;
    const isLarge = count >= this.#slabBytes / 4;
    if (isLarge && this.#slab === undefined && this.bytes.length === this.#slabBytes) {
      this.#slab = { bytes: this.bytes, view: this.view, start: this.start };
    }
    const size = isLarge ? pending + count + SPARE_BYTES : Math.max(this.#slabBytes, 2 * (pending + count));
    // Positions are absolute, so a message that is being written keeps its offset within the buffer.
    this.#replaceAt(size + shift, shift);
    this.bytes.set(old, shift);
    this.length = shift + pending;
  }

  /** What was written to `slab` and not taken is in the buffer that took its place. */
  #restore({ bytes, view, start }: Slab): void {
    this.#slab = undefined;
    this.bytes = bytes;
    this.view = view;
    this.start = start;
    this.length = start;
  }

  #replaceAt(size: number, start: number): void {
    const spare = size > this.#slabBytes ? this.#spare.pop() : undefined;
    this.bytes = spare !== undefined && spare.length >= size ? spare : new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
    this.start = start;
    this.length = start;
  }
}
