// Made-up runs of the comparison.
import {
  emptyPeer,
  type Metric,
  type PeerResult,
  type RunResult,
  record,
} from "../../../packages/cli/src/bench/results.ts";
import { runOf } from "../../cli/bench/support/run.ts";

/** A peer with these metrics and their rounds. */
export function peerOf(name: string, ...metrics: readonly (readonly [Metric, readonly number[]])[]): PeerResult {
  const peer = emptyPeer(name, `what ${name} is`);
  for (const [metric, rounds] of metrics) for (const value of rounds) record(peer, [{ metric, value }]);
  return peer;
}

/** A run of these peers. */
export function runWith(...peers: PeerResult[]): RunResult {
  return { ...runOf([]), settings: { "seconds of a measurement": 1 }, peers };
}
