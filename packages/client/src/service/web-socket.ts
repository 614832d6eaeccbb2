// WebSockets as Workers have them: ends of a pair, of which one travels in a Response.
import { connectionLost } from "../errors.ts";

/** How an end says goodbye. */
export interface WebSocketClose {
  /** As in RFC 6455, section 7.4; 1005 where none was given. */
  readonly code: number;
  /** For people; 123 bytes of UTF-8 at most, "" where none was given. */
  readonly reason: string;
}

/** What goes through a WebSocket, in order; a close comes last. */
export type WebSocketFrame = string | Uint8Array | WebSocketClose;

/** What one end is made of. Both are unlocked until the end is accepted or sent away. */
export interface WebSocketStreams {
  /** What the other end has sent. */
  readonly readable: ReadableStream<WebSocketFrame>;
  /** What goes to the other end. */
  readonly writable: WritableStream<WebSocketFrame>;
}

const NO_STATUS = 1005;
const ABNORMAL = 1006;
const MAX_REASON_BYTES = 123;

/** The `close` event of a WebSocket: Node 20 has none of its own. */
class CloseEvent extends Event {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;

  constructor({ code, reason }: WebSocketClose, wasClean: boolean) {
    super("close");
    this.code = code;
    this.reason = reason;
    this.wasClean = wasClean;
  }
}

/** The `error` event of a WebSocket. */
class ErrorEvent extends Event {
  readonly error: unknown;
  readonly message: string;

  constructor(error: unknown) {
    super("error");
    this.error = error;
    this.message = error instanceof Error ? error.message : String(error);
  }
}

/**
 * One end of a WebSocket. It waits until its user calls `accept()`, or sends it away in a Response.
 *
 * States: waiting → open (accepted) → closing (one direction has ended) → closed. Dispatches `message` (`data` is a
 * string or an ArrayBuffer), `close` (`code`, `reason`, `wasClean`) once, and before an unclean one `error`. A close
 * that arrives is answered with the same code.
 */
export class WorkerWebSocket extends EventTarget {
  /** A `readyState`: not accepted yet. */
  static readonly CONNECTING = 0;
  /** A `readyState`: messages go both ways. */
  static readonly OPEN = 1;
  /** A `readyState`: one direction has ended. */
  static readonly CLOSING = 2;
  /** A `readyState`: both have ended. */
  static readonly CLOSED = 3;
  /** A `readyState`: not accepted yet. */
  static readonly READY_STATE_CONNECTING = 0;
  /** A `readyState`: messages go both ways. */
  static readonly READY_STATE_OPEN = 1;
  /** A `readyState`: one direction has ended. */
  static readonly READY_STATE_CLOSING = 2;
  /** A `readyState`: both have ended. */
  static readonly READY_STATE_CLOSED = 3;

  readonly #streams: WebSocketStreams;
  readonly #waitFor: ((sent: Promise<unknown>) => void) | undefined;
  #writer: WritableStreamDefaultWriter<WebSocketFrame> | undefined;
  #closeSent = false;
  #closeReceived = false;

  /** @param waitFor told of what was sent, until it has gone. */
  constructor(streams: WebSocketStreams, waitFor?: (sent: Promise<unknown>) => void) {
    super();
    this.#streams = streams;
    this.#waitFor = waitFor;
  }

