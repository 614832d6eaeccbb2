// Which charts a report has, and what is in them. Plain data: report/report.js in this package draws it.
import { formatBytes } from "../figures.ts";
import type { MeasuredCurve, MeasuredMetric, PeerResult } from "../results.ts";
import { spread } from "../statistics.ts";
import { type Axis, logTicks, type Tick } from "./axes.ts";

/** [x, median, least, greatest] */
export type Point = readonly [number, number, number, number];

export interface Line {
  /** Lines of one name have one colour. */
  readonly name: string;
  /** What sets it apart from others of its name; lines of one detail are dashed alike. */
  readonly detail?: string;
  /** Index into the palette. */
  readonly color: number;
  /** Index into the ways of dashing; 0 is a solid line. */
  readonly dash: number;
  /** Of what others are compared with. */
  readonly pale?: boolean;
  readonly points: readonly Point[];
}

/** One name, or one way of dashing, with the lines that it stands for. */
export interface LegendEntry {
  readonly text: string;
  /** Missing for what lines of several colours have in common. */
  readonly color?: number;
  readonly dash: number;
  readonly pale?: boolean;
  /** Indices of lines. */
  readonly lines: readonly number[];
}

export interface Chart {
  readonly id: string;
  readonly title: string;
  /** What to see in it, in a sentence or two. */
  readonly note: string;
  /** Bars, one for each line, where there is a single x. Their length is along y. */
  readonly kind: "lines" | "bars";
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  readonly legend: readonly LegendEntry[];
}

/** How a peer's lines look where its place among the peers does not say it. */
export type Look = Required<Pick<Line, "color" | "pale">>;

/** A chart before it is known what is in it. */
type Draft = Omit<Chart, "kind" | "legend">;

/** Peers that a chart can show two lines of each. */
const FEW_PEERS = 4;

/** Percentiles lie as far apart as the calls beyond them become rarer: tenfold for each step. */
export function percentilePlace(percentile: number): number {
  return Math.log10(1 / (1 - percentile / 100));
}

const PERCENTILE_TICKS = [0, 50, 90, 99, 99.9, 99.99, 99.999];

/**
 * All charts that the peers have figures for.
 *
 * @param looks by the peers' names, where there are several peers.
 */
