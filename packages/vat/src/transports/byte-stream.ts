// Messages over a stream of bytes, as TCP and Unix sockets carry them: one behind the other, nothing in between.
import { type Limits, messageLength } from "@capstan/wire";
import type { Transport, TransportReceiver } from "../transport.ts";

/** What the transport uses of a socket of `node:net`, or of any duplex stream. */
export interface ByteStreamLike {
  readonly writableLength: number;
  write(bytes: Uint8Array, done?: () => void): unknown;
  /** Sends what was written, then closes this direction. */
  end(): unknown;
  /** Closes both at once. */
  destroy(): unknown;
  pause(): unknown;
  resume(): unknown;
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "end" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

const NOTHING = new Uint8Array(0);
/** Time for what was sent to leave, and for the peer to close its direction, in ms. */
const CLOSING_MS = 30_000;
/** What is set aside for a message that announces more: then twice as much each time it is full. */
const FIRST_BYTES = 64 * 1024;

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
  readonly #closingMs: number;
  #rest = NOTHING;
  #filled = 0;
  #error: string | undefined;
  #isOver = false;
  #isClosed = false;
  /** Runs while the peer has not closed its direction. */
  #closing: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param stream may still be connecting: it holds what is written.
   * @param schedule runs a function at the end of the turn; `process.nextTick` in Node. Default: a microtask.
   * @param closingMs after this time a stream that was closed here is destroyed. Default 30,000 ms.
   */
  constructor(
    stream: ByteStreamLike,
    limits: Limits,
    schedule: (flush: () => void) => void = queueMicrotask,
    closingMs: number = CLOSING_MS,
  ) {
    this.#stream = stream;
    this.#limits = limits;
    this.#schedule = schedule;
    this.#closingMs = closingMs;
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
    stream.on("close", () => {
      this.#isClosed = true;
      clearTimeout(this.#closing);
      receiver.handleClosed(`The link was lost: ${this.#error ?? "the peer closed it"}`);
    });
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
    if (!this.#isClosed) this.#closing ??= setTimeout(() => this.#stream.destroy(), this.#closingMs);
  }

  /** Hands on all messages that are whole now, and keeps the rest. */
  #take(bytes: Uint8Array, receiver: TransportReceiver): void {
    let from = 0;
    while (this.#filled > 0 && from < bytes.length) from = this.#fill(bytes, from, receiver);
    // Whole messages go on together, uncopied.
    let end = from;
    try {
      for (;;) {
        const length = messageLength(bytes, end, this.#limits);
        if (length === 0 || end + length > bytes.length) break;
        if (end > from && end + length - from > this.#limits.maxFrameBytes) {
          receiver.handleFrame(frameOf(bytes, from, end));
          from = end;
        }
        end += length;
      }
    } finally {
      // Also what came before a head that is not right.
      if (end > from) receiver.handleFrame(frameOf(bytes, from, end));
    }
    if (end < bytes.length && !this.#isOver) this.#keep(bytes.subarray(end));
  }

  /** Adds to the message that has begun. Returns where in `bytes` the next one begins. */
  #fill(bytes: Uint8Array, from: number, receiver: TransportReceiver): number {
    // As long as the head is not whole, word by word: heads are short.
    const wanted = this.#wanted() || (this.#filled & ~7) + 8;
    const to = Math.min(bytes.length, from + wanted - this.#filled);
    const size = this.#filled + to - from;
    if (this.#rest.length < size) this.#grow(Math.min(wanted, Math.max(size, 2 * this.#rest.length)));
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
    // No more than a read brings, for a peer that announces much and sends nothing.
    this.#grow(Math.max(bytes.length, Math.min(messageLength(bytes, 0, this.#limits), FIRST_BYTES)));
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
