// What a run collects, and the ratios and targets taken from it. No I/O.
import type { Sample } from "./closed-loop.ts";
import type { Machine } from "./machine.ts";
import type { PeerName } from "./peer.ts";
import { ratioSpread, type Spread, spread } from "./statistics.ts";

/** Calls in flight, one column each. */
export const LEVELS = [1, 16, 64, 256] as const;
export type Level = (typeof LEVELS)[number];

export interface PeerResult {
  readonly name: PeerName;
  about: string;
  /** Versions by package. */
  versions: Record<string, string>;
  /** Why it did not run, or not to the end. */
  failure?: string;
  /** Per level, one sample a round. */
  readonly samples: Record<Level, Sample[]>;
}

/** All of one run; what `--json` writes. */
export interface RunResult {
  readonly when: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  readonly bufferutil: boolean;
  readonly peers: PeerResult[];
}

export function emptyResult(name: PeerName): PeerResult {
  return { name, about: "", versions: {}, samples: { 1: [], 16: [], 64: [], 256: [] } };
}

/** One column of figures: calls/s at a level, or a percentile of single calls in µs. */
export type Column = Level | "p50" | "p99";
export const COLUMNS: readonly Column[] = [...LEVELS, "p50", "p99"];

function values(peer: PeerResult, column: Column): number[] {
  if (typeof column === "number") return peer.samples[column].map((sample) => sample.callsPerSecond);
  return peer.samples[1].flatMap((sample) => sample.latency?.[column] ?? []);
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
