// The measurement: N independent loops, each awaiting its call before it makes the next. Every sum is checked.
import { build } from "hdr-histogram-js";
import type { PeerClient } from "./peer.ts";

/** How long calls may take to come back once the time is up, in milliseconds. */
const DRAIN_MS = 5_000;
/** Latencies are recorded in nanoseconds, up to a minute, to three digits. */
const MICROSECOND = 1_000;
const MINUTE = 60_000_000_000;

/** Latencies of single calls, in microseconds. */
export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** What one measurement gave. Calls count when they come back in time; with one in flight there are latencies too. */
export interface Sample {
  readonly calls: number;
  readonly seconds: number;
  readonly callsPerSecond: number;
  readonly latency?: Latency;
}

interface Clock {
  running: boolean;
  completed: number;
}

/** Runs one measurement of about `milliseconds`. Rejects on a wrong sum, a failed call, or calls that never come back. */
export async function measure(client: PeerClient, inFlight: number, milliseconds: number): Promise<Sample> {
  const clock: Clock = { running: true, completed: 0 };
  const histogram = inFlight === 1 ? build({ highestTrackableValue: MINUTE, autoResize: true }) : undefined;
  const started = performance.now();
  const loops =
    histogram === undefined
      ? Promise.all(Array.from({ length: inFlight }, (_, id) => callInLoop(client, clock, id)))
      : callInRow(client, clock, (nanoseconds) => histogram.recordValue(nanoseconds));
  try {
    await Promise.race([loops, elapse(milliseconds)]);
    // Counted here, before the calls still in flight come back.
    const seconds = (performance.now() - started) / 1_000;
    const calls = clock.completed;
    clock.running = false;
    await Promise.race([loops, elapse(DRAIN_MS).then(() => fail(`calls have not come back within ${DRAIN_MS} ms`))]);
    const sample = { calls, seconds, callsPerSecond: calls / seconds };
    if (histogram === undefined || histogram.totalCount === 0) return sample;
    const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / MICROSECOND;
    const latency = { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: histogram.maxValue / MICROSECOND };
    return { ...sample, latency };
  } finally {
    clock.running = false;
  }
}

/** One of the N loops. `b` differs from loop to loop and `a` from call to call, so that a mixed-up reply is noticed. */
async function callInLoop(client: PeerClient, clock: Clock, id: number): Promise<void> {
  let a = id;
  while (clock.running) {
    a = (a + 1) % 1_000;
    const sum = await client.call(a, id);
    if (sum !== a + id) fail(`wrong sum: add(${a}, ${id}) gave ${String(sum)}`);
    clock.completed++;
  }
}

/** The loop of single calls in a row, each timed. */
async function callInRow(client: PeerClient, clock: Clock, record: (nanoseconds: number) => void): Promise<void> {
  let a = 0;
  while (clock.running) {
    a = (a + 1) % 1_000;
    const from = performance.now();
    const sum = await client.call(a, 7);
    const to = performance.now();
    if (sum !== a + 7) fail(`wrong sum: add(${a}, 7) gave ${String(sum)}`);
    record(Math.round((to - from) * 1e6));
    clock.completed++;
  }
}

function elapse(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}

function fail(message: string): never {
  throw new Error(message);
}
