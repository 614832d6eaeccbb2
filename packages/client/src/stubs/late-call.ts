// A call that cannot be made yet, because an argument must be read first.
import { type Capability, type PendingCall, PromiseCapability } from "@capstan/vat";
import type { Limits } from "@capstan/wire";

/**
 * States: waiting → made (delegates to the real call) | failed | cancelled. What is pipelined on it meanwhile leads on to
 * the real call's results.
 */
export class LateCall implements PendingCall {
  readonly #limits: Limits;
  readonly #pipelines: { readonly transform: readonly number[]; readonly promise: PromiseCapability }[] = [];
  #made: PendingCall | undefined;
  #cancelled = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get isCancelled(): boolean {
    return this.#cancelled;
  }

  pipeline(transform: readonly number[]): Capability {
    if (this.#made !== undefined) return this.#made.pipeline(transform);
    const promise = new PromiseCapability(this.#limits);
    this.#pipelines.push({ transform, promise: promise.addRef() });
    return promise;
  }

  cancel(): void {
    this.#cancelled = true;
    this.#made?.cancel();
  }

  /** The real call was made, or `broken` stands for what it would have returned. Takes over that reference. */
  settle(made: PendingCall | undefined, broken?: Capability): void {
    this.#made = made;
    for (const { transform, promise } of this.#pipelines.splice(0)) {
      const target = made?.pipeline(transform) ?? broken?.addRef();
      if (target !== undefined) promise.resolve(target);
      promise.release();
    }
    broken?.release();
  }
}
