// What a benchmark collects and writes as JSON. No I/O.
import { z } from "zod";
import { CURVE } from "./load/latency.ts";
import { type Spread, spread } from "./statistics.ts";

/** What is measured, in the report's order. */
export const GROUPS = [
  "latency",
  "throughput",
  "processes",
  "open-loop",
  "calls",
  "chains",
  "fan-out",
  "payloads",
  "streams",
  "set-up",
  "wire",
  "cpu",
  "heap",
  "tables",
] as const;
export type Group = (typeof GROUPS)[number];

const metric = z.object({
  /** Unique within a peer, the same in every run. */
  id: z.string().min(1),
  group: z.enum(GROUPS),
  /** For people, within its group. */
  name: z.string(),
  unit: z.enum(["µs", "calls/s", "MiB/s", "bytes", "calls", "errors", "%"]),
  better: z.enum(["more", "less"]),
  /** Which line of its group's chart it belongs to, and where on that line. */
  series: z.string(),
  x: z.number(),
});

/** One figure that is measured once a round. */
export type Metric = Readonly<z.infer<typeof metric>>;

const measured = metric.extend({
  /** One value a round, in the order of the rounds; none of rounds that had too few calls for it. */
  rounds: z.array(z.number()),
});
export type MeasuredMetric = z.infer<typeof measured>;

const curve = z.object({
  id: z.string(),
  name: z.string(),
  /** One a round: microseconds at each percentile of `percentiles`, as far as the calls sufficed. */
  rounds: z.array(z.array(z.number())),
  percentiles: z.array(z.number()),
});
export type MeasuredCurve = z.infer<typeof curve>;

const peer = z.object({
  name: z.string(),
  about: z.string(),
  /** Versions by package. */
  versions: z.record(z.string(), z.string()),
  /** Why it did not run, or not to the end. */
  failure: z.string().optional(),
  /** What it would have needed, where it was left out. */
  leftOut: z.string().optional(),
  metrics: z.array(measured),
  curves: z.array(curve),
  /** Errors by kind, of all rounds. */
  errors: z.record(z.string(), z.number()),
  /** Calls of all rounds in the measurements that count them: what the errors are a part of. */
  calls: z.number().optional(),
  /** What a reader of the figures must know: what was left out, a rate that was not reached. */
  notes: z.array(z.string()).optional(),
});
export type PeerResult = z.infer<typeof peer>;

const target = z.object({
  /** What is aimed at, for people. */
  text: z.string(),
  /** What was measured, for people. */
  figure: z.string(),
  /** Missing where it was not measured. */
  reached: z.boolean().optional(),
});
export type TargetResult = z.infer<typeof target>;

const machine = z.object({
  cpu: z.string(),
  cores: z.number(),
  memoryGiB: z.number(),
  platform: z.string(),
  node: z.string(),
  commit: z.string(),
  loadBefore: z.number(),
});

export const runSchema = z.object({
  format: z.literal("capstan-bench"),
  version: z.literal(1),
  /** ISO 8601. */
  when: z.string(),
  machine,
  rounds: z.number().int().positive(),
  /** What the run was told, for people and for reproducing it. */
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.number())])),
  peers: z.array(peer),
  /** What the run was to reach, where there are such targets. */
  targets: z.array(target).optional(),
});

/** All of one run; what `--json` writes. */
export type RunResult = z.infer<typeof runSchema>;

/** One value of one metric, from one round. */
export interface Reading {
  readonly metric: Metric;
  readonly value: number;
}

/** One latency curve of one round. */
export interface CurveReading {
  readonly id: string;
  readonly name: string;
  /** Microseconds at the percentiles of `CURVE`, from the first on. */
  readonly values: readonly number[];
}

export function emptyPeer(name: string, about = ""): PeerResult {
  return { name, about, versions: {}, metrics: [], curves: [], errors: {} };
}

/** Adds one round's readings to those of earlier rounds. */
export function record(to: PeerResult, readings: readonly Reading[], curves: readonly CurveReading[] = []): void {
  for (const { metric, value } of readings) {
    const known = to.metrics.find(({ id }) => id === metric.id);
    if (known !== undefined) known.rounds.push(value);
    else to.metrics.push({ ...metric, rounds: [value] });
  }
  for (const { id, name, values } of curves) {
    const known = to.curves.find((one) => one.id === id);
    if (known !== undefined) known.rounds.push([...values]);
    else to.curves.push({ id, name, percentiles: [...CURVE], rounds: [[...values]] });
  }
}

/** The values of one metric, one a round; none when it was not measured. */
export function valuesOf(from: PeerResult, id: string): readonly number[] {
  return from.metrics.find((one) => one.id === id)?.rounds ?? [];
}

export function spreadOf(from: PeerResult, id: string): Spread | undefined {
  return spread(valuesOf(from, id));
}
