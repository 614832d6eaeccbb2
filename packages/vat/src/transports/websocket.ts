// hot path (bench: npm run bench). Frames over anything WebSocket-shaped: a browser's, or one of the `ws` package.
import { DEFAULT_LIMITS, isMostlyZeros, type Limits, packFrame, piecesOf, unpackFrame } from "@capstan/wire";
import type { Transport, TransportReceiver } from "../transport.ts";

/** The subprotocol that allows several messages in a frame. */
export const CAPSTAN_PROTOCOL = "capstan.1";

/** The same, with every frame in Cap'n Proto's packed encoding. */
export const CAPSTAN_PACKED_PROTOCOL = "capstan.1.packed";

/** The subprotocol of Cap'n Proto's own WebSocket streams: one message a frame. No subprotocol means the same. */
export const CAPNP_PROTOCOL = "capnp";

const OPEN = 1;

/** Close code: what came is of a type that this end does not take. */
const UNSUPPORTED_DATA = 1003;

/** What the transport uses of a WebSocket. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly protocol: string;
  readonly bufferedAmount: number;
  /** @param done of the `ws` package: runs when the data were written, or could not be. */
  send(data: Uint8Array, done?: () => void): void;
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

/**
 * Passes frames through a WebSocket, packed where that is the subprotocol. Text frames are an error, as the protocol has
 * none.
 */
export class WebSocketTransport implements Transport {
  readonly #socket: WebSocketLike;
  readonly #schedule: (flush: () => void) => void;
  readonly #limits: Limits;
  #error: string | undefined;
  #opened = false;
  #packed = false;
  #closed = false;
  /** A browser's WebSocket cannot be held back. */
  readonly hold: ((isHeld: boolean) => void) | undefined;

  /**
   * @param schedule runs a function at the end of the turn; `process.nextTick` in Node. Default: a microtask.
   * @param limits `maxFrameBytes` bounds what a packed frame unpacks to. The socket itself should take frames of
   * `packedBound(limits.maxFrameBytes)`, since not every frame gets shorter.
   */
  constructor(
    socket: WebSocketLike,
    schedule: (flush: () => void) => void = queueMicrotask,
    limits: Limits = DEFAULT_LIMITS,
  ) {
    this.#socket = socket;
    this.#schedule = schedule;
    this.#limits = limits;
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
    return this.#packed || this.#socket.protocol === CAPSTAN_PROTOCOL;
  }

  get packed(): boolean {
    return this.#packed;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  start(receiver: TransportReceiver): void {
    const socket = this.#socket;
    const take = (frame: Uint8Array): void => {
      if (this.#packed) this.#takePacked(frame, receiver);
      else receiver.handleFrame(frame);
    };
    if (socket.on === undefined) {
      socket.addEventListener("message", ({ data }) => {
        if (data instanceof ArrayBuffer) take(new Uint8Array(data));
        else this.#refuseText(receiver);
      });
    } else {
      socket.on("message", (data, isBinary) => {
        // Not as the Buffer that it is: slices of those share memory.
        if (isBinary) take(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        else this.#refuseText(receiver);
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
      this.#packed = socket.protocol === CAPSTAN_PACKED_PROTOCOL;
      receiver.handleOpen();
    };
    if (socket.readyState === OPEN) open();
    else socket.addEventListener("open", open);
  }

  #takePacked(packed: Uint8Array, receiver: TransportReceiver): void {
    if (this.#closed) return;
    try {
      const frame = unpackFrame(packed, this.#limits);
      if (!isMostlyZeros(frame.length, packed.length)) {
        receiver.handleFrame(frame);
        return;
      }
      for (const piece of piecesOf(frame, this.#limits)) {
        receiver.handleFrame(piece);
        if (this.#closed) return;
      }
    } catch (error) {
      receiver.handleMalformed(error instanceof Error ? error.message : String(error));
    }
  }

  /** Frames that are on their way already count no more: the connection ends here. */
  #refuseText(receiver: TransportReceiver): void {
    const reason = "Text frames are not part of the protocol.";
    this.close(UNSUPPORTED_DATA, reason);
    receiver.handleMalformed(reason);
  }

  send(frame: Uint8Array, done?: () => void): void {
    if (this.#socket.readyState !== OPEN) return;
    if (this.#packed) {
      this.#socket.send(packFrame(frame));
      done?.();
    } else if (done === undefined) this.#socket.send(frame);
    else this.#socket.send(frame, done);
  }

  schedule(flush: () => void): void {
    this.#schedule(flush);
  }

  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    const socket = this.#socket;
    // A browser's may give no other reasons than these.
    const allowed = socket.on !== undefined || code === 1000 ? code : code + 2000;
    // A close frame has room for 123 bytes of reason.
    socket.close(allowed, reason.slice(0, 40));
  }
}
