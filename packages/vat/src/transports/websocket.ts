// hot path (bench: npm run bench). Frames over anything WebSocket-shaped: a browser's, or one of the `ws` package.
import type { Transport, TransportReceiver } from "../transport.ts";

/** The subprotocol that allows several messages in a frame. */
export const CAPSTAN_PROTOCOL = "capstan.1";

/** The subprotocol of Cap'n Proto's own WebSocket streams: one message a frame. No subprotocol means the same. */
export const CAPNP_PROTOCOL = "capnp";

const OPEN = 1;

/** What the transport uses of a WebSocket. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly protocol: string;
  readonly bufferedAmount: number;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** Of the `ws` package: stops and restarts reading. */
  pause?(): void;
  resume?(): void;
  /** Of the `ws` package: the same as the event "message", without an event object and a copy for each frame. */
  on?(type: "message", listener: (data: Uint8Array, isBinary: boolean) => void): unknown;
  addEventListener(type: "open", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number; readonly reason: string }) => void): void;
  addEventListener(type: "error", listener: (event: { readonly message?: string }) => void): void;
}

/** Passes frames through a WebSocket. Text frames are an error, as the protocol has none. */
export class WebSocketTransport implements Transport {
  readonly #socket: WebSocketLike;
  readonly #schedule: (flush: () => void) => void;
  #error: string | undefined;
  #opened = false;
  /** A browser's WebSocket cannot be held back. */
  readonly hold: ((isHeld: boolean) => void) | undefined;

  /** @param schedule runs a function at the end of the turn; `process.nextTick` in Node. Default: a microtask. */
  constructor(socket: WebSocketLike, schedule: (flush: () => void) => void = queueMicrotask) {
    this.#socket = socket;
    this.#schedule = schedule;
    socket.binaryType = socket.on === undefined ? "arraybuffer" : "nodebuffer";
    if (socket.pause === undefined) this.hold = undefined;
    else {
      this.hold = (isHeld) => {
        if (isHeld) socket.pause?.();
        else socket.resume?.();
      };
    }
  }

  get batched(): boolean {
    return this.#socket.protocol === CAPSTAN_PROTOCOL;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  start(receiver: TransportReceiver): void {
    const socket = this.#socket;
    if (socket.on === undefined) {
      socket.addEventListener("message", ({ data }) => {
        if (data instanceof ArrayBuffer) receiver.handleFrame(new Uint8Array(data));
        else this.#refuseText();
      });
    } else {
      socket.on("message", (data, isBinary) => {
        // Not as the Buffer that it is: slices of those share memory.
        if (isBinary) receiver.handleFrame(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        else this.#refuseText();
      });
    }
    socket.addEventListener("error", ({ message }) => {
      this.#error = message;
    });
    socket.addEventListener("close", ({ code, reason }) => {
      const why = this.#error ?? (reason === "" ? `code ${code}` : reason);
      receiver.handleClosed(this.#opened ? `The link was lost: ${why}` : `The link could not be opened: ${why}`);
    });
    const open = (): void => {
      this.#opened = true;
      receiver.handleOpen();
    };
    if (socket.readyState === OPEN) open();
    else socket.addEventListener("open", open);
  }

  #refuseText(): void {
    this.close(1003, "Text frames are not part of the protocol.");
  }

  send(frame: Uint8Array): void {
    if (this.#socket.readyState === OPEN) this.#socket.send(frame);
  }

  schedule(flush: () => void): void {
    this.#schedule(flush);
  }

  close(code: number, reason: string): void {
    const socket = this.#socket;
    // A browser's may give no other reasons than these.
    const allowed = socket.on !== undefined || code === 1000 ? code : code + 2000;
    // A close frame has room for 123 bytes of reason.
    socket.close(allowed, reason.slice(0, 40));
  }
}
