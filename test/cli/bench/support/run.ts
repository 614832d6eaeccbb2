// Results of made-up runs.
import type { Latency } from "../../../../packages/cli/src/bench/load/latency.ts";
import {
  atRate,
  chain,
  cpuPerCall,
  curveReading,
  IN_A_ROW,
  latencyReadings,
  throughput,
} from "../../../../packages/cli/src/bench/metrics.ts";
import { emptyPeer, type Metric, type RunResult, record } from "../../../../packages/cli/src/bench/results.ts";

/** A run of one peer with these metrics and their rounds. */
export function runOf(metrics: readonly (readonly [Metric, readonly number[]])[], name = "capstan"): RunResult {
  const peer = emptyPeer(name, "made up");
  for (const [metric, rounds] of metrics) for (const value of rounds) record(peer, [{ metric, value }]);
  return {
    format: "capstan-bench",
    version: 1,
    when: "2026-11-24T12:00:00.000Z",
    machine: {
      cpu: "a cpu",
      cores: 2,
      memoryGiB: 8,
      platform: "linux x64",
      node: "v20.19.0",
      commit: "abc1234",
      loadBefore: 0,
    },
    rounds: 2,
    settings: { connections: 1 },
    peers: [peer],
  };
}

/** Of every load of `fullRun`. */
export const latency: Latency = { p50: 100, p90: 200, p99: 400, p999: 800, max: 900, curve: [50, 60, 100, 150, 200] };

/** A run of one peer with some of everything that is drawn. */
export function fullRun(): RunResult {
  const run = runOf([
    [throughput(1), [5_000, 6_000]],
    [throughput(64), [100_000, 120_000]],
    [cpuPerCall("client", 64), [3, 5]],
    ...[0, 50].flatMap((trip) =>
      [1, 4].flatMap((length) => [
        [chain(trip, length, "pipelined"), [51_000, 53_000]] as const,
        [chain(trip, length, "awaited"), [length * 51_000, length * 53_000]] as const,
      ]),
    ),
  ]);
  for (const load of [IN_A_ROW, atRate(1_000)]) {
    record(run.peers[0]!, latencyReadings(load, latency), curveReading(load, latency));
  }
  return run;
}
