// What changed between two runs, and what is only noise. No I/O.
import type { Metric, PeerResult, RunResult } from "./results.ts";
import { type Spread, spread } from "./statistics.ts";

/** A difference counts when chance alone gives one as clear in less than one case of a hundred … */
const MAX_CHANCE = 0.01;
/** … and when the medians differ by this share at least. */
const MIN_CHANGE = 0.02;

export type Verdict = "better" | "worse" | "same" | "too few rounds";

export interface Change {
  readonly peer: string;
  readonly metric: Metric;
  readonly before: Spread;
  readonly after: Spread;
  /** From one median to the other: 0.1 is a tenth more. */
  readonly change: number;
  /** Two-sided p of the exact Mann–Whitney test on the rounds. */
  readonly chance: number;
  readonly verdict: Verdict;
}

export interface Comparison {
  readonly changes: readonly Change[];
  /** Metrics that only one of the two has: "peer: name". */
  readonly unpaired: readonly string[];
  /** How the two runs differ in where and how they ran: reasons not to trust the rest. */
  readonly warnings: readonly string[];
}

/** Runs that were repeated, as one with all their rounds. At least one. */
export function poolRuns(runs: readonly RunResult[]): RunResult {
  const [first, ...others] = runs;
  if (first === undefined) throw new RangeError("no runs");
  const pooled = structuredClone(first);
  for (const run of others) {
    pooled.rounds += run.rounds;
    for (const peer of run.peers) {
      const known = pooled.peers.find(({ name }) => name === peer.name);
      if (known === undefined) pooled.peers.push(structuredClone(peer));
      else for (const metric of peer.metrics) pool(known, metric);
    }
  }
  return pooled;
}

function pool(into: PeerResult, metric: PeerResult["metrics"][number]): void {
  const known = into.metrics.find(({ id }) => id === metric.id);
  if (known === undefined) into.metrics.push(structuredClone(metric));
  else known.rounds.push(...metric.rounds);
}

export function compareRuns(before: RunResult, after: RunResult): Comparison {
  const changes: Change[] = [];
  const unpaired: string[] = [];
  for (const [old, now] of pairPeers(before, after)) {
    for (const metric of old?.metrics ?? []) {
      const other = now?.metrics.find(({ id }) => id === metric.id);
      const change = other && judge(old?.name ?? "", metric, metric.rounds, other.rounds);
      if (change === undefined) unpaired.push(`${old?.name}: ${metric.name}`);
      else changes.push(change);
    }
    for (const metric of now?.metrics ?? []) {
      if (old?.metrics.some(({ id }) => id === metric.id)) continue;
      unpaired.push(`${now?.name}: ${metric.name}`);
    }
  }
  return { changes, unpaired, warnings: differences(before, after) };
}

/** Peers of the same name, or the only ones of both runs. */
function pairPeers(before: RunResult, after: RunResult): [PeerResult | undefined, PeerResult | undefined][] {
  if (before.peers.length === 1 && after.peers.length === 1) return [[before.peers[0], after.peers[0]]];
  const names = new Set([...before.peers, ...after.peers].map(({ name }) => name));
  return [...names].map((name) => [
    before.peers.find((peer) => peer.name === name),
    after.peers.find((peer) => peer.name === name),
  ]);
}

function differences(before: RunResult, after: RunResult): string[] {
  const warnings: string[] = [];
  for (const key of ["cpu", "cores", "platform", "node"] as const) {
    const [old, now] = [before.machine[key], after.machine[key]];
    if (old !== now) warnings.push(`${key}: ${old} before, ${now} after`);
  }
  for (const key of new Set([...Object.keys(before.settings), ...Object.keys(after.settings)])) {
    const [old, now] = [before.settings[key], after.settings[key]].map((value) => JSON.stringify(value) ?? "none");
    if (old !== now && key !== "rounds") warnings.push(`${key}: ${old} before, ${now} after`);
  }
  return warnings;
}

/** One metric's rounds before and after; undefined where there are none. */
export function judge(
  peer: string,
  metric: Metric,
  before: readonly number[],
  after: readonly number[],
): Change | undefined {
  const [old, now] = [spread(before), spread(after)];
  if (old === undefined || now === undefined) return undefined;
  const change = now.median === old.median ? 0 : now.median / old.median - 1;
  const chance = mannWhitney(before, after);
  const verdict = (): Verdict => {
    const direction = change > 0 === (metric.better === "more") ? "better" : "worse";
    // Figures without any noise, such as bytes: each difference is one.
    const exact = old.min === old.max && now.min === now.max && before.length > 1 && after.length > 1;
    if (exact) return change === 0 ? "same" : direction;
    if (leastChance(before.length, after.length) > MAX_CHANCE) return "too few rounds";
    return chance <= MAX_CHANCE && Math.abs(change) >= MIN_CHANGE ? direction : "same";
  };
  return { peer, metric, before: old, after: now, change, chance, verdict: verdict() };
}

/** The p of samples that do not overlap at all: no test of so few can give less. */
function leastChance(n: number, m: number): number {
  return mannWhitney(
    Array.from({ length: n }, (_, index) => index),
    Array.from({ length: m }, (_, index) => n + index),
  );
}

/**
 * The exact Mann–Whitney test: the share of all ways to deal the values out to two samples of these sizes whose rank sum
 * is as far from its mean as the one seen. Equal values share their ranks.
 */
export function mannWhitney(x: readonly number[], y: readonly number[]): number {
  const all = [...x, ...y].sort((a, b) => a - b);
  // Doubled, so that shared ranks are integers too.
  const doubledRank = (value: number): number => all.indexOf(value) + all.lastIndexOf(value) + 2;
  const ranks = all.map(doubledRank);
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  // ways[k][s]: how many choices of k values have the doubled rank sum s.
  const ways = Array.from({ length: x.length + 1 }, () => new Float64Array(total + 1));
  (ways[0] as Float64Array)[0] = 1;
  for (const rank of ranks) {
    for (let k = x.length; k > 0; k--) {
      const [more, fewer] = [ways[k] as Float64Array, ways[k - 1] as Float64Array];
      for (let sum = total; sum >= rank; sum--) more[sum] = (more[sum] as number) + (fewer[sum - rank] as number);
    }
  }
  const mean = (total * x.length) / all.length;
  const seen = Math.abs(x.reduce((sum, value) => sum + doubledRank(value), 0) - mean);
  const counts = ways[x.length] as Float64Array;
  let every = 0;
  let asFar = 0;
  for (const [sum, count] of counts.entries()) {
    every += count;
    if (Math.abs(sum - mean) >= seen - 1e-9) asFar += count;
  }
  return asFar / every;
}
