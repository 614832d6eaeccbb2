// The figures of the comparison, and the ratios and targets taken from them. No I/O.
import type { Sample } from "../packages/cli/src/bench/load/closed-loop.ts";
import { curveReading, IN_A_ROW, inFlight, latencyReadings, throughput } from "../packages/cli/src/bench/metrics.ts";
import { type PeerResult, type RunResult, record, valuesOf } from "../packages/cli/src/bench/results.ts";
import { ratioSpread, type Spread, spread } from "../packages/cli/src/bench/statistics.ts";
import type { PeerName } from "./peer.ts";

/** Calls in flight, one column each. */
export const LEVELS = [1, 16, 64, 256] as const;
export type Level = (typeof LEVELS)[number];

/** Adds what one round gave. */
export function recordSample(peer: PeerResult, level: Level, { callsPerSecond, latency }: Sample): void {
  const load = level === 1 ? IN_A_ROW : inFlight(level);
  const readings = [{ metric: throughput(level), value: callsPerSecond }, ...latencyReadings(load, latency)];
  record(peer, readings, curveReading(load, latency));
}

/** One column of figures: calls/s at a level, or a percentile of single calls in µs. */
export type Column = Level | "p50" | "p99";
export const COLUMNS: readonly Column[] = [...LEVELS, "p50", "p99"];

function values(peer: PeerResult, column: Column): readonly number[] {
  return valuesOf(peer, typeof column === "number" ? throughput(column).id : `${IN_A_ROW.id}/${column}`);
}

export function figure(peer: PeerResult, column: Column): Spread | undefined {
  return spread(values(peer, column));
}

/** `peer` in multiples of `base`, round by round. */
export function ratio(peer: PeerResult, base: PeerResult, column: Column): Spread | undefined {
  return ratioSpread(values(peer, column), values(base, column));
}

/** What the project aims at: the ratio of Capstan to `base`, at least or at most. */
interface Target {
  readonly text: string;
  readonly base: PeerName;
  readonly column: Column;
  readonly atLeast?: number;
  readonly atMost?: number;
}

const TARGETS: readonly Target[] = [
  { text: "256 in flight: ≥ 10× capnweb", base: "capnweb", column: 256, atLeast: 10 },
  { text: "256 in flight: ≥ 3× rpc-websockets", base: "rpc-websockets", column: 256, atLeast: 3 },
  { text: "64 in flight: ≥ 0.35× the no-codec ceiling", base: "ceiling", column: 64, atLeast: 0.35 },
  { text: "one call, p50: ≤ 1.25× the raw echo", base: "ws-echo", column: "p50", atMost: 1.25 },
  { text: "one call, p50: below capnweb's", base: "capnweb", column: "p50", atMost: 1 },
  { text: "one call, p50: below rpc-websockets'", base: "rpc-websockets", column: "p50", atMost: 1 },
  { text: "one call, p50: below socket.io's", base: "socket.io", column: "p50", atMost: 1 },
];

export interface TargetResult {
  readonly text: string;
  readonly reached: boolean;
  readonly ratio: Spread;
}

/** The targets that this run says something about. */
export function targets(run: RunResult): TargetResult[] {
  const byName = new Map(run.peers.map((peer) => [peer.name, peer]));
  const capstan = byName.get("capstan");
  if (capstan === undefined) return [];
  return TARGETS.flatMap(({ text, base, column, atLeast = 0, atMost = Number.POSITIVE_INFINITY }) => {
    const other = byName.get(base);
    const measured = other && ratio(capstan, other, column);
    if (measured === undefined) return [];
    return [{ text, ratio: measured, reached: measured.median >= atLeast && measured.median <= atMost }];
  });
}
