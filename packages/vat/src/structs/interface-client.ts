// Calls to methods of any Cap'n Proto interface, by ids and layouts.
import type { Capability, PendingCall, ReturnSink } from "../capabilities/capability.ts";
import type { RpcError } from "../errors.ts";
import { FlowWindow, fixedWindow, type WindowSize } from "../flow-window.ts";
import type { PayloadEncoder, ReceivedPayload } from "../payload.ts";
import { type StructBuilder, type StructSize, structEncoder } from "./struct-builder.ts";
import { StructView } from "./struct-view.ts";

/** A method as its schema has it. */
export interface Method {
  readonly interfaceId: bigint;
  /** Its number in the interface, from 0. */
  readonly methodId: number;
  /** The size of the struct of its parameters. */
  readonly params: StructSize;
  /** The size of the struct of its results, for whoever serves it. */
  readonly results: StructSize;
}

/** Upper and lower half of an interface's id, unsigned, as the engine takes them. */
export function halvesOf(interfaceId: bigint): [high: number, low: number] {
  return [Number(BigInt.asUintN(32, interfaceId >> 32n)), Number(BigInt.asUintN(32, interfaceId))];
}

/** Results that came: dispose of them when their capabilities are taken, or not wanted. */
export interface Results extends Disposable {
  readonly struct: StructView;
  readonly payload: ReceivedPayload;
}

/**
 * A call in flight. Await it for its results; it rejects with RpcError. Calls can be made at once on the capabilities that
 * its results will hold.
 */
export class MethodCall implements PromiseLike<Results>, Disposable {
  readonly #call: PendingCall;
  readonly #outcome: Outcome;

  /** @throws what `encoder` throws; then no call was made. */
  constructor(target: Capability, method: Method, encoder: PayloadEncoder<never>, content: unknown) {
    this.#outcome = new Outcome();
    const [high, low] = halvesOf(method.interfaceId);
    this.#call = target.call(high, low, method.methodId, encoder, content as never, this.#outcome);
  }

  /**
   * The capability that the results will have at the end of these pointer fields, usable at once. The reference belongs to
   * the caller. To be asked for before the results are awaited.
   */
  pipeline(...pointers: number[]): Capability {
    return this.#call.pipeline(pointers);
  }

  // biome-ignore lint/suspicious/noThenProperty: it is to be awaited.
  then<Yes = Results, No = never>(
    onResults?: ((results: Results) => Yes | PromiseLike<Yes>) | null,
    onError?: ((error: RpcError) => No | PromiseLike<No>) | null,
  ): Promise<Yes | No> {
    return this.#outcome.take().then(onResults, onError);
  }

  /**
   * Tells the callee that nobody waits any more. The promise then stays as it is. Results that are there already, and that
   * nobody asked for, go back.
   */
  cancel(): void {
    this.#call.cancel();
    this.#outcome.drop();
  }

  [Symbol.dispose](): void {
    this.cancel();
  }
}

/**
 * Calls `method` of `target`. Borrows `target`.
 *
 * @param write fills the parameters; they are sent before this returns.
 */
export function callMethod(target: Capability, method: Method, write?: (params: StructBuilder) => void): MethodCall {
  return new MethodCall(target, method, structEncoder, { size: method.params, write });
}

/**
 * Streaming calls (`-> stream`): made in order without waiting for each other, as far as a window of unanswered bytes
 * allows. The first failure ends the stream.
 */
export class CallStream {
  readonly #target: Capability;
  readonly #window: FlowWindow;
  #last: Promise<unknown> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  /** @param window how much may be unanswered: default 64 KiB; `new AdaptiveWindow()` follows what the way holds. */
  constructor(target: Capability, window: WindowSize = fixedWindow(64 * 1024)) {
    this.#target = target;
    this.#window = new FlowWindow(window);
  }

  /** Bytes that were sent and are not answered. */
  get unansweredBytes(): number {
    return this.#window.unanswered;
  }

  /** Makes a call at once; resolves when there is room for the next, rejects once any of them failed. */
  async call(method: Method, write?: (params: StructBuilder) => void): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const sized = { size: method.params, write, bytes: 0 };
    const made = new MethodCall(this.#target, method, sizedEncoder, sized);
    const answered = this.#window.send(sized.bytes);
    this.#last = made.then(
      (results) => {
        results[Symbol.dispose]();
        answered();
      },
      (error: unknown) => {
        this.#failure ??= { error };
        this.#window.fail(error);
      },
    );
    await this.#window.whenRoom();
  }

  /** Resolves when all calls were answered. Rejects with the first failure. */
  async finish(): Promise<void> {
    for (let last: Promise<unknown> | undefined; last !== this.#last; ) {
      last = this.#last;
      await last;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

interface Sized {
  readonly size: StructSize;
  readonly write: ((params: StructBuilder) => void) | undefined;
  bytes: number;
}

/** Says how many bytes the content took. */
const sizedEncoder: PayloadEncoder<Sized> = {
  encode(out, content) {
    const start = out.writer.length;
    structEncoder.encode(out, content);
    content.bytes = out.writer.length - start;
  },
};

/** The outcome of a call as a promise. A failure that nobody waits for is no unhandled rejection. */
class Outcome implements ReturnSink {
  readonly #promise: Promise<Results>;
  #isTaken = false;
  #resolve!: (results: Results) => void;
  #reject!: (error: RpcError) => void;

  constructor() {
    this.#promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#promise.catch(() => {});
  }

  /** Whoever asks for the results owns them. */
  take(): Promise<Results> {
    this.#isTaken = true;
    return this.#promise;
  }

  drop(): void {
    if (this.#isTaken) return;
    this.#isTaken = true;
    this.#promise.then((results) => results[Symbol.dispose]()).catch(() => {});
  }

  handleResults(payload: ReceivedPayload): void {
    let struct: StructView;
    try {
      struct = StructView.of(payload);
    } catch (error) {
      payload.release();
      this.#reject(error as RpcError);
      return;
    }
    this.#resolve({ struct, payload, [Symbol.dispose]: () => payload.release() });
  }

  handleException(error: RpcError): void {
    this.#reject(error);
  }
}
