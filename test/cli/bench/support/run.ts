// Results of made-up runs.
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
