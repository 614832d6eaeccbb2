// A run as tables of text: where it ran, and every figure as its median, above the least and the greatest of the rounds.
import pc from "picocolors";
import { formatBytes, formatCount } from "../figures.ts";
import { totalErrors } from "../load/errors.ts";
import { formatMachine, HEAP_SETTING } from "../machine.ts";
import type { MeasuredMetric, PeerResult, RunResult } from "../results.ts";
import { spread } from "../statistics.ts";
import { formatHistogram } from "./histogram.ts";
import { formatCounts, formatSpread, formatTable, USUAL_WIDTH, wrap } from "./text.ts";

/** Which metrics make one table, and how they lie in it. */
interface Section {
  readonly title: string;
  readonly takes: (metric: MeasuredMetric) => boolean;
  readonly row: (metric: MeasuredMetric) => string;
  readonly column: (metric: MeasuredMetric) => string;
}

const PERCENTILE = (x: number): string => (x === 100 ? "max" : `p${x}`);

const LATENCY: Section = {
  title: "Latency",
  takes: ({ group, unit }) => group === "latency" || group === "open-loop" || (group === "throughput" && unit === "µs"),
  row: ({ series }) => series,
  column: ({ x }) => PERCENTILE(x),
};

/** What calls came to, by unit: a load has one figure of each. */
const COUNTS: { readonly [unit in MeasuredMetric["unit"]]?: string } = {
  calls: "calls",
  errors: "errors",
  "%": "error rate",
  "calls/s": "reached",
};

const SECTIONS: readonly Section[] = [
  LATENCY,
  {
    title: "Calls made, and errors among them",
    takes: ({ group }) => group === "calls",
    row: ({ series }) => series,
    column: ({ unit }) => COUNTS[unit] ?? unit,
  },
  {
    title: "Throughput, and CPU time per call",
    takes: ({ group, unit }) => (group === "throughput" && unit === "calls/s") || group === "cpu",
    row: ({ x }) => `${x} in flight`,
    column: ({ group, series }) => (group === "cpu" ? `CPU, ${series}` : "calls"),
  },
  {
    title: "Calls per second of all clients, by processes of the host",
    takes: ({ group }) => group === "processes",
    row: ({ x }) => (x === 1 ? "1 process" : `${x} processes`),
    column: ({ series }) => series,
  },
  {
    title: "Chains of dependent calls, by round-trip time and number of calls",
    takes: ({ group }) => group === "chains",
    row: ({ series }) => series,
    column: ({ x }) => (x === 1 ? "1 call" : `${x} calls`),
  },
  {
    title: "Fan-out: calls on one promise, until all are back",
    takes: ({ group }) => group === "fan-out",
    row: () => "time",
    column: ({ x }) => (x === 1 ? "1 call" : `${formatCount(x)} calls`),
  },
  {
    title: "Payloads, there and back",
    takes: ({ group }) => group === "payloads",
    row: ({ series }) => series,
    column: ({ x }) => formatBytes(x),
  },
  {
    title: "Link set-up, from connecting to the first result",
    takes: ({ group }) => group === "set-up",
    row: ({ series }) => series,
    column: ({ x }) => PERCENTILE(x),
  },
  {
    title: "Streams",
    takes: ({ group }) => group === "streams",
    row: () => "bytes in chunks of 64 KiB",
    column: ({ series }) => series,
  },
  {
    title: "Bytes on the wire per call, with WebSocket headers",
    takes: ({ group }) => group === "wire",
    row: ({ x }) => `${x} in flight`,
    column: ({ series }) => series,
  },
  {
    title: "Heap per stub held",
    takes: ({ group }) => group === "heap",
    row: () => "heap",
    column: ({ series }) => series,
  },
];

/** Where a figure has a second line, so may the name of its row. */
const NAME_WIDTH = 16;

/** The whole report as text, in lines of at most `width` characters as far as names allow. */
export function formatRun(run: RunResult, width = USUAL_WIDTH): string {
  const rounds =
    run.rounds === 1 ? "One round." : `Medians of ${run.rounds} rounds; below them, the least and the greatest.`;
  const machine = formatMachine(run)
    .split("\n")
    .map((line) => wrap(line, width));
  const heap = run.settings[HEAP_SETTING];
  const start = heap === undefined ? [] : [`Processes start with a heap of ${heap} MiB.`];
  const several = run.peers.length > 1;
  return [...machine, ...start, rounds, ...run.peers.map((peer) => formatPeer(peer, several, width))].join("\n");
}

function formatPeer(peer: PeerResult, named: boolean, width: number): string {
  const lines: string[] = named ? ["", pc.bold(`${peer.name}: ${peer.about}`)] : [];
  for (const section of SECTIONS) {
    const metrics = peer.metrics.filter(section.takes);
    if (metrics.length > 0) lines.push("", pc.bold(section.title), formatSection(section, metrics, width));
    if (section === LATENCY) lines.push(...spreadOfLatency(peer));
  }
  if (totalErrors(peer.errors) > 0) lines.push("", formatErrors(peer, width));
  for (const note of peer.notes ?? []) lines.push("", wrap(note, width));
  if (peer.failure !== undefined) lines.push("", pc.red(`failed: ${peer.failure}`));
  return lines.join("\n");
}

/** Of single calls, or of those with the fewest others in flight. */
function spreadOfLatency({ curves }: PeerResult): string[] {
  const curve = curves.find(({ id }) => id === "latency") ?? curves[0];
  const histogram = curve === undefined ? "" : formatHistogram(curve);
  return histogram === "" ? [] : ["", pc.bold(`Latency of ${curve?.name}: shares of the calls`), histogram];
}

function formatSection(section: Section, metrics: readonly MeasuredMetric[], width: number): string {
  const rows = [...new Set(metrics.map(section.row))];
  // A row may lack what another has: few calls have no p99, long chains are not awaited.
  const columns = [...new Set(metrics.toSorted((a, b) => a.x - b.x).map(section.column))];
  const cell = (row: string, column: string): string =>
    formatCell(metrics.find((metric) => section.row(metric) === row && section.column(metric) === column));
  const cells = rows.map((row) => {
    const figures = columns.map((column) => cell(row, column));
    return [figures.some((figure) => figure.includes("\n")) ? wrap(row, NAME_WIDTH) : row, ...figures];
  });
  return formatTable(["", ...columns], cells, width);
}

function formatCell(metric: MeasuredMetric | undefined): string {
  const value = metric && spread(metric.rounds);
  return metric === undefined || value === undefined ? pc.dim("–") : formatSpread(value, metric.unit);
}

function formatErrors({ errors, calls }: PeerResult, width: number): string {
  const sorted = Object.entries(errors).sort(([, a], [, b]) => b - a);
  const rows = sorted.map(([kind, times]) => [formatCount(times), kind] as const);
  return `${pc.bold(pc.red(nameErrors(calls)))}\n${formatCounts(rows, width)}`;
}

/** The heading of a list of errors. */
export function nameErrors(calls: number | undefined): string {
  return calls === undefined ? "Errors" : `Errors, of ${formatCount(calls)} calls`;
}
