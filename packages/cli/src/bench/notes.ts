// What a reader of a run must know beside its figures.
import { formatCount } from "./figures.ts";
import { reachedRate } from "./metrics.ts";
import { type PeerResult, spreadOf } from "./results.ts";

/** An open loop that reaches less of its rate than this has measured a queue. */
const LEAST_OF_RATE = 0.95;

/** A line for each rate, in calls per second, that its open loop did not reach. */
export function missedRates(peer: PeerResult, rates: readonly number[]): string[] {
  return rates.flatMap((rate) => {
    const reached = spreadOf(peer, reachedRate(rate).id)?.median;
    if (reached === undefined || reached >= LEAST_OF_RATE * rate) return [];
    return [`the open loop of ${formatCount(rate)} calls/s reached ${formatCount(reached)} calls/s only`];
  });
}
