// What changed between two versions' runs, and what is only noise. No I/O.
import { addErrors, totalErrors } from "./load/errors.ts";
import type { Metric, PeerResult, RunResult } from "./results.ts";
import { type Spread, spread } from "./statistics.ts";

/** A difference counts when chance alone gives one as clear in less than one case of a hundred … */
const MAX_CHANCE = 0.01;
/** … and when the medians differ by this share at least … */
const MIN_CHANGE = 0.02;
/** … or, of figures without any noise, by one that can be seen: 0.1 %. */
const LEAST_CHANGE = 0.0005;
/** What is worth to be shown though it is not proven. */
const LARGE_CHANGE = 0.1;
/** So many times the errors of a round are more than another mixture of the same. */
const MANY_TIMES = 2;

export type Verdict = "better" | "worse" | "same" | "too few rounds";

/** Runs of one version, with what they are called. At least one. */
export interface Side {
  readonly name: string;
  readonly runs: readonly RunResult[];
}

/** What a side's runs were: where they differ, machine and settings are those of the first. */
export interface SideSummary extends Pick<RunResult, "machine" | "settings" | "rounds"> {
  readonly name: string;
  /** ISO 8601; one for each run. */
  readonly when: readonly string[];
}

export interface Change {
  readonly peer: string;
  readonly metric: Metric;
  readonly before: Spread;
  readonly after: Spread;
  /** From one median to the other, by the size of the former: 0.1 is a tenth more. Missing where that is 0. */
  readonly change?: number;
  /** Two-sided p of the exact Mann–Whitney test on the rounds. */
  readonly chance: number;
  readonly verdict: Verdict;
}

/** Errors of one side's peer. */
export interface ErrorCount {
  readonly perRound: number;
  /** Of all calls, from 0 to 1, where a run says how many it made. */
  readonly rate?: number;
  /** By kind, of all rounds. */
  readonly kinds: PeerResult["errors"];
  /** Why it did not run, or not to the end. */
  readonly failure?: string;
}

/** Of a peer that had errors, or failed. */
export interface ErrorChange {
  readonly peer: string;
  readonly before: ErrorCount;
  readonly after: ErrorCount;
  /**
   * "worse" also where it failed only now, where there were no errors, and where more than twice the share of the calls fail;
   * more than twice as many a round, where the calls are not known.
   */
  readonly verdict: "better" | "worse" | "same";
}

export interface Comparison {
  readonly before: SideSummary;
  readonly after: SideSummary;
  readonly changes: readonly Change[];
  readonly errors: readonly ErrorChange[];
  /** Metrics that only one of the two has: "peer: name". */
  readonly unpaired: readonly string[];
  /** How the runs differ in where and how they ran, in whole sentences: reasons not to trust the rest. */
  readonly warnings: readonly string[];
}

/** Whether a figure, or the errors, are worse than before. */
export function isWorse({ changes, errors }: Comparison): boolean {
  return [...changes, ...errors].some(({ verdict }) => verdict === "worse");
}

export function isChanged({ verdict }: Change): boolean {
  return verdict === "better" || verdict === "worse";
}

/** Not proven, but so large that it may be worth more rounds. */
export function isLarge({ before, after, change }: Change): boolean {
  return change === undefined ? before.median !== after.median : Math.abs(change) >= LARGE_CHANGE;
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
      else pool(known, peer);
    }
  }
  return pooled;
}

function pool(into: PeerResult, { metrics, curves, errors, failure, calls, notes }: PeerResult): void {
  for (const metric of metrics) {
    const known = into.metrics.find(({ id }) => id === metric.id);
    if (known === undefined) into.metrics.push(structuredClone(metric));
    else known.rounds.push(...metric.rounds);
  }
  for (const curve of curves) {
    const known = into.curves.find(({ id }) => id === curve.id);
    if (known === undefined) into.curves.push(structuredClone(curve));
    // Those of another version of this program may have other percentiles.
    else if (known.percentiles.join() === curve.percentiles.join()) known.rounds.push(...structuredClone(curve.rounds));
  }
  addErrors(into.errors, errors);
  if (failure !== undefined) into.failure ??= failure;
  // Errors are a part of all calls only if all runs tell how many.
  into.calls = into.calls === undefined || calls === undefined ? undefined : into.calls + calls;
  if (notes !== undefined) into.notes = [...new Set([...(into.notes ?? []), ...notes])];
}

/** Throws RangeError for a side without runs. */
export function compareRuns(before: Side, after: Side): Comparison {
  const [old, now] = [poolRuns(before.runs), poolRuns(after.runs)];
  const changes: Change[] = [];
  const errors: ErrorChange[] = [];
  const unpaired: string[] = [];
  for (const [was, is] of pairPeers(old, now)) {
    for (const metric of (was?.metrics ?? []).filter(isCompared)) {
      const other = is?.metrics.find(({ id }) => id === metric.id);
      const change = other && judge(was?.name ?? "", metric, metric.rounds, other.rounds);
      if (change === undefined) unpaired.push(`${was?.name}: ${metric.name}`);
      else changes.push(change);
    }
    for (const metric of (is?.metrics ?? []).filter(isCompared)) {
      if (was?.metrics.some(({ id }) => id === metric.id)) continue;
      unpaired.push(`${is?.name}: ${metric.name}`);
    }
    if (was !== undefined && is !== undefined) errors.push(...judgeErrors(was, old.rounds, is, now.rounds));
  }
  const notes = [...ownNotes(before.name, old, now), ...ownNotes(after.name, now, old)];
  const warnings = [...poolWarnings(before), ...poolWarnings(after), ...sideWarnings(old, now), ...notes];
  return { before: summary(before, old), after: summary(after, now), changes, errors, unpaired, warnings };
}

