// A capability on which every call fails.

import { resolveLimits } from "@capstan/wire";
import { RpcError } from "../errors.ts";
import { encodeStandalone, type PayloadEncoder } from "../payload.ts";
import { Capability, type IncomingCall, type PendingCall, type ReturnSink } from "./capability.ts";

const LIMITS = resolveLimits();

/** Stands for an object that could not be reached, with the reason. */
export class BrokenCapability extends Capability {
  #error: RpcError | string;

  /** @param error or its message: one that no peer sent, made when it is first asked for. Errors have stacks, which cost. */
  constructor(error: RpcError | string) {
    super();
    this.#error = error;
  }

  call<T>(
    _interfaceHigh: number,
    _interfaceLow: number,
    _methodId: number,
    encoder: PayloadEncoder<T>,
    content: T,
    sink: ReturnSink,
  ): PendingCall {
    // Encoded all the same: what cannot be sent fails alike, wherever the object turns out to be.
    encodeStandalone(encoder, content, LIMITS).release();
    return new FailedCall(this.brokenReason, sink);
  }

  deliver(call: IncomingCall): void {
    call.returnException(this.brokenReason);
  }

  override get brokenReason(): RpcError {
    if (typeof this.#error === "string") this.#error = RpcError.failed(this.#error);
    return this.#error;
  }

  override whenBroken(listener: (error: RpcError) => void): () => void {
    let wanted = true;
    queueMicrotask(() => {
      if (wanted) listener(this.brokenReason);
    });
    return () => {
      wanted = false;
    };
  }

  protected dispose(): void {}
}

/** A call that failed before it left this vat. */
export class FailedCall implements PendingCall {
  readonly #error: RpcError;
  #sink: ReturnSink | undefined;

  constructor(error: RpcError, sink: ReturnSink) {
    this.#error = error;
    this.#sink = sink;
    queueMicrotask(() => this.#fail());
  }

  pipeline(): Capability {
    return new BrokenCapability(this.#error);
  }

  cancel(): void {
    this.#sink = undefined;
  }

  #fail(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.handleException(this.#error);
  }
}
