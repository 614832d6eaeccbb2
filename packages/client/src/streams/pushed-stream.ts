// A ReadableStream whose bytes a peer pushes: it is read here, and its writer held back while nobody reads.
import { type Capability, DISCARD, type IncomingCall, type ReceivedPayload, type RpcError } from "@capstan/vat";
import { type JsValueRef, VALUE_SINK_ABORT_METHOD, VALUE_SINK_ID_HIGH, VALUE_SINK_ID_LOW } from "@capstan/wire";
import { markRemote, toException, toReason } from "../errors.ts";
import { plainEncoder, readPlainValue } from "../values/plain.ts";
import { CIRCLE, Forward, leadsTo } from "./forward.ts";
import { acknowledge, costOf, SinkServer, tooMuchWaits, type Written } from "./sink-server.ts";

/** Reads a value that came in `payload`. */
export type ReadValue = (payload: ReceivedPayload, ref: JsValueRef) => unknown;

const LOST = "ReadableStream received over RPC disconnected prematurely.";
const UNREAD = "Nobody reads this stream.";

type Controller = ReadableByteStreamController | ReadableStreamDefaultController<unknown>;

/** A chunk, or the end, that waits to be read. Once delivered, its call is answered. */
interface Waiting {
  readonly kind: "chunk" | "end" | "failure";
  /** Undefined where nobody waits for an answer. */
  readonly call?: IncomingCall;
  readonly written?: Written;
  readonly failure?: unknown;
}

/**
 * States: untaken (chunks wait) → open (a ReadableStream reads them) | forwarded (it is read in another vat) → over (read
 * to its end, cancelled, or failed).
 * A write is answered when its chunk goes to the reader, so what is unanswered is what waits. Invariant: nothing waits
 * once over.
 */
export class PushedStream extends SinkServer {
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #controller: Controller | undefined;
  #read: ReadValue | undefined;
  #isBytes = false;
  /** Lets a reader that waits for a chunk go on. */
  #wake: (() => void) | undefined;
  /** Where the stream is read, if that is elsewhere. */
  #forward: Forward | undefined;
  #over: { readonly error: unknown } | undefined;
  #onOver: (() => void) | undefined;

