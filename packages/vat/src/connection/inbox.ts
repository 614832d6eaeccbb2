// hot path (bench: npm run bench). Messages on their way in: handled in order, in slices that leave the process its turns.
import { FrameReader, type Limits, type RpcMessage } from "@capstan/wire";
import { isLongTurn, type LongWork, putOff } from "../later-turn.ts";
import type { Transport } from "../transport.ts";

/** The clock is looked at each time this much was handled; a message counts as its bytes and `MESSAGE_COST`. */
const WORK_PER_LOOK = 64 * 1024;
const MESSAGE_COST = 1024;

export interface InboxReceiver {
  /** May close the inbox. What it throws ends the connection, as what cannot be read does. */
  handleMessage(message: RpcMessage): void;
  handleBroken(error: unknown): void;
}

/**
 * Takes frames apart and hands over their messages: at once, but for a peer that keeps this process busy for too long.
 *
 * States: flowing (nothing waits) → held (the peer is held back; what it had sent waits for a later turn) → flowing …
 * → closed (everything that waits is dropped).
 */
export class Inbox implements LongWork {
  readonly #transport: Transport;
  readonly #receiver: InboxReceiver;
  readonly #reader: FrameReader;
  /** Frames behind the one that the reader is in, from `#next` on; only while held. There may be tens of thousands. */
  #waiting: (Uint8Array | undefined)[] = [];
  #next = 0;
  #state: "flowing" | "held" | "closed" = "flowing";
  /** True while the reader is in a frame of this turn's. */
  #isHandling = false;
  /** Runs once nothing waits any more. */
  #onDrained: (() => void) | undefined;
  /** Handled since the clock was last looked at. */
  #work = 0;

  constructor(transport: Transport, limits: Limits, receiver: InboxReceiver) {
    this.#transport = transport;
    this.#receiver = receiver;
    this.#reader = new FrameReader(limits, { batched: transport.batched });
  }

  take(frame: Uint8Array): void {
    if (this.#state === "held" || this.#isHandling) {
      if (this.#onDrained === undefined) this.#waiting.push(frame);
    } else if (this.#state === "flowing" && !(this.#handle(frame) && this.#isEmpty)) {
      this.#state = "held";
      this.#transport.hold?.(true);
      putOff(this);
    }
  }

  /** False where more came while a message was handled: a transport may deliver within `send`, or say that it closed. */
  get #isEmpty(): boolean {
    return this.#state === "closed" || (this.#waiting.length === 0 && this.#onDrained === undefined);
  }

  /** Runs `then` once all that came has been handled: now, where nothing waits. What comes after that is dropped. */
  whenDrained(then: () => void): void {
    if (this.#state === "held" || (this.#state === "flowing" && this.#isHandling)) this.#onDrained ??= then;
    else then();
  }

  close(): void {
    // A transport that is held back would not see its end.
    if (this.#state === "held") this.#transport.hold?.(false);
    this.#state = "closed";
    this.#waiting = [];
    this.#onDrained = undefined;
  }

  /**
   * @param frame undefined: goes on in the one that was begun.
   * @returns false where this turn has become too long, or others are to have theirs: what is left waits for `goOn`.
   */
  #handle(frame: Uint8Array | undefined): boolean {
    const reader = this.#reader;
    this.#isHandling = true;
    try {
      if (frame !== undefined) reader.open(frame);
      for (;;) {
        const begin = reader.position;
        const message = reader.next();
        if (message === undefined) return true;
        this.#work += MESSAGE_COST + reader.position - begin;
        this.#receiver.handleMessage(message);
        if (this.#state === "closed") return true;
        if (this.#work >= WORK_PER_LOOK && this.#isEnough()) return false;
      }
    } catch (error) {
      this.#receiver.handleBroken(error);
      return true;
    } finally {
      this.#isHandling = false;
    }
  }

  /** One turn of the event loop may bring many frames, of many peers: what counts is how long all of them took. */
  #isEnough(): boolean {
    this.#work = 0;
    if (this.#transport.hold === undefined) return false;
    return this.#state === "held" || isLongTurn();
  }

  /** Of those that are held back each gets a little at a time. */
  goOn(): boolean {
    let isDone = this.#state === "held" && this.#handle(undefined);
    // Handling a frame may close.
    while (isDone && this.#state === "held") {
      const frame = this.#waiting[this.#next];
      if (frame === undefined) {
        this.#waiting = [];
        this.#next = 0;
        this.#state = "flowing";
        this.#transport.hold?.(false);
        this.#onDrained?.();
        return false;
      }
      this.#waiting[this.#next++] = undefined;
      isDone = this.#handle(frame);
    }
    return this.#state === "held";
  }
}