  /** 1 (open), 2 (closing) or 3 (closed). */
  get readyState(): number {
    if (this.#closeSent && this.#closeReceived) return WorkerWebSocket.CLOSED;
    return this.#closeSent || this.#closeReceived ? WorkerWebSocket.CLOSING : WorkerWebSocket.OPEN;
  }

  /**
   * Begins to dispatch events: this end is used here.
   *
   * @throws TypeError where it was accepted already, or sent away.
   */
  accept(): void {
    const { readable, writable } = this.streams();
    this.#writer = writable.getWriter();
    this.#writer.closed.catch(() => {});
    void this.#receive(readable.getReader());
  }

  /**
   * Sends one message. What waits to be sent is held in memory.
   *
   * @throws TypeError before `accept()`, after `close()`, and for what is neither text nor bytes.
   */
  send(data: string | ArrayBuffer | ArrayBufferView): void {
    const writer = this.#accepted("sending messages");
    if (this.#closeSent) throw new TypeError("Can't call WebSocket send() after close().");
    this.#handleSent(writer.write(messageOf(data)));
  }

  /**
   * Says goodbye; the other end's answer gives the `close` event. A second call does nothing.
   *
   * @param code 1000 or 3000 to 4999 (others that RFC 6455 lets an endpoint send are taken too).
   * @param reason at most 123 bytes of UTF-8.
   * @throws TypeError before `accept()` and for a code or reason that cannot be sent.
   */
  close(code?: number, reason?: string): void {
    this.#accepted("closing it");
    if (code === undefined && reason !== undefined) {
      throw new TypeError("If you specify a WebSocket close reason, you must also specify a code.");
    }
    if (code !== undefined && !isSendableCode(code)) throw new TypeError(`Invalid WebSocket close code: ${code}.`);
    if (reason !== undefined && new TextEncoder().encode(reason).byteLength > MAX_REASON_BYTES) {
      throw new TypeError(`A WebSocket close reason has at most ${MAX_REASON_BYTES} bytes.`);
    }
    this.#sendClose({ code: code ?? NO_STATUS, reason: reason ?? "" });
  }

  /**
   * What it is made of, for whoever carries it on.
   *
   * @throws TypeError where it was accepted already, or sent away.
   */
  streams(): WebSocketStreams {
    if (this.#writer !== undefined) throw new TypeError("This WebSocket was accepted already: call accept() once.");
    if (this.#streams.readable.locked || this.#streams.writable.locked) {
      throw new TypeError("This WebSocket was already used in a Response.");
    }
    return this.#streams;
  }

  #accepted(forWhat: string): WritableStreamDefaultWriter<WebSocketFrame> {
    if (this.#writer === undefined) throw new TypeError(`You must call accept() on this WebSocket before ${forWhat}.`);
    return this.#writer;
  }

  #sendClose(close: WebSocketClose): void {
    if (this.#closeSent) return;
    this.#closeSent = true;
    this.#writer?.write(close).catch(() => {});
    this.#handleSent(this.#writer?.close());
  }

  #handleSent(sent: Promise<void> | undefined): void {
    const gone = sent?.catch(() => {});
    if (gone !== undefined) this.#waitFor?.(gone);
  }

  async #receive(reader: ReadableStreamDefaultReader<WebSocketFrame>): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) throw connectionLost();
        if (typeof value === "string") this.dispatchEvent(new MessageEvent("message", { data: value }));
        else if (value instanceof Uint8Array) {
          this.dispatchEvent(new MessageEvent("message", { data: new Uint8Array(value).buffer }));
        } else {
          this.#handleClose(value);
          break;
        }
      }
      reader.cancel().catch(() => {});
    } catch (error) {
      this.#closeReceived = true;
      this.#closeSent = true;
      this.#writer?.abort(error).catch(() => {});
      this.dispatchEvent(new ErrorEvent(error));
      this.dispatchEvent(new CloseEvent({ code: ABNORMAL, reason: "" }, false));
    }
  }

  #handleClose(received: WebSocketClose): void {
    const close = { code: Number(received?.code), reason: String(received?.reason) };
    if (close.code !== NO_STATUS && !isSendableCode(close.code)) throw new TypeError("A WebSocket got a bad frame.");
    this.#closeReceived = true;
    this.#sendClose(close);
    this.dispatchEvent(new CloseEvent(close, true));
  }
}

/** Two ends: what one sends, the other receives. */
export function makeWebSocketPair(): [WorkerWebSocket, WorkerWebSocket] {
  const there = new TransformStream<WebSocketFrame, WebSocketFrame>();
  const back = new TransformStream<WebSocketFrame, WebSocketFrame>();
  return [
    new WorkerWebSocket({ readable: there.readable, writable: back.writable }),
    new WorkerWebSocket({ readable: back.readable, writable: there.writable }),
  ];
}

/** Whether an endpoint may put `code` into a close frame: RFC 6455, section 7.4. */
export function isSendableCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  return (code >= 3000 && code <= 4999) || (code >= 1000 && code <= 1014 && !(code >= 1004 && code <= 1006));
}

/** A Response that hands over `webSocket`. Its status is 101, which the platform's own constructor refuses. */
export function makeUpgradeResponse(webSocket: WorkerWebSocket, headers?: HeadersInit): Response {
  const response = new Response(null, headers === undefined ? {} : { headers });
  return Object.defineProperties(response, {
    status: { value: 101 },
    statusText: { value: "Switching Protocols" },
    ok: { value: false },
    webSocket: { value: webSocket, enumerable: true },
    clone: {
      value: () => {
        throw new TypeError("Cannot clone a response to a WebSocket handshake.");
      },
    },
  });
}

/** The WebSocket that `response` hands over, if it is such a one. */
export function webSocketOf(response: Response): WorkerWebSocket | undefined {
  const webSocket: unknown = Reflect.get(response, "webSocket");
  return webSocket instanceof WorkerWebSocket ? webSocket : undefined;
}

function messageOf(data: unknown): string | Uint8Array {
  if (typeof data === "string") return data;
  // Copied: it is sent later, and the caller may write into its buffer again.
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  throw new TypeError("WebSocket send() takes a string, an ArrayBuffer or a view of one.");
}