  /**
   * The stream. Undefined where it was taken before.
   *
   * @param isBytes a stream of bytes, whose reader may bring its own buffers; else of any values.
   * @param onOver runs once when nothing more comes.
   */
  take(isBytes: boolean, read: ReadValue, onOver: () => void): ReadableStream<unknown> | undefined {
    if (this.#read !== undefined) return undefined;
    this.#read = read;
    this.#isBytes = isBytes;
    this.#onOver = onOver;
    const source = {
      start: (controller: Controller): void => {
        this.#controller = controller;
        if (this.#over !== undefined) controller.error(this.#over.error);
      },
      pull: (): Promise<void> | undefined => this.#pull(),
      cancel: (reason: unknown): void => this.cancel(reason),
    };
    // Without a queue of its own: what nobody has asked for stays unanswered.
    return isBytes
      ? new ReadableStream({ ...source, type: "bytes" } as UnderlyingByteSource, { highWaterMark: 0 })
      : new ReadableStream(source as UnderlyingDefaultSource, { highWaterMark: 0 });
  }

  /** Nobody reads on: the writer is told why. */
  cancel(reason: unknown = new Error(UNREAD)): void {
    this.#end(reason, toReason(reason, this.limits));
  }

  /** Whatever held the stream here is gone: its writer is told, and so is whoever still reads it. */
  drop(): void {
    if (this.#over !== undefined) return;
    const failure = lost();
    this.#end(failure, toException(new Error(UNREAD), this.limits));
    this.#controller?.error(failure);
  }

  /** Breaks with the signal's reason, for reader and writer, if the signal aborts before the stream is over. */
  breakWith(signal: AbortSignal): void {
    if (this.#over !== undefined) return;
    const fail = (): void => this.#fail(signal.reason);
    const onOver = this.#onOver;
    signal.addEventListener("abort", fail);
    this.#onOver = () => {
      signal.removeEventListener("abort", fail);
      onOver?.();
    };
  }

  /** The place where the stream is mentioned is gone. */
  dropIfUntaken(): void {
    if (this.#read === undefined && this.#forward === undefined) this.cancel();
  }

  /** Whoever reads the stream is in another vat: every call goes on to `end`. Takes over the reference. */
  forwardTo(end: Capability): void {
    if (this.#read !== undefined || this.#forward !== undefined || this.#over !== undefined) {
      end.release();
      return;
    }
    if (leadsTo(end, this)) {
      end.release();
      this.#fail(new Error(CIRCLE));
      return;
    }
    const forward = new Forward(end);
    this.#forward = forward;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { call, failure } of waiting) {
      if (call !== undefined) this.#pass(forward, call);
      else
        end.call(
          VALUE_SINK_ID_HIGH,
          VALUE_SINK_ID_LOW,
          VALUE_SINK_ABORT_METHOD,
          plainEncoder(this.limits),
          failure,
          DISCARD,
        );
    }
    this.watchers.forwardTo(forward);
  }

  override dispatch(call: IncomingCall): void {
    if (this.#forward === undefined) super.dispatch(call);
    else this.#pass(this.#forward, call);
  }

  #pass(forward: Forward, call: IncomingCall): void {
    forward.deliver(call);
    if (!forward.isCircle || this.#forward !== forward) return;
    this.#forward = undefined;
    forward.release();
    this.#fail(new Error(CIRCLE));
  }

  override release(): void {
    const forward = this.#forward;
    if (forward !== undefined) {
      this.#forward = undefined;
      forward.release();
      return;
    }
    if (this.#waiting.at(-1)?.kind !== "end") this.#enqueue({ kind: "failure", failure: lost() });
  }

  protected override handleWrite(call: IncomingCall, written: Written): void {
    const size = costOf(written);
    if (this.#waitingBytes + size > this.limits.maxStreamBytes && this.#waiting.length > 0) {
      const error = tooMuchWaits(this.limits);
      call.returnException(error);
      this.#fail(new Error(error.message));
      return;
    }
    this.#waitingBytes += size;
    this.#enqueue({ kind: "chunk", call, written });
  }

  protected override handleEnd(call: IncomingCall): void {
    this.#enqueue({ kind: "end", call });
  }

  protected override handleAbort(_call: IncomingCall, reason: JsValueRef | undefined): void {
    let failure: unknown = new Error("The stream was aborted.");
    try {
      // Read now: the message goes when its call is answered.
      if (reason !== undefined) failure = markRemote(readPlainValue(reason, this.limits));
    } catch (cause) {
      failure = cause;
    }
    this.#enqueue({ kind: "failure", failure });
  }

  #enqueue(waiting: Waiting): void {
    if (this.#over !== undefined) {
      const { error = new Error(UNREAD) } = this.#over;
      waiting.call?.returnException(toReason(error, this.limits));
      return;
    }
    this.#waiting.push(waiting);
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake !== undefined && this.#deliver()) wake();
    else this.#wake = wake;
  }

  #pull(): Promise<void> | undefined {
    if (this.#deliver()) return undefined;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Hands what waits first to the reader. False where there was nothing for it. */
  #deliver(): boolean {
    for (;;) {
      const next = this.#waiting.shift();
      if (next === undefined) return this.#over !== undefined;
      const { kind, call, written } = next;
      if (kind === "failure") {
        this.#fail(next.failure);
        return true;
      }
      if (written === undefined) {
        this.#end(undefined);
        const controller = this.#controller;
        controller?.close();
        // A read into the reader's own buffer waits for more.
        if (controller !== undefined && "byobRequest" in controller) controller.byobRequest?.respond(0);
        if (call !== undefined) acknowledge(call);
        return true;
      }
      this.#waitingBytes -= costOf(written);
      try {
        const chunk = written instanceof Uint8Array ? new Uint8Array(written) : this.#readValue(call, written);
        // A byte stream refuses empty chunks.
        const isEmpty = this.#isBytes && chunk instanceof Uint8Array && chunk.length === 0;
        if (!isEmpty) (this.#controller as ReadableStreamDefaultController<unknown>).enqueue(chunk);
        if (call !== undefined) acknowledge(call);
        if (!isEmpty) return true;
      } catch (error) {
        call?.returnException(toException(error, this.limits));
        this.#fail(error);
        return true;
      }
    }
  }

  #readValue(call: IncomingCall | undefined, ref: JsValueRef): unknown {
    return call === undefined ? undefined : this.#read?.(call.params, ref);
  }

  #fail(error: unknown): void {
    if (this.#over !== undefined) return;
    this.#end(error, toReason(error, this.limits));
    this.#controller?.error(error);
  }

  /** @param told what the writer hears; undefined: that all went well. */
  #end(error: unknown, told?: RpcError): void {
    if (this.#over !== undefined) return;
    this.#over = { error };
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (told !== undefined) for (const { call } of waiting) call?.returnException(told);
    this.watchers.close(told);
    this.#wake?.();
    this.#wake = undefined;
    this.#onOver?.();
  }
}

function lost(): Error {
  return Object.assign(new Error(LOST), { remote: true, retryable: true });
}
