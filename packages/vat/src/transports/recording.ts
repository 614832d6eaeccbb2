// A transport within another one that lets a listener hear everything that passes.
import type { TrafficListener, Transport, TransportReceiver } from "../transport.ts";

/** Passes everything on as it is. What it hands on, the listener hears first. */
export class RecordingTransport implements Transport, TransportReceiver {
  readonly #inner: Transport;
  readonly #listener: TrafficListener;
  #receiver: TransportReceiver | undefined;
  #isOver = false;

  constructor(inner: Transport, listener: TrafficListener) {
    this.#inner = inner;
    this.#listener = listener;
  }

  get batched(): boolean {
    return this.#inner.batched;
  }

  get packed(): boolean {
    return this.#inner.packed === true;
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }

  start(receiver: TransportReceiver): void {
    this.#receiver = receiver;
    this.#inner.start(this);
  }

  send(frame: Uint8Array, done?: () => void): void {
    if (!this.#isOver) this.#listener.handleSent(frame);
    this.#inner.send(frame, done);
  }

  get hold(): Transport["hold"] {
    const inner = this.#inner;
    return inner.hold === undefined ? undefined : (isHeld) => inner.hold?.(isHeld);
  }

  schedule(flush: () => void): void {
    this.#inner.schedule(flush);
  }

  close(code: number, reason: string): void {
    this.#end(reason);
    this.#inner.close(code, reason);
  }

  handleOpen(): void {
    this.#listener.handleOpen(this.batched, this.packed);
    this.#receiver?.handleOpen();
  }

  handleFrame(frame: Uint8Array): void {
    // What arrives after this end closed is heeded by nobody.
    if (!this.#isOver) this.#listener.handleReceived(frame);
    this.#receiver?.handleFrame(frame);
  }

  handleMalformed(reason: string): void {
    this.#receiver?.handleMalformed(reason);
  }

  handleClosed(reason: string): void {
    this.#end(reason);
    this.#receiver?.handleClosed(reason);
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.handleClosed(reason);
  }
}
