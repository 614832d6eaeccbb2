// Which charts a report has, and what is in them. Plain data: report/report.js in this package draws it.
import { formatBytes } from "../figures.ts";
import type { MeasuredCurve, MeasuredMetric, PeerResult } from "../results.ts";
import { spread } from "../statistics.ts";

export interface Axis {
  readonly label: string;
  readonly scale: "linear" | "log";
  /** How its figures are written. */
  readonly unit: "µs" | "calls/s" | "MiB/s" | "number";
  /** Where its lines are, with what they say; else it finds some itself. */
  readonly ticks?: readonly (readonly [at: number, text: string])[];
}

/** [x, median, least, greatest] */
export type Point = readonly [number, number, number, number];

export interface Line {
  readonly name: string;
  /** Index into the palette. */
  readonly color: number;
  readonly dashed: boolean;
  readonly points: readonly Point[];
}

export interface Chart {
  readonly id: string;
  readonly title: string;
  /** What to see in it, in a sentence. */
  readonly note: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
}

/** Percentiles lie as far apart as the calls beyond them become rarer: tenfold for each step. */
export function percentilePlace(percentile: number): number {
  return Math.log10(1 / (1 - percentile / 100));
}

const PERCENTILE_TICKS = [0, 50, 90, 99, 99.9, 99.99, 99.999];

/** All charts that the peers have figures for. */
export function makeCharts(peers: readonly PeerResult[]): Chart[] {
  const charts = [
    latencyChart(peers),
    throughputChart(peers),
    metricChart(peers, {
      id: "workers",
      title: "Calls per second by processes",
      note: "A host of several processes behind one port, called by several clients at once: the calls of all of them.",
      group: "processes",
      unit: "calls/s",
      x: { label: "processes of the host", scale: "linear", unit: "number" },
      y: { label: "calls per second", scale: "linear", unit: "calls/s" },
    }),
    ...chainCharts(peers),
    loadedLatencyChart(peers),
    metricChart(peers, {
      id: "cpu",
      title: "CPU time per call",
      note: "User and system time of each end's process, by the number of calls in flight.",
      group: "cpu",
      unit: "µs",
      x: { label: "calls in flight", scale: "log", unit: "number" },
      y: { label: "CPU per call", scale: "log", unit: "µs" },
    }),
    metricChart(peers, {
      id: "payloads",
      title: "Payloads",
      note: "Bytes per second each way, for calls in a row that send a payload and get it back.",
      group: "payloads",
      unit: "MiB/s",
      x: { label: "payload", scale: "log", unit: "number" },
      y: { label: "MiB/s each way", scale: "log", unit: "MiB/s" },
      tick: formatBytes,
    }),
    metricChart(peers, {
      id: "fan-out",
      title: "Fan-out",
      note: "Calls on one promise that has not resolved yet, sent at once: the time until all are back.",
      group: "fan-out",
      unit: "µs",
      x: { label: "calls", scale: "log", unit: "number" },
      y: { label: "time", scale: "log", unit: "µs" },
    }),
  ];
  return charts.filter((chart) => chart.lines.some(({ points }) => points.length > 0));
}

function latencyChart(peers: readonly PeerResult[]): Chart {
  const alone = peers.length === 1;
  const curves = peers.flatMap((peer, index) => {
    // In one picture with others, a peer has its latency of single calls and its open loops.
    const shown = peer.curves.filter(({ id }) => alone || !id.startsWith("throughput/"));
    return shown.map((curve, place) => ({ peer, curve, color: alone ? place : index }));
  });
  const lines = curves.map(({ peer, curve, color }) => ({
    name: alone ? curve.name : `${peer.name}${curve.id === "latency" ? "" : `: ${curve.name}`}`,
    color,
    dashed: curve.id.startsWith("open-loop/"),
    points: curvePoints(curve),
  }));
  const furthest = Math.max(0, ...lines.flatMap(({ points }) => points.map(([x]) => x)));
  const ticks = PERCENTILE_TICKS.map((p) => [percentilePlace(p), `${p} %`] as const);
  return {
    id: "latency",
    title: "Latency by percentile",
    note: "How long a call takes at most, for so many of a hundred calls. The open loop, dashed, counts from when each call was meant to start.",
    x: {
      label: "percentile",
      scale: "linear",
      unit: "number",
      ticks: ticks.filter(([at]) => at <= furthest + 1e-9),
    },
    y: { label: "latency", scale: "log", unit: "µs" },
    lines,
  };
}

/** Each percentile that half of the rounds at least have calls enough for. */
function curvePoints({ percentiles, rounds }: MeasuredCurve): Point[] {
  return percentiles.flatMap((percentile, index) => {
    const values = rounds.flatMap((round) => round[index] ?? []);
    const value = spread(values);
    if (value === undefined || values.length * 2 < rounds.length) return [];
    return [[percentilePlace(percentile), value.median, value.min, value.max] as const];
  });
}

function throughputChart(peers: readonly PeerResult[]): Chart {
  return metricChart(peers, {
    id: "throughput",
    title: "Calls per second by concurrency",
    note: "Closed loops: so many calls are in flight all the time.",
    group: "throughput",
    unit: "calls/s",
    x: { label: "calls in flight", scale: "log", unit: "number" },
    y: { label: "calls per second", scale: "log", unit: "calls/s" },
  });
}