/** Numbers of calls and errors are not: how fast calls were, and which share of them failed, says more. */
function isCompared({ unit }: Metric): boolean {
  return unit !== "calls" && unit !== "errors";
}

function summary({ name, runs }: Side, { machine, settings, rounds }: RunResult): SideSummary {
  return { name, when: runs.map(({ when }) => when), machine, settings, rounds };
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

function judgeErrors(was: PeerResult, oldRounds: number, is: PeerResult, newRounds: number): ErrorChange[] {
  const count = ({ errors, failure, calls = 0 }: PeerResult, rounds: number): ErrorCount => ({
    perRound: totalErrors(errors) / rounds,
    ...(calls > 0 ? { rate: totalErrors(errors) / calls } : {}),
    kinds: errors,
    ...(failure === undefined ? {} : { failure }),
  });
  const [before, after] = [count(was, oldRounds), count(is, newRounds)];
  const hasAny = ({ perRound, failure }: ErrorCount): boolean => perRound > 0 || failure !== undefined;
  if (!hasAny(before) && !hasAny(after)) return [];
  const hasRates = before.rate !== undefined && after.rate !== undefined;
  const sizeOf = ({ perRound, rate }: ErrorCount): number => (hasRates && rate !== undefined ? rate : perRound);
  const isMore = (one: ErrorCount, other: ErrorCount): boolean =>
    (one.failure === undefined) === (other.failure === undefined)
      ? sizeOf(one) > MANY_TIMES * sizeOf(other)
      : one.failure !== undefined;
  const verdict = isMore(after, before) ? "worse" : isMore(before, after) ? "better" : "same";
  return [{ peer: was.name, before, after, verdict }];
}

/** A machine's or a setting's name, with what it is in each of two runs. */
type Difference = readonly [key: string, before: string, after: string];

function differences(before: RunResult, after: RunResult): Difference[] {
  const machine = (["cpu", "cores", "platform", "node"] as const).map((key): Difference => {
    return [key, String(before.machine[key]), String(after.machine[key])];
  });
  const keys = [...new Set([...Object.keys(before.settings), ...Object.keys(after.settings)])];
  const settings = keys.flatMap((key): Difference[] => {
    const [old, now] = [before, after].map((run) => JSON.stringify(run.settings[key]) ?? "none");
    return key === "rounds" ? [] : [[key, old as string, now as string]];
  });
  return [...machine, ...settings].filter(([, old, now]) => old !== now);
}

function sideWarnings(before: RunResult, after: RunResult): string[] {
  return differences(before, after).map(([key, old, now]) => `The runs differ in ${key}: ${old} before, ${now} after.`);
}

/** What must be known of one side alone. */
function ownNotes(side: string, { peers }: RunResult, other: RunResult): string[] {
  const shared = other.peers.flatMap(({ notes = [] }) => notes);
  const own = peers.map(({ name, notes = [] }) => ({ name, notes: notes.filter((note) => !shared.includes(note)) }));
  return own.flatMap(({ name, notes }) => notes.map((note) => `${side}, ${name}: ${note}.`));
}

/** Runs that are taken together should be of one version, on one machine. */
function poolWarnings({ name, runs: [first, ...others] }: Side): string[] {
  if (first === undefined) return [];
  const found = new Map<string, Set<string>>();
  for (const run of others) {
    const commits: Difference = ["commit", first.machine.commit, run.machine.commit];
    for (const [key, one, other] of [commits, ...differences(first, run)]) {
      if (one !== other) found.set(key, (found.get(key) ?? new Set([one])).add(other));
    }
  }
  return [...found].map(([key, values]) => `The runs of ${name} differ in ${key}: ${[...values].join(", ")}.`);
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
  const difference = now.median - old.median;
  const change = difference === 0 ? 0 : old.median === 0 ? undefined : difference / Math.abs(old.median);
  const chance = mannWhitney(before, after);
  const verdict = (): Verdict => {
    const direction = difference > 0 === (metric.better === "more") ? "better" : "worse";
    const size = Math.abs(change ?? Number.POSITIVE_INFINITY);
    // Figures without any noise, such as bytes: each difference is one.
    const exact = old.min === old.max && now.min === now.max && before.length > 1 && after.length > 1;
    if (exact) return size < LEAST_CHANGE ? "same" : direction;
    if (leastChance(before.length, after.length) > MAX_CHANCE) return "too few rounds";
    return chance <= MAX_CHANCE && size >= MIN_CHANGE ? direction : "same";
  };
  const judged = { peer, metric, before: old, after: now, chance, verdict: verdict() };
  return change === undefined ? judged : { ...judged, change };
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
