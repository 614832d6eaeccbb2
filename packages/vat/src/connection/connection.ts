// hot path (bench: npm run bench). One connection to a peer: frames in, messages out, tables in between.
import {
  encodeAbort,
  type LimitOptions,
  type Limits,
  MessageKind,
  type RpcMessage,
  resolveLimits,
} from "@capstan/wire";
import type { Capability } from "../capabilities/capability.ts";
import { RpcError } from "../errors.ts";
import type { Transport, TransportReceiver } from "../transport.ts";
import { dispatch } from "./dispatch.ts";
import { Inbox, type InboxReceiver } from "./inbox.ts";
import { Outbox } from "./outbox.ts";
import { exceptionToSend } from "./outgoing-payload.ts";
import { shutdown } from "./shutdown.ts";
import { ConnectionState } from "./state.ts";

/** WebSocket close codes that say why. */
const CLOSE_NORMAL = 1000;
const CLOSE_PROTOCOL_ERROR = 1002;

/** Calls are refused past `maxBufferedBytes`; a peer that sends on, or is to be answered, is ended at this many times that. */
const UNREAD_FACTOR = 2;

export interface ConnectionOptions {
  /** What the peer gets for Bootstrap. The connection takes over this reference. */
  readonly bootstrap?: Capability | undefined;
  readonly limits?: LimitOptions | Limits | undefined;
}

/** How many entries each table holds. */
export interface TableSizes {
  readonly questions: number;
  readonly answers: number;
  readonly imports: number;
  readonly exports: number;
  readonly embargoes: number;
}

/**
 * States: opening (messages are held) → open → closed (`closedReason` is set, every table is empty).
 * Everything that ends it goes through `shutdown`.
 */
export class Connection implements TransportReceiver, InboxReceiver, Disposable {
  readonly #transport: Transport;
  readonly #outbox: Outbox;
  readonly #state: ConnectionState;
  #inbox: Inbox | undefined;

  /** Starts to work at once; calls made before the transport is open are held, within `limits.maxQueuedBytes`. */
  constructor(transport: Transport, options: ConnectionOptions = {}) {
    this.#transport = transport;
    const limits = resolveLimits(options.limits);
    // Not in the middle of whatever is being sent.
    const abort = (): void => queueMicrotask(() => this.abort("The peer does not read what is sent to it."));
    this.#outbox = new Outbox(transport, limits.maxFrameBytes, UNREAD_FACTOR * limits.maxBufferedBytes, abort);
    this.#state = new ConnectionState(limits, this.#outbox, options.bootstrap);
    transport.start(this);
  }

  get limits(): Limits {
    return this.#state.limits;
  }

  /** Why the connection ended; undefined while it lives. */
  get closedReason(): RpcError | undefined {
    return this.#state.closedReason;
  }

  get tables(): TableSizes {
    const { questions, answers, imports, exports, embargoes } = this.#state;
    return {
      questions: questions.size,
      answers: answers.size,
      imports: imports.size,
      exports: exports.size,
      embargoes: embargoes.size,
    };
  }

  /** The peer's bootstrap capability, usable at once. The reference belongs to the caller. */
  bootstrap(): Capability {
    return this.#state.peerBootstrap();
  }

  /** Calls `listener` once when the connection ends, after every pending call has failed. Returns how to take it off. */
  whenClosed(listener: (error: RpcError) => void): () => void {
    return this.#state.whenClosed(listener);
  }

  /** Sends what waits, then ends the connection: calls in flight fail as disconnected. */
  close(reason = "The link was closed."): void {
    this.#end(RpcError.disconnected(reason), CLOSE_NORMAL);
  }

  /** The same for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Tells the peer why, then ends the connection. */
  abort(reason: string): void {
    if (this.#state.closedReason !== undefined) return;
    const exception = exceptionToSend(RpcError.failed(reason), this.#state.limits);
    this.#state.send((writer) => encodeAbort(writer, exception));
    this.#end(RpcError.disconnected(reason), CLOSE_PROTOCOL_ERROR);
  }

  handleOpen(): void {
    this.#inbox = new Inbox(this.#transport, this.#state.limits, this);
    this.#outbox.open();
  }

  handleFrame(frame: Uint8Array): void {
    if (this.#state.closedReason !== undefined) return;
    if (this.#outbox.pendingBytes > UNREAD_FACTOR * this.#state.limits.maxBufferedBytes) {
      this.abort("The peer sends, and does not read what is sent to it.");
    } else this.#inbox?.take(frame);
  }

  handleMessage(message: RpcMessage): void {
    if (message.kind === MessageKind.abort) {
      const { reason } = message.exception;
      this.#end(RpcError.disconnected(`The peer aborted the link: ${reason}`), CLOSE_NORMAL);
    } else dispatch(this.#state, message);
  }

  /** Whatever it was, nobody above can mend it: this link ends, the process and the other links go on. */
  handleBroken(error: unknown): void {
    this.abort(error instanceof Error ? error.message : String(error));
  }

  handleMalformed(reason: string): void {
    // What came before counts.
    if (this.#inbox === undefined) this.abort(reason);
    else this.#inbox.whenDrained(() => this.abort(reason));
  }

  handleClosed(reason: string): void {
    const close = (): void => {
      this.#inbox?.close();
      this.#outbox.close();
      shutdown(this.#state, RpcError.disconnected(reason));
    };
    // What came before counts.
    if (this.#inbox === undefined) close();
    else this.#inbox.whenDrained(close);
  }

  #end(reason: RpcError, code: number): void {
    if (this.#state.closedReason !== undefined) return;
    this.#inbox?.close();
    this.#outbox.close();
    shutdown(this.#state, reason);
    this.#transport.close(code, reason.message);
  }
}
