// The way from the results of a call to a capability in them.
import type { ReceivedPayload } from "../payload.ts";
import { BrokenCapability } from "./broken.ts";
import type { Capability } from "./capability.ts";

/** Reason of the exception on a call to a place in some results that holds no capability. */
export const NO_CAPABILITY_REASON = "The results hold no capability at the place that the call was pipelined on.";

export function noCapability(): BrokenCapability {
  return new BrokenCapability(NO_CAPABILITY_REASON);
}

/** Follows `transform` in results that have arrived. The reference belongs to the caller. */
export function capabilityAt(results: ReceivedPayload, transform: readonly number[]): Capability {
  return results.follow(transform)?.addRef() ?? noCapability();
}
