// Measures calls between two Workers of one process from outside of it: a request says how many calls to make, and is
// answered when all are back. Clocks within workerd stand still while code runs.
import { type ClosedLoopOptions, type Sample, toSample } from "../../packages/cli/src/bench/load/closed-loop.ts";
import { median } from "../../packages/cli/src/bench/statistics.ts";
import { LOOPBACK } from "../loopback.ts";
import type { PeerClient } from "../peer.ts";

/** Requests without calls, whose time is taken off. */
const EMPTY = 5;
/** A first request makes so many; each further one more, until one takes long enough. */
const FIRST_CALLS = 100;
const GROWTH = 4;

/** The client of a caller that listens at this port. */
export function byRequest(port: number): PeerClient {
  return { measure: (options) => measure((calls, inFlight) => request(port, calls, inFlight), options), close() {} };
}

/** Milliseconds of a request for so many calls. Rejects where the caller saw a wrong sum. */
async function request(port: number, calls: number, inFlight: number): Promise<number> {
  const from = performance.now();
  const response = await fetch(`http://${LOOPBACK}:${port}/?calls=${calls}&inFlight=${inFlight}`);
  const text = await response.text();
  if (!response.ok) throw new Error(`the caller answered ${response.status}: ${text.split("\n", 1)[0]}`);
  return performance.now() - from;
}

/**
 * One measurement by ever larger requests, the last of which takes about `duration` and counts. It has no latencies.
 *
 * @param ask the milliseconds of a request for so many calls, so many of them in flight.
 */
export async function measure(
  ask: (calls: number, inFlight: number) => Promise<number>,
  { inFlight, duration }: ClosedLoopOptions,
): Promise<Sample> {
  const empty: number[] = [];
  for (let made = 0; made < EMPTY; made++) empty.push(await ask(0, inFlight));
  const overhead = median(empty);
  const timeOf = async (calls: number): Promise<number> => (await ask(calls, inFlight)) - overhead;
  let calls = Math.max(FIRST_CALLS, inFlight);
  let time = await timeOf(calls);
  // A short request says little about a long one, and may seem to take no time at all: come near it step by step.
  while (time * GROWTH < duration) {
    calls *= GROWTH;
    time = await timeOf(calls);
  }
  calls = Math.max(inFlight, Math.round((calls * duration) / time));
  const seconds = (await timeOf(calls)) / 1_000;
  return toSample({ calls, seconds, callsInAll: calls });
}