/** p50 and p99 of calls with others in flight. */
function loadedLatencyChart(peers: readonly PeerResult[]): Chart {
  const alone = peers.length === 1;
  const lines = peers.flatMap((peer, index) =>
    ([50, 99] as const).map((percentile, place): Line => {
      const shown = peer.metrics.filter(
        ({ group, unit, x }) => (group === "throughput" || group === "latency") && unit === "µs" && x === percentile,
      );
      const points = shown.flatMap((metric) =>
        pointOf(metric, metric.group === "latency" ? 1 : Number.parseInt(metric.series, 10)),
      );
      return {
        name: alone ? `p${percentile}` : `${peer.name}, p${percentile}`,
        color: alone ? place : index,
        dashed: percentile === 99,
        points: points.length > 1 ? byX(points) : [],
      };
    }),
  );
  return {
    id: "loaded-latency",
    title: "Latency by concurrency",
    note: "Half of the calls are back within the p50, all but one in a hundred within the p99.",
    x: { label: "calls in flight", scale: "log", unit: "number", ticks: ticksOf(lines, String) },
    y: { label: "latency", scale: "log", unit: "µs" },
    lines,
  };
}

/** One peer: all round trips in one picture. Several: a picture for each round trip. */
function chainCharts(peers: readonly PeerResult[]): Chart[] {
  const chains = peers.map((peer) => peer.metrics.filter(({ group }) => group === "chains"));
  const trips = [...new Set(chains.flat().map(({ id }) => roundTripOf(id)))].sort((a, b) => a - b);
  const lineOf = (
    metrics: readonly MeasuredMetric[],
    trip: number,
    mode: string,
    name: string,
    color: number,
  ): Line => ({
    name,
    color,
    dashed: mode === "awaited",
    points: byX(
      metrics.filter(({ id }) => id.startsWith(`chain/${trip}/${mode}/`)).flatMap((one) => pointOf(one, one.x)),
    ),
  });
  const modes = ["pipelined", "awaited"] as const;
  if (peers.length === 1) {
    const lines = trips.flatMap((trip, color) =>
      modes.map((mode) => lineOf(chains[0] ?? [], trip, mode, `${trip} ms, ${mode}`, color)),
    );
    return [chainChart("chains", "Chains of dependent calls", lines)];
  }
  return trips.map((trip) => {
    const lines = peers.flatMap((peer, color) =>
      modes.map((mode) => lineOf(chains[color] ?? [], trip, mode, `${peer.name}, ${mode}`, color)),
    );
    return chainChart(`chains-${trip}`, `Chains of dependent calls, ${trip} ms round trip`, lines);
  });
}

function chainChart(id: string, title: string, lines: readonly Line[]): Chart {
  return {
    id,
    title,
    note: "Each call needs the result of the one before it. Pipelined, all go out at once and a chain takes one round trip; awaited, dashed, it takes one for each call.",
    x: { label: "calls in the chain", scale: "log", unit: "number", ticks: ticksOf(lines, String) },
    y: { label: "time until the last result", scale: "log", unit: "µs" },
    lines: lines.filter(({ points }) => points.length > 0),
  };
}

function roundTripOf(id: string): number {
  return Number(id.split("/")[1]);
}

interface MetricChart extends Omit<Chart, "lines"> {
  readonly group: MeasuredMetric["group"];
  readonly unit: MeasuredMetric["unit"];
  readonly tick?: (value: number) => string;
}

/** A line for each series of a group, of each peer. */
function metricChart(peers: readonly PeerResult[], { group, unit, tick = String, ...chart }: MetricChart): Chart {
  const alone = peers.length === 1;
  const lines = peers.flatMap((peer, index) => {
    const metrics = peer.metrics.filter((metric) => metric.group === group && metric.unit === unit);
    const series = [...new Set(metrics.map((metric) => metric.series))];
    return series.map((name, place): Line => {
      const ofSeries = metrics.filter((metric) => metric.series === name);
      return {
        name: alone ? name : series.length === 1 ? peer.name : `${peer.name}, ${name}`,
        color: alone ? place : index,
        dashed: place > 0 && !alone,
        points: byX(ofSeries.flatMap((metric) => pointOf(metric, metric.x))),
      };
    });
  });
  return { ...chart, x: { ...chart.x, ticks: ticksOf(lines, tick) }, lines };
}

function pointOf({ rounds }: MeasuredMetric, x: number): Point[] {
  const value = spread(rounds);
  return value === undefined ? [] : [[x, value.median, value.min, value.max]];
}

function byX(points: readonly Point[]): Point[] {
  return points.toSorted(([a], [b]) => a - b);
}

/** A tick at each place where there is a point. */
function ticksOf(lines: readonly Line[], text: (value: number) => string): [number, string][] {
  const places = new Set(lines.flatMap(({ points }) => points.map(([x]) => x)));
  return [...places].sort((a, b) => a - b).map((at) => [at, text(at)]);
}
