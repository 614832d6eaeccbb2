// A capability that is not known yet: calls made on it wait, in order.
import { DEFAULT_LIMITS, type Limits } from "@capstan/wire";
import { RpcError, runGuarded } from "../errors.ts";
import { eachInTurns } from "../later-turn.ts";
import { encodeStandalone, forwardEncoder, type PayloadEncoder, type ReceivedPayload } from "../payload.ts";
import { BrokenCapability, FailedCall } from "./broken.ts";
import { Capability, type IncomingCall, type PendingCall, type ReturnSink } from "./capability.ts";
import { InTurn } from "./in-turn.ts";
import { Places } from "./places.ts";
import { ResolutionListeners } from "./resolution-listeners.ts";
import { capabilityAt } from "./transform.ts";

const FAILURES_PER_TURN = 4096;

/** Something that waits in the queue. */
interface Waiting {
  /** The promise resolved: borrow `target` and go. */
  proceed(target: Capability): void;
}

/** What waits for a promise may settle the next one. */
let resolutions: InTurn<{ readonly promise: PromiseCapability; readonly target: Capability }>;

/**
 * A local promise for a capability. Pipelines on unanswered calls, and references under embargo, are such promises.
 *
 * States: pending (calls queue) → resolved (calls go straight to the target). Breaking is resolving to a
 * BrokenCapability. Invariants: each call that waits holds a reference; the queue is empty once resolved, and everything
 * queued went out before anything later. But for failures: those of a long queue follow in later turns.
 */
export class PromiseCapability extends Capability {
  readonly #limits: Limits;
  readonly #queue = new Set<Waiting>();
  #target: Capability | undefined;
  #isResolving = false;
  #listeners: ResolutionListeners | undefined;

  /** @param limits of calls that wait for it. */
  constructor(limits: Limits = DEFAULT_LIMITS) {
    super();
    this.#limits = limits;
  }

  /**
   * Settles the promise. Takes over the reference to `target`. Only the first call counts; later targets are released.
   * Where promises settle each other in a long row, it is pending until its turn comes.
   */
  resolve(target: Capability): void {
    resolutions.run({ promise: this.addRef(), target });
  }

