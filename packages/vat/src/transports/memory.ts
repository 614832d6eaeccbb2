// Two transports joined within one process. Frames wait until they are stepped, or pass on by themselves.
import type { Transport, TransportReceiver } from "../transport.ts";

/** One end of a pair. */
export class MemoryTransport implements Transport {
  readonly batched: boolean;
  readonly bufferedBytes = 0;
  /** Frames that this end sent and the other has not received. */
  readonly inFlight: Uint8Array[] = [];
  readonly #manual: boolean;
  #other: MemoryTransport | undefined;
  #receiver: TransportReceiver | undefined;
  #flush: (() => void) | undefined;
  #closed = false;

  private constructor(batched: boolean, manual: boolean) {
    this.batched = batched;
    this.#manual = manual;
  }

  /** Makes two joined ends. With `manual` nothing moves until `flush` and `deliver` are called. */
  static pair(options: { batched?: boolean; manual?: boolean } = {}): [MemoryTransport, MemoryTransport] {
    const make = () => new MemoryTransport(options.batched ?? true, options.manual ?? false);
    const [left, right] = [make(), make()];
    left.#other = right;
    right.#other = left;
    return [left, right];
  }

  start(receiver: TransportReceiver): void {
    this.#receiver = receiver;
    receiver.handleOpen();
  }

  send(frame: Uint8Array): void {
    if (this.#closed) return;
    this.inFlight.push(frame);
    if (!this.#manual) queueMicrotask(() => this.deliver());
  }

  schedule(flush: () => void): void {
    this.#flush = flush;
    if (!this.#manual) queueMicrotask(() => this.flush());
  }

  /** Makes the connection at this end send what it has written. */
  flush(): void {
    const flush = this.#flush;
    this.#flush = undefined;
    flush?.();
  }

  /** Hands the oldest frame in flight to the other end. Returns false where there is none. */
  deliver(): boolean {
    const frame = this.inFlight.shift();
    if (frame === undefined) return false;
    this.#other?.receive(frame);
    return true;
  }

  /** A frame from the other end. */
  receive(frame: Uint8Array): void {
    this.#receiver?.handleFrame(frame);
  }

  close(_code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    const other = this.#other;
    queueMicrotask(() => {
      while (this.deliver());
      this.#receiver?.handleClosed(reason);
      other?.close(1000, reason);
    });
  }
}
