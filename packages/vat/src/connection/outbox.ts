// hot path (bench: npm run bench). Messages on their way out: written one behind the other, sent once per turn.
import { SegmentWriter } from "@capstan/wire";
import { PayloadBuilder } from "../payload.ts";
import type { Transport } from "../transport.ts";

const SIDE_BYTES = 1024;

/**
 * Bytes that go out at once, before the turn ends: the peer works on them while this end goes on. Smaller pieces cost more
 * system calls than they win (docs/performance.md).
 */
const PIECE_BYTES = 4 * 1024;

/** The same for the first piece of a turn, after turns that had little to send: then the peer is likely to be waiting. */
const FIRST_PIECE_BYTES = 512;
/** What turns with little to send stay below; the busiest of the last ones counts, each a little less than the next. */
const QUIET_BYTES = 2048;
const FADING = 0.9;

/**
 * Collects messages and hands them to the transport as frames: at the end of the turn, or sooner where there are many.
 *
 * States: held (the link is not open: messages pile up) → open → closed (messages are dropped).
 * Writing user values runs user code, which may send messages of its own in the middle of one. Such a call goes out
 * ahead of the message that is being written (what a value mentions may depend on it), everything else behind.
 */
export class Outbox {
  readonly #transport: Transport;
  readonly #maxFrameBytes: number;
  readonly #maxUnreadBytes: number;
  readonly #onUnread: () => void;
  readonly #builder = new PayloadBuilder(new SegmentWriter());
  #writing = false;
  /** Where the message that is being written starts. */
  #messageStart = 0;
  #ahead: Uint8Array[] = [];
  #behind: Uint8Array[] = [];
  #asideBytes = 0;
  #scheduled = false;
  /** What is sent at once when it has piled up. */
  #pieceBytes = FIRST_PIECE_BYTES;
  /** What went out before the end of this turn. */
  #sentBytes = 0;
  /** What went out in the busiest of the last turns, faded. */
  #recentBytes = 0;
  #state: "held" | "open" | "closed" = "held";
  readonly #flush = (): void => this.flush();

  /**
   * @param maxFrameBytes of several messages in a frame; a single one goes out whole.
   * @param onUnread told when something is sent while more than `maxUnreadBytes` wait in the transport. It sends nothing.
   */
  constructor(transport: Transport, maxFrameBytes: number, maxUnreadBytes: number, onUnread: () => void) {
    this.#transport = transport;
    this.#maxFrameBytes = maxFrameBytes;
    this.#maxUnreadBytes = maxUnreadBytes;
    this.#onUnread = onUnread;
  }

  /** Bytes that wait here and in the transport. */
  get pendingBytes(): number {
    return this.#builder.writer.pending + this.#asideBytes + this.#transport.bufferedBytes;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Starts a message. Whoever begins one ends it with `commit` or `rollback` in the same turn. */
  begin(): PayloadBuilder {
    if (this.#writing) return new PayloadBuilder(new SegmentWriter(SIDE_BYTES));
    this.#writing = true;
    this.#messageStart = this.#builder.writer.length;
    return this.#builder;
  }

  /** The message is whole. @param isCall whether it goes ahead of one that is being written. */
  commit(builder: PayloadBuilder, isCall = false): void {
    if (builder !== this.#builder) {
      const message = builder.writer.take();
      (isCall ? this.#ahead : this.#behind).push(message);
      this.#asideBytes += message.length;
    } else {
      this.#writing = false;
      if (this.#asideBytes > 0) this.#insertAside();
    }
    if (this.#state === "open" && builder === this.#builder && builder.writer.pending >= this.#pieceBytes) {
      this.#pieceBytes = PIECE_BYTES;
      this.#sentBytes += builder.writer.pending;
      this.#send();
    }
    if (!this.#scheduled) this.#schedule();
  }

  /** The message could not be written: everything from `messageStart` on is forgotten, its references released. */
  rollback(builder: PayloadBuilder, messageStart: number): void {
    builder.releaseCaps();
    if (builder !== this.#builder) return;
    builder.writer.length = messageStart;
    this.#writing = false;
    if (this.#asideBytes > 0) this.#insertAside();
  }

  /** The link is open: what was held goes out. */
  open(): void {
    if (this.#state !== "held") return;
    this.#state = "open";
    this.#builder.writer.packed = this.#transport.packed === true;
    if (this.#builder.writer.pending > 0) this.#schedule();
  }

  /** The turn ends: sends what is whole now. */
  flush(): void {
    this.#scheduled = false;
    const { pending } = this.#builder.writer;
    this.#recentBytes = Math.max(this.#sentBytes + pending, this.#recentBytes * FADING);
    this.#pieceBytes = this.#recentBytes < QUIET_BYTES ? FIRST_PIECE_BYTES : PIECE_BYTES;
    this.#sentBytes = 0;
    if (this.#state === "open" && !this.#writing && pending > 0) this.#send();
  }

  /** Sends what is written. */
  #send(): void {
    const writer = this.#builder.writer;
    const { ownsBuffer } = writer;
    const bytes = writer.take();
    const { batched, bufferedBytes } = this.#transport;
    if (bufferedBytes > this.#maxUnreadBytes) this.#onUnread();
    if (!batched || bytes.length > this.#maxFrameBytes) {
      for (const piece of splitMessages(bytes, batched ? this.#maxFrameBytes : 0)) this.#transport.send(piece);
    } else if (ownsBuffer) this.#transport.send(bytes, () => writer.recycle(bytes));
    else this.#transport.send(bytes);
  }

  /** Sends what is whole, then drops everything later. */
  close(): void {
    if (this.#state === "open") this.flush();
    this.#state = "closed";
    this.#forget();
  }

  /** Calls that still run here may hold a connection that is over; its buffer is most of what it weighs. */
  #forget(): void {
    if (!this.#writing) this.#builder.writer.free();
  }

  #schedule(): void {
    if (this.#state === "closed") this.#forget();
    else if (this.#state === "open") {
      this.#scheduled = true;
      this.#transport.schedule(this.#flush);
    }
  }

  #insertAside(): void {
    const writer = this.#builder.writer;
    const ahead = this.#ahead;
    const behind = this.#behind;
    this.#ahead = [];
    this.#behind = [];
    writer.ensure(this.#asideBytes);
    let at = this.#messageStart;
    let shift = 0;
    for (const message of ahead) shift += message.length;
    // Messages hold no absolute positions.
    if (shift > 0) writer.bytes.copyWithin(at + shift, at, writer.length);
    writer.length += shift;
    for (const message of ahead) {
      writer.bytes.set(message, at);
      at += message.length;
    }
    for (const message of behind) {
      writer.bytes.set(message, writer.length);
      writer.length += message.length;
    }
    this.#asideBytes = 0;
  }
}

/** Cuts a run of our own messages, which have one segment each, into pieces of at most `maxBytes`, or of one message. */
function* splitMessages(bytes: Uint8Array, maxBytes: number): Iterable<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = at + 8 + 8 * view.getUint32(at + 4, true);
    if (at > start && end - start > maxBytes) {
      yield bytes.subarray(start, at);
      start = at;
    }
    at = end;
  }
  yield bytes.subarray(start);
}
