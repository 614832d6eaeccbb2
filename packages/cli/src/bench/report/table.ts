// A run as tables of text: where it ran, and every figure as its median with the spread of the rounds.
import Table from "cli-table3";
import pc from "picocolors";
import type { Change, Comparison } from "../compare.ts";
import { formatBytes, formatCount, formatRange, formatValue } from "../figures.ts";
import { totalErrors } from "../load/errors.ts";
import { formatMachine } from "../machine.ts";
import type { MeasuredMetric, PeerResult, RunResult } from "../results.ts";
import { spread } from "../statistics.ts";

const STYLE = { head: [], border: [], "padding-left": 1, "padding-right": 1 };
const BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: " ",
};

/** Which metrics make one table, and how they lie in it. */
interface Section {
  readonly title: string;
  readonly takes: (metric: MeasuredMetric) => boolean;
  readonly row: (metric: MeasuredMetric) => string;
  readonly column: (metric: MeasuredMetric) => string;
}

const PERCENTILE = (x: number): string => (x === 100 ? "max" : `p${x}`);

const SECTIONS: readonly Section[] = [
  {
    title: "Latency",
    takes: ({ group, unit }) =>
      group === "latency" || group === "open-loop" || (group === "throughput" && unit === "µs"),
    row: ({ series }) => series,
    column: ({ x }) => PERCENTILE(x),
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

/** The whole report as text. */
export function formatRun(run: RunResult): string {
  const rounds =
    run.rounds === 1 ? "One round" : `Medians of ${run.rounds} rounds, and how far the others lie from them`;
  return [formatMachine(run), `${rounds}.`, ...run.peers.map((peer) => formatPeer(peer, run.peers.length > 1))].join(
    "\n",
  );
}

function formatPeer(peer: PeerResult, named: boolean): string {
  const lines: string[] = named ? ["", pc.bold(`${peer.name}: ${peer.about}`)] : [];
  for (const section of SECTIONS) {
    const metrics = peer.metrics.filter(section.takes);
    if (metrics.length > 0) lines.push("", pc.bold(section.title), formatSection(section, metrics));
  }
  if (totalErrors(peer.errors) > 0) lines.push("", formatErrors(peer.errors));
  if (peer.failure !== undefined) lines.push("", pc.red(`failed: ${peer.failure}`));
  return lines.join("\n");
}

function formatSection(section: Section, metrics: readonly MeasuredMetric[]): string {
  const rows = [...new Set(metrics.map(section.row))];
  const columns = [...new Set(metrics.map(section.column))];
  const cell = (row: string, column: string): string =>
    formatCell(metrics.find((metric) => section.row(metric) === row && section.column(metric) === column));
  return formatTable(
    ["", ...columns],
    rows.map((row) => [row, ...columns.map((column) => cell(row, column))]),
  );
}

function formatCell(metric: MeasuredMetric | undefined): string {
  const value = metric && spread(metric.rounds);
  if (metric === undefined || value === undefined) return pc.dim("–");
  const { median, min, max } = value;
  const text = formatValue(median, metric.unit);
  if (median === 0 || min === max) return text;
  const share = Math.max(max - median, median - min) / median;
  return `${text} ${pc.dim(share < 2 ? `±${Math.round(share * 100)} %` : `±${formatCount(Math.round(share))}×`)}`;
}

function formatErrors(errors: PeerResult["errors"]): string {
  const sorted = Object.entries(errors).sort(([, a], [, b]) => b - a);
  const rows = sorted.map(([kind, times]) => [formatCount(times), kind]);
  const table = new Table({ chars: BORDERS, style: STYLE, colAligns: ["right", "left"] });
  table.push(...rows);
  return `${pc.bold(pc.red("Errors"))}\n${table.toString()}`;
}

function formatTable(head: string[], rows: string[][]): string {
  const colAligns = head.map((_, column) => (column === 0 ? ("left" as const) : ("right" as const)));
  const table = new Table({ head: head.map((text) => pc.dim(text)), chars: BORDERS, style: STYLE, colAligns });
  table.push(...rows);
  return table.toString();
}

/** What changed between two runs, then how much did not. */
export function formatComparison({ changes, unpaired, warnings }: Comparison): string {
  const changed = changes.filter(({ verdict }) => verdict === "better" || verdict === "worse");
  const same = changes.filter(({ verdict }) => verdict === "same").length;
  const open = changes.filter(({ verdict }) => verdict === "too few rounds").length;
  const several = new Set(changes.map(({ peer }) => peer)).size > 1;
  const lines = warnings.map((warning) => pc.yellow(`The runs differ in ${warning}`));
  if (changed.length > 0) {
    const head = ["", "before", "after", "change", "", "chance"];
    lines.push(
      formatTable(
        head,
        changed.map((change) => formatChange(change, several)),
      ),
    );
  }
  lines.push(
    `${changed.length} changed, ${same} within the noise${open > 0 ? `, ${open} with too few rounds to tell (take 5 or more)` : ""}.`,
  );
  if (unpaired.length > 0)
    lines.push(
      pc.dim(
        `Only in one of the two: ${unpaired.length} (${unpaired.slice(0, 3).join("; ")}${unpaired.length > 3 ? "; …" : ""})`,
      ),
    );
  return lines.join("\n");
}

function formatChange({ peer, metric, before, after, change, verdict, chance }: Change, several: boolean): string[] {
  const color = verdict === "better" ? pc.green : pc.red;
  const percent = `${change > 0 ? "+" : "−"}${(Math.abs(change) * 100).toFixed(1)} %`;
  const cell = (value: typeof before): string => {
    const range = formatRange(value, metric.unit);
    return `${formatValue(value.median, metric.unit)}${range && `\n${pc.dim(range)}`}`;
  };
  const name = `${several ? `${peer}: ` : ""}${metric.group}: ${metric.name}`;
  return [name, cell(before), cell(after), color(percent), color(verdict), `p ${chance.toFixed(3)}`];
}