  #resolve(target: Capability): void {
    if (this.#target !== undefined || this.#isResolving) {
      target.release();
      return;
    }
    const reason = this.whyNot(target);
    if (reason !== undefined) {
      target.release();
      this.#resolve(new BrokenCapability(reason));
      return;
    }
    this.#isResolving = true;
    this.addRef();
    // Calls that are made meanwhile go behind those that wait. Those that fail have no order to keep.
    const proceed = (waiting: Waiting): number => {
      this.#queue.delete(waiting);
      runGuarded(() => waiting.proceed(target));
      this.release();
      return 1;
    };
    if (target instanceof BrokenCapability) eachInTurns(this.#queue.values(), FAILURES_PER_TURN, proceed);
    else for (const waiting of this.#queue) proceed(waiting);
    this.#target = target;
    this.#listeners?.run();
    this.#listeners = undefined;
    this.release();
  }

  static {
    resolutions = new InTurn(({ promise, target }) => {
      promise.#resolve(target);
      promise.release();
    });
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
    const leave = (waiting: Waiting): boolean => this.#leave(waiting);
    const call = new QueuedCall(interfaceHigh, interfaceLow, methodId, params, sink, this.#limits, leave, this);
    this.#wait(call);
    return call;
  }

  deliver(call: IncomingCall): void {
    if (this.#target !== undefined) {
      this.resolved.deliver(call);
      return;
    }
    const waiting: Waiting = {
      proceed: (target) => {
        call.onCancel = undefined;
        target.deliver(call);
      },
    };
    call.onCancel = () => {
      // One that must reach its callee all the same waits on.
      if (!call.isPointless || !this.#leave(waiting)) return;
      call.returnException(RpcError.failed("The call was cancelled."));
    };
    this.#wait(waiting);
  }

  #wait(waiting: Waiting): void {
    this.addRef();
    this.#queue.add(waiting);
  }

  /** A call waits no more. False where it did not. */
  #leave(waiting: Waiting): boolean {
    if (!this.#queue.delete(waiting)) return false;
    this.release();
    return true;
  }

  protected override get next(): Capability | undefined {
    return this.#target;
  }

  protected override shorten(further: Capability): void {
    const target = this.#target;
    this.#target = further;
    target?.release();
  }

  override get isPromise(): boolean {
    return this.#target === undefined || this.resolved.isPromise;
  }

  override whenResolved(listener: () => void): () => void {
    if (this.#target !== undefined) return this.resolved.whenResolved(listener);
    this.#listeners ??= new ResolutionListeners();
    return this.#listeners.add(listener);
  }

  override get brokenReason(): RpcError | undefined {
    return this.#target === undefined ? undefined : this.resolved.brokenReason;
  }

  override whenBroken(listener: (error: RpcError) => void): () => void {
    if (this.#target !== undefined) return this.resolved.whenBroken(listener);
    let off = this.whenResolved(() => {
      off = this.resolved.whenBroken(listener);
    });
    return () => off();
  }

  protected dispose(): void {
    this.#target?.release();
  }
}

/** Something pipelined on a call, while it is not answered. */
class PipelinePromise extends PromiseCapability {
  readonly transform: readonly number[];
  readonly #pipelines: ResultPipelines;

  constructor(limits: Limits, pipelines: ResultPipelines, transform: readonly number[]) {
    super(limits);
    this.#pipelines = pipelines;
    this.transform = transform;
  }

  /** Until the call is made it is what it waits for. */
  protected override get behind(): Capability | undefined {
    return this.#pipelines.waitsFor;
  }

  protected override dispose(): void {
    super.dispose();
    this.#pipelines.drop(this);
  }
}

/**
 * What is pipelined on a call to this vat: one promise for each transform asked for, so that calls made through the same
 * one keep their order.
 *
 * States: waiting (calls queue; each promise is held by somebody else) → settled by the call's outcome (empty). Or
 * waiting → following: the call was made again elsewhere, and calls go on to what is pipelined there; those promises are
 * held here until `release`, because what they lead to may be under an embargo that the outcome itself knows nothing of.
 */
export class ResultPipelines {
  /** The promise that the call waits for, where it has not been made. Borrowed. */
  waitsFor: Capability | undefined = undefined;
  readonly #limits: Limits;
  readonly #onUnused: () => void;
  readonly #promises = new Places<PipelinePromise>();
  #onward: PendingCall | undefined;

  /** @param onUnused told when nobody holds any of the promises any more, while they wait. */
  constructor(limits: Limits, onUnused: () => void, onward?: PendingCall) {
    this.#limits = limits;
    this.#onUnused = onUnused;
    this.#onward = onward;
  }

  /** Whether anybody waits for the call's outcome in order to call something in it. */
  get isAwaited(): boolean {
    return this.#onward === undefined && this.#promises.size > 0;
  }

  /** A promise for the capability at `transform`. The reference belongs to the caller. */
  get(transform: readonly number[]): Capability {
    const known = this.known(transform);
    if (known !== undefined) return known;
    const promise = new PipelinePromise(this.#limits, this, transform);
    this.#promises.add(promise);
    if (this.#onward === undefined) return promise;
    promise.resolve(this.#onward.pipeline(transform));
    return promise.addRef();
  }

  /** The same where it was asked for before; else undefined. */
  known(transform: readonly number[]): Capability | undefined {
    return this.#promises.get(transform)?.addRef();
  }

  /** The call was made again as `onward`. */
  follow(onward: PendingCall): void {
    this.#onward = onward;
    for (const promise of this.#promises.values()) promise.addRef().resolve(onward.pipeline(promise.transform));
  }

  /** The call was answered: borrow `results`. */
  resolve(results: ReceivedPayload): void {
    this.settle((transform) => capabilityAt(results, transform));
  }

  /** The call failed: everything pipelined on it fails with the same error. */
  reject(error: RpcError): void {
    this.settle(() => new BrokenCapability(error));
  }

  /** What was pipelined is known by now. Takes over the references that `target` gives. */
  settle(target: (transform: readonly number[]) => Capability): void {
    if (this.#onward !== undefined) return;
    for (const promise of this.#promises.drain()) promise.resolve(target(promise.transform));
  }

  /** Nothing will be asked for any more. */
  release(): void {
    const promises = this.#promises.drain();
    if (this.#onward !== undefined) for (const promise of promises) promise.release();
  }

  /** Nobody holds `promise` any more. */
  drop(promise: PipelinePromise): void {
    if (this.#promises.delete(promise) && this.#promises.size === 0) this.#onUnused();
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
  readonly #leave: (waiting: Waiting) => boolean;
  readonly #pipelines: ResultPipelines;
  #sink: ReturnSink | undefined;
  #forwarded: PendingCall | undefined;

  constructor(
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    params: ReceivedPayload,
    sink: ReturnSink,
    limits: Limits,
    leave: (waiting: Waiting) => boolean,
    promise: Capability,
  ) {
    this.#interfaceHigh = interfaceHigh;
    this.#interfaceLow = interfaceLow;
    this.#methodId = methodId;
    this.#params = params;
    this.#sink = sink;
    this.#leave = leave;
    this.#pipelines = new ResultPipelines(limits, () => this.#leaveIfUnused());
    this.#pipelines.waitsFor = promise;
  }

  pipeline(transform: readonly number[]): Capability {
    return this.#forwarded?.pipeline(transform) ?? this.#pipelines.get(transform);
  }

  cancel(): void {
    this.#sink = undefined;
    this.#forwarded?.cancel();
    this.#leaveIfUnused();
  }

  proceed(target: Capability): void {
    const call = this.#forward(target, this.#sink ?? DISCARD);
    this.#forwarded = call;
    this.#params.release();
    this.#pipelines.waitsFor = undefined;
    this.#pipelines.settle((transform) => call.pipeline(transform));
    if (this.#sink === undefined) call.cancel();
  }

  /** A call whose outcome nobody waits for, and that nothing is pipelined on, need not be made. */
  #leaveIfUnused(): void {
    if (this.#sink !== undefined || this.#pipelines.isAwaited || !this.#leave(this)) return;
    this.#params.release();
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
