// Messages over a stream of bytes, as TCP and Unix sockets carry them: one behind the other, nothing in between.
import { type Limits, messageLength } from "@capstan/wire";
import type { Transport, TransportReceiver } from "../transport.ts";

/** What the transport uses of a socket of `node:net`, or of any duplex stream. */
export interface ByteStreamLike {
  readonly writableLength: number;
  write(bytes: Uint8Array, done?: () => void): unknown;
  /** Sends what was written, then closes. */
  end(): unknown;
  pause(): unknown;
  resume(): unknown;
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "end" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

const NOTHING = new Uint8Array(0);

/**
 * Passes messages through a duplex stream. What arrives in pieces is put together again, a message at a time.
 *
 * State: `#rest` holds the beginning of a message, `#filled` bytes of it. Invariant: less than one whole message.
 */
export class ByteStreamTransport implements Transport {
  readonly batched = true;
  readonly #stream: ByteStreamLike;
  readonly #limits: Limits;
  readonly #schedule: (flush: () => void) => void;
  #rest = NOTHING;
  #filled = 0;
  #error: string | undefined;
  #isOver = false;

  /**
   * @param stream may still be connecting: it holds what is written.
   * @param schedule runs a function at the end of the turn; `process.nextTick` in Node. Default: a microtask.
   */
  constructor(stream: ByteStreamLike, limits: Limits, schedule: (flush: () => void) => void = queueMicrotask) {
    this.#stream = stream;
    this.#limits = limits;
    this.#schedule = schedule;
  }

  get bufferedBytes(): number {
    return this.#stream.writableLength;
  }

  start(receiver: TransportReceiver): void {
    const stream = this.#stream;
    stream.on("data", (bytes) => {
      if (this.#isOver) return;
      try {
        this.#take(bytes, receiver);
      } catch (error) {
        this.#isOver = true;
        receiver.handleMalformed(error instanceof Error ? error.message : String(error));
      }
    });
    stream.on("error", (error) => {
      this.#error = error.message;
    });
    stream.on("end", () => stream.end());
    stream.on("close", () => receiver.handleClosed(`The link was lost: ${this.#error ?? "the peer closed it"}`));
    receiver.handleOpen();
  }

  send(frame: Uint8Array, done?: () => void): void {
    this.#stream.write(frame, done);
  }

  schedule(flush: () => void): void {
    this.#schedule(flush);
  }

  hold(isHeld: boolean): void {
    if (isHeld) this.#stream.pause();
    else this.#stream.resume();
  }

  close(_code: number, _reason: string): void {
    this.#isOver = true;
    this.#stream.end();
  }

  /** Hands on all messages that are whole now, and keeps the rest. */
  #take(bytes: Uint8Array, receiver: TransportReceiver): void {
    let from = 0;
    while (this.#filled > 0 && from < bytes.length) from = this.#fill(bytes, from, receiver);
    // Whole messages go on together, uncopied.
    let end = from;
    for (;;) {
      const length = messageLength(bytes, end, this.#limits);
      if (length === 0 || end + length > bytes.length) break;
      end += length;
    }
    if (end > from) receiver.handleFrame(frameOf(bytes, from, end));
    if (end < bytes.length && !this.#isOver) this.#keep(bytes.subarray(end));
  }

  /** Adds to the message that has begun. Returns where in `bytes` the next one begins. */
  #fill(bytes: Uint8Array, from: number, receiver: TransportReceiver): number {
    // As long as the head is not whole, word by word: heads are short.
    const wanted = this.#wanted() || (this.#filled & ~7) + 8;
    if (this.#rest.length < wanted) this.#grow(wanted);
    const to = Math.min(bytes.length, from + wanted - this.#filled);
    this.#rest.set(bytes.subarray(from, to), this.#filled);
    this.#filled += to - from;
    if (this.#filled === this.#wanted()) {
      const frame = this.#rest.subarray(0, this.#filled);
      this.#rest = NOTHING;
      this.#filled = 0;
      receiver.handleFrame(frame);
    }
    return to;
  }

  /** How long the message is that has begun, or 0. */
  #wanted(): number {
    return messageLength(this.#rest.subarray(0, this.#filled), 0, this.#limits);
  }

  #keep(bytes: Uint8Array): void {
    this.#grow(Math.max(messageLength(bytes, 0, this.#limits), bytes.length));
    this.#rest.set(bytes);
    this.#filled = bytes.length;
  }

  #grow(size: number): void {
    const old = this.#rest.subarray(0, this.#filled);
    this.#rest = new Uint8Array(size);
    this.#rest.set(old);
  }
}

/** Not as the Buffer that it may be: slices of those share memory. */
function frameOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);
}
