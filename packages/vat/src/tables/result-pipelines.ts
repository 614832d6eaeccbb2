// The capabilities that were pipelined on a call of this vat before it was answered.
import type { Limits } from "@capstan/wire";
import { BrokenCapability } from "../capabilities/broken.ts";
import type { Capability } from "../capabilities/capability.ts";
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

/** One promise for each transform asked for, so that calls made through the same one keep their order. */
export class ResultPipelines {
  readonly #limits: Limits;
  readonly #pipelines: Pipeline[] = [];

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** A promise for the capability at `transform`. The reference belongs to the caller. */
  get(transform: readonly number[]): Capability {
    const known = this.#pipelines.find((pipeline) => sameTransform(pipeline.transform, transform));
    if (known !== undefined) return known.promise.addRef();
    const promise = new PromiseCapability(this.#limits);
    this.#pipelines.push({ transform, promise: promise.addRef() });
    return promise;
  }

  /** The call was answered: borrow `results`. */
  resolve(results: ReceivedPayload): void {
    this.#settle((transform) => capabilityAt(results, transform));
  }

  /** The call failed: everything pipelined on it fails with the same error. */
  reject(error: RpcError): void {
    this.#settle(() => new BrokenCapability(error));
  }

  #settle(target: (transform: readonly number[]) => Capability): void {
    for (const { transform, promise } of this.#pipelines.splice(0)) {
      promise.resolve(target(transform));
      promise.release();
    }
  }
}

export function sameTransform(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((field, index) => field === b[index]);
}