export function makeCharts(peers: readonly PeerResult[], looks: ReadonlyMap<string, Look> = new Map()): Chart[] {
  const drafts = [
    latencyChart(peers),
    throughputChart(peers),
    metricChart(peers, {
      id: "processes",
      title: "Calls per second by processes",
      note: "A host of several processes behind one port, called by several clients at once: the calls of all of them.",
      group: "processes",
      unit: "calls/s",
      x: { label: "processes of the host", scale: "linear", unit: "number" },
      y: { label: "calls per second", scale: "linear", unit: "calls/s" },
    }),
    ...chainCharts(peers),
    ...loadedLatencyCharts(peers),
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
      y: { label: "rate", scale: "log", unit: "MiB/s" },
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
  return drafts.flatMap((draft) =>
    finish({ ...draft, lines: draft.lines.map((line) => ({ ...line, ...looks.get(line.name) })) }),
  );
}

/** With its axes and its legend, as far as there is something to draw. */
function finish(draft: Draft): Chart[] {
  // Nothing that is not above 0 has a place on a logarithmic axis.
  const isShown = ([, median]: Point): boolean => draft.y.scale === "linear" || median > 0;
  const lines = draft.lines
    .map((line) => ({ ...line, points: line.points.filter(isShown) }))
    .filter(({ points }) => points.length > 0);
  const places = [...new Set(lines.flatMap(({ points }) => points.map(([x]) => x)))];
  const [first] = places;
  if (first === undefined) return [];
  if (places.length === 1) {
    const at = draft.x.ticks?.find(([x]) => x === first)?.[1] ?? String(first);
    const label = draft.x.label.charAt(0).toUpperCase() + draft.x.label.slice(1);
    const note = `${draft.note} ${label}: ${at}.`;
    return [{ ...draft, note, kind: "bars", y: { ...draft.y, scale: "linear" }, lines, legend: [] }];
  }
  const y = draft.y.scale === "log" ? { ...draft.y, ticks: ticksOfValues(lines) } : draft.y;
  return [{ ...draft, kind: "lines", y, lines, legend: legendOf(lines, draft.y.label) }];
}

function ticksOfValues(lines: readonly Line[]): Tick[] {
  const values = lines.flatMap(({ points }) => points.flatMap(([, ...all]) => all)).filter((value) => value > 0);
  return logTicks(Math.min(...values), Math.max(...values)).map((at) => [at]);
}

/** A single line that is only what the axis says needs none. */
function legendOf(lines: readonly Line[], label: string): LegendEntry[] {
  const names = [...new Set(lines.map(({ name }) => name))];
  const details = [...new Set(lines.flatMap(({ detail }) => detail ?? []))];
  if (lines.length === 1 && names[0] === label) return [];
  const indices = (isMeant: (line: Line) => boolean): number[] =>
    lines.flatMap((line, index) => (isMeant(line) ? [index] : []));
  const entry = (text: string, own: readonly number[]): LegendEntry => {
    const { color, dash, pale } = lines[own[0] ?? 0] as Line;
    const common = own.every((index) => lines[index]?.dash === dash) ? dash : 0;
    return { text, color, dash: common, ...(pale ? { pale } : {}), lines: own };
  };
  const byName = names.map((name) =>
    entry(
      name,
      indices((line) => line.name === name),
    ),
  );
  if (details.length < 2) return byName;
  const byDetail = details.map((detail) => {
    const own = indices((line) => line.detail === detail);
    return { text: detail, dash: lines[own[0] ?? 0]?.dash ?? 0, lines: own };
  });
  return [...byName, ...byDetail];
}

function latencyChart(peers: readonly PeerResult[]): Draft {
  const alone = peers.length === 1;
  const lines = peers.flatMap((peer, index) => {
    // In one picture with others, a peer has its latency of single calls and its open loops.
    const shown = peer.curves.filter(({ id }) => alone || !id.startsWith("throughput/"));
    return shown.map((curve, place): Line => {
      const dash = isOpenLoop(curve) ? 1 : 0;
      const points = curvePoints(curve);
      if (alone) return { name: curve.name, color: place, dash, points };
      return { name: peer.name, detail: curve.name, color: index, dash, points };
    });
  });
  const open = peers.some(({ curves }) => curves.some(isOpenLoop))
    ? " In an open loop, dashed, it counts from when each call was meant to start."
    : "";
  return {
    id: "latency",
    title: "Latency by percentile",
    note: `How long a call takes at most, for so many of a hundred calls.${open}`,
    x: {
      label: "percentile",
      scale: "linear",
      unit: "number",
      ticks: percentileTicks(lines),
    },
    y: { label: "latency", scale: "log", unit: "µs" },
    lines,
  };
}

/** Those that there are points for, and the furthest one of all. */
function percentileTicks(lines: readonly Line[]): Tick[] {
  const furthest = Math.max(0, ...lines.flatMap(({ points }) => points.map(([x]) => x)));
  const last = Number((100 * (1 - 10 ** -furthest)).toPrecision(6));
  const shown = [...PERCENTILE_TICKS.filter((percentile) => percentile < last), last];
  return shown.map((percentile) => [percentilePlace(percentile), `${percentile} %`]);
}

function isOpenLoop({ id }: MeasuredCurve): boolean {
  return id.startsWith("open-loop/");
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

function throughputChart(peers: readonly PeerResult[]): Draft {
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

/** p50 and p99 of calls with others in flight: in one picture of few peers, in two of many. */
function loadedLatencyCharts(peers: readonly PeerResult[]): Draft[] {
  const many = peers.length > FEW_PEERS;
  const lines = ([50, 99] as const).map((percentile, place) =>
    peers.map((peer, index): Line => {
      const points = loadedLatency(peer, percentile);
      if (peers.length === 1) return { name: `p${percentile}`, color: place, dash: 0, points };
      const detail = many ? {} : { detail: `p${percentile}` };
      return { name: peer.name, ...detail, color: index, dash: many ? 0 : place, points };
    }),
  );
  const draft = (id: string, title: string, note: string, shown: readonly Line[]): Draft => ({
    id,
    title,
    note,
    x: { label: "calls in flight", scale: "log", unit: "number", ticks: ticksOf(shown, String) },
    y: { label: "latency", scale: "log", unit: "µs" },
    lines: shown,
  });
  const [p50 = [], p99 = []] = lines;
  if (!many) {
    const note = "Half of the calls are back within the p50, all but one in a hundred within the p99.";
    return [draft("loaded-latency", "Latency by concurrency", note, lines.flat())];
  }
  return [
    draft("loaded-latency", "Latency by concurrency, p50", "Half of the calls are back within this time.", p50),
    draft("loaded-latency-p99", "Latency by concurrency, p99", "All but one in a hundred are back within it.", p99),
  ];
}

function loadedLatency(peer: PeerResult, percentile: number): Point[] {
  const shown = peer.metrics.filter(
    ({ group, unit, x }) => (group === "throughput" || group === "latency") && unit === "µs" && x === percentile,
  );
  const points = shown.flatMap((metric) =>
    pointOf(metric, metric.group === "latency" ? 1 : Number.parseInt(metric.series, 10)),
  );
  return points.length > 1 ? byX(points) : [];
}

/** One peer: all round trips in one picture. Several: a picture for each round trip. */
function chainCharts(peers: readonly PeerResult[]): Draft[] {
  const chains = peers.map((peer) => peer.metrics.filter(({ group }) => group === "chains"));
  const trips = [...new Set(chains.flat().map(({ id }) => roundTripOf(id)))].sort((a, b) => a - b);
  const linesOf = (metrics: readonly MeasuredMetric[] = [], trip: number, name: string, color: number): Line[] =>
    (["pipelined", "awaited"] as const).map((mode, dash) => {
      const own = metrics.filter(({ id }) => id.startsWith(`chain/${trip}/${mode}/`));
      return { name, detail: mode, color, dash, points: byX(own.flatMap((one) => pointOf(one, one.x))) };
    });
  if (peers.length === 1) {
    const lines = trips.flatMap((trip, color) => linesOf(chains[0], trip, `${trip} ms`, color));
    return [chainChart("chains", "Chains of dependent calls, by round-trip time", lines)];
  }
  return trips.map((trip) => {
    const lines = peers.flatMap(({ name }, color) => linesOf(chains[color], trip, name, color));
    return chainChart(`chains-${trip}`, `Chains of dependent calls, ${trip} ms round trip`, lines);
  });
}

function chainChart(id: string, title: string, lines: readonly Line[]): Draft {
  const has = (mode: string): boolean => lines.some(({ detail, points }) => detail === mode && points.length > 0);
  const notes = [
    "Each call needs the result of the one before it.",
    ...(has("pipelined") ? ["Pipelined, all go out at once and a chain takes one round trip."] : []),
    ...(has("awaited") ? ["Awaited, it takes one for each call."] : []),
  ];
  return {
    id,
    title,
    note: notes.join(" "),
    x: { label: "calls in the chain", scale: "log", unit: "number", ticks: ticksOf(lines, String) },
    y: { label: "time until the last result", scale: "log", unit: "µs" },
    lines,
  };
}

function roundTripOf(id: string): number {
  return Number(id.split("/")[1]);
}

interface MetricChart extends Omit<Draft, "lines"> {
  readonly group: MeasuredMetric["group"];
  readonly unit: MeasuredMetric["unit"];
  readonly tick?: (value: number) => string;
}

/** A line for each series of a group, of each peer. */
function metricChart(peers: readonly PeerResult[], { group, unit, tick = String, ...chart }: MetricChart): Draft {
  const alone = peers.length === 1;
  const lines = peers.flatMap((peer, index) => {
    const metrics = peer.metrics.filter((metric) => metric.group === group && metric.unit === unit);
    const series = [...new Set(metrics.map((metric) => metric.series))];
    return series.map((name, place): Line => {
      const ofSeries = metrics.filter((metric) => metric.series === name);
      const points = byX(ofSeries.flatMap((metric) => pointOf(metric, metric.x)));
      if (alone) return { name, color: place, dash: 0, points };
      return { name: peer.name, detail: name, color: index, dash: place, points };
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
function ticksOf(lines: readonly Line[], text: (value: number) => string): Tick[] {
  const places = new Set(lines.flatMap(({ points }) => points.map(([x]) => x)));
  return [...places].sort((a, b) => a - b).map((at) => [at, text(at)]);
}
