// hot path (bench: npm run bench). Frames to messages: the standard stream framing, one message or several in a frame.
import { DecodeError, NotFlat } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { decodeMessage } from "./rpc/decode.ts";
import type { RpcMessage } from "./rpc/messages.ts";
import { flatten } from "./segment/copy.ts";
import { SegmentReader } from "./segment/reader.ts";

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

/** Where the segments are of the message whose head is at `header`. Checks the head alone. */
function readSegmentTable(view: DataView, header: number, limits: Limits): { starts: number[]; ends: number[] } {
  const count = view.getUint32(header, true) + 1;
  if (count > limits.maxMessageSegments) throw new DecodeError(`a message of ${count} segments`);
  // The table: the count, then each size, padded to whole words.
  let end = header + 8 * (1 + (count >>> 1));
  if (end > view.byteLength) throw new DecodeError("a segment table longer than its frame");
  const starts: number[] = [];
  const ends: number[] = [];
  for (let i = 0; i < count; i++) {
    starts.push(end);
    end += 8 * view.getUint32(header + 4 + 4 * i, true);
    ends.push(end);
  }
  return { starts, ends };
}

/** Makes the one message in `bytes` flat. Throws DecodeError for what is not right. */
export function readFlat(bytes: Uint8Array, limits: Limits): SegmentReader {
  if (bytes.length < 8) throw new DecodeError("a message without a head");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { starts, ends } = readSegmentTable(view, 0, limits);
  if ((ends[ends.length - 1] as number) > bytes.length) throw new DecodeError("a message longer than its bytes");
  return flatten({ bytes, view, starts, ends }, limits);
}

/**
 * How long the message is that begins at `at`: bytes with its head, or 0 where too little of the head is there to tell. For
 * transports without frames. Throws DecodeError for more segments or bytes than are allowed.
 */
export function messageLength(bytes: Uint8Array, at: number, limits: Limits): number {
  const available = bytes.length - at;
  if (available < 8) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, available);
  const count = view.getUint32(0, true) + 1;
  if (count > limits.maxMessageSegments) throw new DecodeError(`a message of ${count} segments`);
  const head = 8 * (1 + (count >>> 1));
  if (available < head) return 0;
  let length = head;
  for (let i = 0; i < count; i++) length += 8 * view.getUint32(4 + 4 * i, true);
  if (length > limits.maxFrameBytes) throw new DecodeError(`a message of ${length} bytes, more than is allowed`);
  return length;
}

/**
 * Takes the messages out of one frame after the other. Messages keep their frame: it must not be written to again.
 *
 * Both methods throw DecodeError for an envelope that is not right: the connection cannot go on then, and this reader
 * has nothing more to give. Messages returned before are right.
 */
export class FrameReader {
  readonly #limits: Limits;
  readonly #batched: boolean;
  #bytes: Uint8Array = NO_BYTES;
  #view: DataView = NO_VIEW;
  #at = 0;

  /** @param options.batched whether a frame holds one message or more, rather than exactly one. */
  constructor(limits: Limits, options: { readonly batched: boolean }) {
    this.#limits = limits;
    this.#batched = options.batched;
  }

  /** Where in its frame the next message begins, in bytes: the end of the one before it. */
  get position(): number {
    return this.#at;
  }

  /** Begins a frame. What the one before still held is dropped. */
  open(frame: Uint8Array): void {
    this.#drop();
    const length = frame.length;
    if (length === 0 || (length & 7) !== 0) throw new DecodeError(`a frame of ${length} bytes, not of whole words`);
    if (length > this.#limits.maxFrameBytes) throw new DecodeError(`a frame of ${length} bytes, more than is allowed`);
    // Node's Buffer would make every access to bytes slower for those who see both.
    this.#bytes = frame.constructor === Uint8Array ? frame : new Uint8Array(frame.buffer, frame.byteOffset, length);
    this.#view = new DataView(frame.buffer, frame.byteOffset, length);
  }

  /** The next message of the frame, or undefined at its end. */
  next(): RpcMessage | undefined {
    const header = this.#at;
    if (header >= this.#bytes.length) {
      this.#drop();
      return undefined;
    }
    try {
      if (this.#view.getUint32(header, true) !== 0) return this.#decodeSegments(header);
      const start = header + 8;
      const end = start + 8 * this.#view.getUint32(header + 4, true);
      this.#finish(end);
      const reader = new SegmentReader(this.#bytes, this.#view, start, end, this.#limits);
      return decodeMessage(reader, this.#limits);
    } catch (error) {
      if (error instanceof NotFlat) return this.#decodeFlattened([header + 8], [this.#at]);
      this.#drop();
      throw error;
    }
  }

  /** The message ends at `end`: the next one, if there may be one, begins there. */
  #finish(end: number): void {
    if (end > this.#bytes.length) throw new DecodeError("a message longer than its frame");
    if (!this.#batched && end !== this.#bytes.length) throw new DecodeError("bytes behind the one message of a frame");
    this.#at = end;
  }

  #decodeSegments(header: number): RpcMessage {
    const { starts, ends } = readSegmentTable(this.#view, header, this.#limits);
    this.#finish(ends[ends.length - 1] as number);
    return this.#decodeFlattened(starts, ends);
  }

  #decodeFlattened(starts: readonly number[], ends: readonly number[]): RpcMessage {
    try {
      const segments = { bytes: this.#bytes, view: this.#view, starts, ends };
      return decodeMessage(flatten(segments, this.#limits), this.#limits);
    } catch (error) {
      this.#drop();
      throw error;
    }
  }

  /** Lets go of the frame. */
  #drop(): void {
    this.#bytes = NO_BYTES;
    this.#view = NO_VIEW;
    this.#at = 0;
  }
}
