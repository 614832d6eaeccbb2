// Objects of this vat, and calls to them that never leave it.
import { DEFAULT_LIMITS, type Limits } from "@capstan/wire";
import { RpcError, runGuarded } from "../errors.ts";
import { encodeStandalone, type PayloadEncoder, type ReceivedPayload } from "../payload.ts";
import { BrokenCapability } from "./broken.ts";
import { Capability, type IncomingCall, type PendingCall, type ReturnSink, type Server } from "./capability.ts";
import { ResultPipelines } from "./promise.ts";
import { capabilityAt } from "./transform.ts";

/** A capability whose object is a `Server` in this vat. */
export class LocalCapability extends Capability {
  readonly server: Server;
  readonly #limits: Limits;

  /** @param limits of calls from within this vat; those from elsewhere have their connection's. */
  constructor(server: Server, limits: Limits = DEFAULT_LIMITS) {
    super();
    this.server = server;
    this.#limits = limits;
  }

  call<T>(
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    encoder: PayloadEncoder<T>,
    content: T,
    sink: ReturnSink,
  ): PendingCall {
    const params = encodeStandalone(encoder, content, this.#limits);
    const call = new LocalCall(this.addRef(), interfaceHigh, interfaceLow, methodId, params, sink, this.#limits);
    // Never inside the caller's own turn; microtasks keep the order.
    queueMicrotask(() => call.start());
    return call;
  }

  deliver(call: IncomingCall): void {
    this.server.dispatch(call);
  }

  protected dispose(): void {
    // Whoever let go of the last reference has other things to end.
    runGuarded(() => this.server.release?.());
  }
}

/**
 * Both ends of a call within this vat.
 *
 * States: queued → running → answered. Cancelling a queued or running call tells the callee once and drops the outcome
 * for the sink; capabilities pipelined on it still get theirs.
 */
class LocalCall implements PendingCall, IncomingCall {
  readonly interfaceHigh: number;
  readonly interfaceLow: number;
  readonly methodId: number;
  readonly params: ReceivedPayload;
  readonly origin = undefined;
  onCancel: (() => void) | undefined = undefined;
  readonly #limits: Limits;
  #target: LocalCapability | undefined;
  #sink: ReturnSink | undefined;
  #pipelines: ResultPipelines | undefined;
  #outcome: ReceivedPayload | RpcError | undefined;
  /** True once the caller gave up; cancelled once nothing that is pipelined on the call waits either. */
  #unwanted = false;
  #cancelled = false;
  #isStarted = false;
  #onward: PendingCall | undefined;

  constructor(
    target: LocalCapability,
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    params: ReceivedPayload,
    sink: ReturnSink,
    limits: Limits,
  ) {
    this.#target = target;
    this.interfaceHigh = interfaceHigh;
    this.interfaceLow = interfaceLow;
    this.methodId = methodId;
    this.params = params;
    this.#sink = sink;
    this.#limits = limits;
  }

  start(): void {
    this.#isStarted = true;
    if (this.isPointless) this.returnException(RpcError.failed("The call was cancelled."));
    else this.#target?.server.dispatch(this);
  }

  get isPointless(): boolean {
    return this.#cancelled;
  }

  forwardTo(onward: PendingCall): void {
    if (this.#outcome !== undefined) return;
    this.#onward = onward;
    this.onCancel = () => this.#cancelOnward(onward);
    this.#pipelines?.follow(onward);
    if (this.isPointless) this.#cancelOnward(onward);
  }

  /** What is cancelled tells nobody of its outcome: this is over at once. */
  #cancelOnward(onward: PendingCall): void {
    onward.cancel();
    this.returnException(RpcError.failed("The call was cancelled."));
  }

  pipeline(transform: readonly number[]): Capability {
    const known = this.#pipelines?.known(transform);
    if (known !== undefined) return known;
    const outcome = this.#outcome;
    if (outcome instanceof RpcError) return new BrokenCapability(outcome);
    if (outcome !== undefined) return capabilityAt(outcome, transform);
    this.#pipelines ??= new ResultPipelines(this.#limits, () => this.#cancelIfUnused(), this.#onward);
    return this.#pipelines.get(transform);
  }

  cancel(): void {
    this.#sink = undefined;
    this.#unwanted = true;
    if (this.#onward !== undefined) this.#pipelines?.release();
    // Behind the calls that were made before: one of them may tell why.
    if (this.#isStarted) queueMicrotask(() => this.#cancelIfUnused());
    else this.#cancelIfUnused();
  }

  #cancelIfUnused(): void {
    if (!this.#unwanted || this.#cancelled || this.#outcome !== undefined || this.#pipelines?.isAwaited === true)
      return;
    this.#cancelled = true;
    const onCancel = this.onCancel;
    this.onCancel = undefined;
    onCancel?.();
  }

  returnResults<T>(encoder: PayloadEncoder<T>, content: T): void {
    if (this.#outcome !== undefined) return;
    const results = encodeStandalone(encoder, content, this.#limits);
    this.#settle(results);
    this.#pipelines?.resolve(results);
    if (this.#sink === undefined) this.#pass(results);
    else queueMicrotask(() => this.#pass(results));
  }

  /** To the sink, unless that gave up meanwhile. */
  #pass(results: ReceivedPayload): void {
    const sink = this.#sink;
    this.#sink = undefined;
    if (sink === undefined) results.release();
    else sink.handleResults(results);
    this.#pipelines?.release();
  }

  returnException(error: RpcError): void {
    if (this.#outcome !== undefined) return;
    this.#settle(error);
    this.#pipelines?.reject(error);
    if (this.#sink !== undefined) {
      queueMicrotask(() => {
        const sink = this.#sink;
        this.#sink = undefined;
        sink?.handleException(error);
      });
    }
    this.#pipelines?.release();
  }

  #settle(outcome: ReceivedPayload | RpcError): void {
    this.#outcome = outcome;
    this.onCancel = undefined;
    this.params.release();
    this.#target?.release();
    this.#target = undefined;
  }
}
