// The capabilities that were pipelined on a call to this vat before it was answered.
import type { Limits } from "@capstan/wire";
import { BrokenCapability } from "../capabilities/broken.ts";
import type { Capability, PendingCall } from "../capabilities/capability.ts";
import { PromiseCapability } from "../capabilities/promise.ts";
import { RpcError } from "../errors.ts";
import type { ReceivedPayload } from "../payload.ts";

interface Pipeline {
  readonly transform: readonly number[];
  readonly promise: PromiseCapability;
}

/** Reason of the exception on a call to a place in some results that holds no capability. */
export const NO_CAPABILITY_REASON = "The results hold no capability at the place that the call was pipelined on.";

export function noCapability(): BrokenCapability {
  return new BrokenCapability(RpcError.failed(NO_CAPABILITY_REASON));
}

/** Follows `transform` in results that have arrived. The reference belongs to the caller. */
export function capabilityAt(results: ReceivedPayload, transform: readonly number[]): Capability {
  return results.follow(transform)?.addRef() ?? noCapability();
}

/**
 * One promise for each transform asked for, so that calls made through the same one keep their order.
 *
 * States: waiting (calls queue) → settled by the call's outcome (empty). Or waiting → following: the call was made
 * again elsewhere, and calls go on to what is pipelined there; those promises are kept until `release`, because what
 * they lead to may be under an embargo that the outcome itself knows nothing of.
 */
export class ResultPipelines {
  readonly #limits: Limits;
  readonly #pipelines: Pipeline[] = [];
  #onward: PendingCall | undefined;

  constructor(limits: Limits, onward: PendingCall | undefined) {
    this.#limits = limits;
    this.#onward = onward;
  }

  /** A promise for the capability at `transform`. The reference belongs to the caller. */
  get(transform: readonly number[]): Capability {
    const known = this.known(transform);
    if (known !== undefined) return known;
    const promise = new PromiseCapability(this.#limits);
    this.#pipelines.push({ transform, promise: promise.addRef() });
    if (this.#onward !== undefined) promise.resolve(this.#onward.pipeline(transform));
    return promise;
  }

  /** The same where it was asked for before; else undefined. */
  known(transform: readonly number[]): Capability | undefined {
    return this.#pipelines.find((pipeline) => sameTransform(pipeline.transform, transform))?.promise.addRef();
  }

  /** The call was made again as `onward`. */
  follow(onward: PendingCall): void {
    this.#onward = onward;
    for (const { transform, promise } of this.#pipelines) promise.resolve(onward.pipeline(transform));
  }

  /** The call was answered: borrow `results`. */
  resolve(results: ReceivedPayload): void {
    this.#settle((transform) => capabilityAt(results, transform));
  }

  /** The call failed: everything pipelined on it fails with the same error. */
  reject(error: RpcError): void {
    this.#settle(() => new BrokenCapability(error));
  }

  /** Nothing will be asked for any more. */
  release(): void {
    for (const { promise } of this.#pipelines.splice(0)) promise.release();
  }

  #settle(target: (transform: readonly number[]) => Capability): void {
    if (this.#onward !== undefined) return;
    for (const { transform, promise } of this.#pipelines.splice(0)) {
      promise.resolve(target(transform));
      promise.release();
    }
  }
}

export function sameTransform(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((field, index) => field === b[index]);
}
