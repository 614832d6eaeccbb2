// A capability that is not known yet: calls made on it wait, in order.
import type { Limits } from "@capstan/wire";
import { RpcError } from "../errors.ts";
import { encodeStandalone, forwardEncoder, type PayloadEncoder, type ReceivedPayload } from "../payload.ts";
import { BrokenCapability, FailedCall } from "./broken.ts";
import { Capability, type IncomingCall, type PendingCall, type ReturnSink } from "./capability.ts";

/** Something that waits in the queue. */
interface Waiting {
  /** The promise resolved: borrow `target` and go. */
  proceed(target: Capability): void;
}

/**
 * A local promise for a capability. Pipelines on unanswered calls, and references under embargo, are such promises.
 *
 * States: pending (calls queue) → resolved (calls go straight to the target). Breaking is resolving to a
 * BrokenCapability. Invariant: the queue is empty once resolved, and everything queued went out before anything later.
 */
export class PromiseCapability extends Capability {
  readonly #limits: Limits;
  #queue: Waiting[] = [];
  #target: Capability | undefined;
  #listeners: (() => void)[] | undefined;

  constructor(limits: Limits) {
    super();
    this.#limits = limits;
  }

  /** Settles the promise. Takes over the reference to `target`. Only the first call counts; later targets are released. */
  resolve(target: Capability): void {
    const end = target.resolved;
    if (this.#target !== undefined) {
      target.release();
      return;
    }
    if (end === this) {
      target.release();
      this.resolve(new BrokenCapability(RpcError.failed("A promise for a capability resolved to itself.")));
      return;
    }
    this.#target = target;
    const queue = this.#queue;
    this.#queue = [];
    for (const waiting of queue) waiting.proceed(target);
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners !== undefined) for (const listener of listeners) listener();
  }

  call<T>(
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    encoder: PayloadEncoder<T>,
    content: T,
    sink: ReturnSink,
  ): PendingCall {
    if (this.#target !== undefined) {
      return this.resolved.call(interfaceHigh, interfaceLow, methodId, encoder, content, sink);
    }
    const params = encodeStandalone(encoder, content, this.#limits);
    const call = new QueuedCall(interfaceHigh, interfaceLow, methodId, params, sink, this.#limits);
    this.#queue.push(call);
    return call;
  }

  deliver(call: IncomingCall): void {
    if (this.#target !== undefined) this.resolved.deliver(call);
    else {
      this.#queue.push({
        proceed: (target) => {
          if (call.isPointless) call.returnException(RpcError.failed("The call was cancelled."));
          else target.deliver(call);
        },
      });
    }
  }

  protected override get next(): Capability | undefined {
    return this.#target;
  }

  override get isPromise(): boolean {
    return this.#target === undefined || this.resolved.isPromise;
  }

  override whenResolved(listener: () => void): void {
    if (this.#target !== undefined) this.resolved.whenResolved(listener);
    else (this.#listeners ??= []).push(listener);
  }

  override get brokenReason(): RpcError | undefined {
    return this.#target === undefined ? undefined : this.resolved.brokenReason;
  }

  override whenBroken(listener: (error: RpcError) => void): () => void {
    if (this.#target !== undefined) return this.resolved.whenBroken(listener);
    let off: (() => void) | undefined;
    let wanted = true;
    this.whenResolved(() => {
      if (wanted) off = this.resolved.whenBroken(listener);
    });
    return () => {
      wanted = false;
      off?.();
    };
  }

  protected dispose(): void {
    // Calls that wait still go out: whoever resolves this promise holds a reference until then.
    this.#target?.release();
  }
}

/**
 * A call made on a promise. States: waiting → forwarded (delegates to the real call) | cancelled.
 * Owns its params until it is forwarded or cancelled.
 */
class QueuedCall implements PendingCall, Waiting {
  readonly #interfaceHigh: number;
  readonly #interfaceLow: number;
  readonly #methodId: number;
  readonly #params: ReceivedPayload;
  readonly #limits: Limits;
  #sink: ReturnSink | undefined;
  #forwarded: PendingCall | undefined;
  #pipelines: { readonly transform: readonly number[]; readonly promise: PromiseCapability }[] | undefined;

  constructor(
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    params: ReceivedPayload,
    sink: ReturnSink,
    limits: Limits,
  ) {
    this.#interfaceHigh = interfaceHigh;
    this.#interfaceLow = interfaceLow;
    this.#methodId = methodId;
    this.#params = params;
    this.#sink = sink;
    this.#limits = limits;
  }

  pipeline(transform: readonly number[]): Capability {
    if (this.#forwarded !== undefined) return this.#forwarded.pipeline(transform);
    const promise = new PromiseCapability(this.#limits);
    (this.#pipelines ??= []).push({ transform, promise: promise.addRef() });
    return promise;
  }

  cancel(): void {
    this.#sink = undefined;
    this.#forwarded?.cancel();
  }

  proceed(target: Capability): void {
    const pipelines = this.#pipelines;
    // A cancelled call still runs when something was pipelined on it.
    if (this.#sink === undefined && pipelines === undefined) {
      this.#params.release();
      return;
    }
    const sink = this.#sink ?? DISCARD;
    const call = this.#forward(target, sink);
    this.#forwarded = call;
    this.#params.release();
    if (pipelines === undefined) return;
    this.#pipelines = undefined;
    for (const { transform, promise } of pipelines) {
      promise.resolve(call.pipeline(transform));
      promise.release();
    }
  }

  #forward(target: Capability, sink: ReturnSink): PendingCall {
    try {
      return target.call(this.#interfaceHigh, this.#interfaceLow, this.#methodId, forwardEncoder, this.#params, sink);
    } catch (error) {
      return new FailedCall(RpcError.from(error), sink);
    }
  }
}

/** Takes an outcome that nobody waits for. */
export const DISCARD: ReturnSink = {
  handleResults: (results) => results.release(),
  handleException: () => {},
};
