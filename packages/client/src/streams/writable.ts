// WritableStreams that go by reference: served to a peer, and as a peer's arrive here.
import { type Capability, type IncomingCall, type PayloadEncoder, RpcError } from "@capstan/vat";
import type { JsValueRef, Limits } from "@capstan/wire";
import { markRemote, toReason } from "../errors.ts";
import type { Realm } from "../values/realm.ts";
import type { ReadValue } from "./pushed-stream.ts";
import { servePush } from "./pusher.ts";
import { SinkClient, type ValueChunk, WRITABLE_LOST } from "./sink-client.ts";
import { acknowledge, costOf, SinkServer, tooMuchWaits, type Written } from "./sink-server.ts";

/**
 * Lets a peer write into a WritableStream of ours. States: open → ended (closed, aborted or failed by either side).
 * A write is answered when the stream has taken the chunk.
 */
export class WritableServer extends SinkServer {
  readonly #realm: Realm;
  readonly #writer: WritableStreamDefaultWriter<unknown>;
  readonly #read: ReadValue;
  #letGo: (() => void) | undefined;
  #ended = false;
  /** What the stream has not taken yet. */
  #waitingBytes = 0;

  /** Takes over `stream`, which must not be locked. @param letGo runs once when the peer's last reference is gone. */
  constructor(realm: Realm, stream: WritableStream<unknown>, read: ReadValue, letGo: () => void) {
    const { limits } = realm;
    super(limits, servePush);
    this.#realm = realm;
    this.#writer = stream.getWriter();
    this.#read = read;
    this.#letGo = letGo;
    this.#writer.closed.then(
      () => this.watchers.close(),
      (error) => this.watchers.close(toReason(error, limits)),
    );
  }

  override release(): void {
    if (!this.#ended) this.#abort(Object.assign(new Error("The writer of this stream is gone."), { remote: true }));
    // Its end waits for the chunk that is being written, for as long as tasks may take.
    const letGo = (): void => {
      clearTimeout(timer);
      this.#letGo?.();
      this.#letGo = undefined;
    };
    const timer: { unref?(): void } & ReturnType<typeof setTimeout> = setTimeout(letGo, this.limits.waitUntilTimeoutMs);
    timer.unref?.();
    this.#writer.closed.then(letGo, letGo);
  }

  /** Nothing more is taken: stream and writer are told why. */
  break(reason: unknown): void {
    if (!this.#ended) this.#abort(reason);
  }

  protected override handleWrite(call: IncomingCall, written: Written): void {
    const cost = costOf(written);
    if (this.#waitingBytes + cost > this.limits.maxStreamBytes && this.#waitingBytes > 0) {
      const error = tooMuchWaits(this.limits);
      call.returnException(error);
      if (!this.#ended) this.#abort(new Error(error.message));
      return;
    }
    const chunk = written instanceof Uint8Array ? new Uint8Array(written) : this.#read(call.params, written);
    this.#waitingBytes += cost;
    const taken = (): void => {
      this.#waitingBytes -= cost;
    };
    const done = this.#realm.run(() => this.#writer.write(chunk));
    done.then(taken, taken);
    this.#answer(call, done);
  }

  protected override handleEnd(call: IncomingCall): void {
    this.#ended = true;
    this.#answer(
      call,
      this.#realm.run(() => this.#writer.close()),
    );
  }

  protected override handleAbort(call: IncomingCall, reason: JsValueRef | undefined): void {
    this.#abort(reason === undefined ? undefined : markRemote(this.#read(call.params, reason)));
  }

  #abort(reason: unknown): void {
    this.#ended = true;
    this.#realm.run(() => this.#writer.abort(reason)).catch(() => {});
  }

  #answer(call: IncomingCall, done: Promise<void>): void {
    // A sink that never settles is not waited for by nobody.
    call.onCancel = () => call.returnException(RpcError.failed("The writer of this stream waits no more."));
    done.then(
      () => acknowledge(call),
      (error) => call.returnException(toReason(error, this.limits)),
    );
  }
}

/**
 * A peer's WritableStream. Takes over the reference.
 *
 * @returns the stream, and what lets go of it before it was closed.
 */
export function receiveWritable(
  sink: Capability,
  limits: Limits,
  valueEncoder: PayloadEncoder<ValueChunk>,
  onOver: () => void,
): { stream: WritableStream<unknown>; dispose: () => void } {
  let controller: WritableStreamDefaultController | undefined;
  const over = (): void => {
    client.close();
    onOver();
  };
  const client = new SinkClient(sink, limits, false, valueEncoder, (reason) => {
    controller?.error(isLost(reason) ? new Error(WRITABLE_LOST) : reason);
    over();
  });
  const stream = new WritableStream<unknown>({
    start: (its) => {
      controller = its;
    },
    write: async (chunk) => {
      try {
        await client.write(chunk);
      } catch (error) {
        // A stream whose sink refused a chunk takes nothing more, and aborts nothing by itself.
        client.abort(error);
        over();
        throw error;
      }
    },
    close: async () => {
      await client.end();
      over();
    },
    abort: (reason) => {
      client.abort(reason);
      over();
    },
  });
  const dispose = (): void => {
    controller?.error(new Error(WRITABLE_LOST));
    client.close();
  };
  return { stream, dispose };
}

function isLost(reason: unknown): boolean {
  return reason instanceof Error && "retryable" in reason && reason.retryable === true;
}
