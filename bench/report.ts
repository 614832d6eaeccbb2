// Prints a run: where, the figures, their ratios, the targets.
import Table from "cli-table3";
import { formatCount, formatDigits } from "../packages/cli/src/bench/figures.ts";
import { formatMachine } from "../packages/cli/src/bench/machine.ts";
import type { PeerResult, RunResult } from "../packages/cli/src/bench/results.ts";
import type { Spread } from "../packages/cli/src/bench/statistics.ts";
import { COLUMNS, type Column, figure, LEVELS, ratio, targets } from "./results.ts";

const PLAIN = { head: [], border: [], "padding-left": 1, "padding-right": 1 };
/** The setting that says how long one measurement takes. */
export const SECONDS = "seconds of a measurement";
const HEADS = [...LEVELS.map((level) => `${level} in flight`), "p50, µs", "p99, µs"];

/** The whole report as text. `base` is the peer whose ratios to the others are shown. */
export function formatReport(run: RunResult, base: string): string {
  const measured = run.peers.filter((peer) => peer.metrics.length > 0);
  const failed = run.peers.filter((peer) => peer.failure !== undefined);
  const { rounds: n } = run;
  const seconds = run.settings[SECONDS];
  const rounds =
    n === 1 ? `one round of ${seconds} s` : `medians of ${n} rounds of ${seconds} s, least and greatest below`;
  return [
    formatMachine(run),
    formatVersions(run),
    "",
    ...measured.map((peer) => `${peer.name.padEnd(15)} ${peer.about}`),
    "",
    `Calls per second by calls in flight, and latency of single calls in a row: ${rounds}.`,
    formatTable(measured.map((peer) => [peer.name, ...COLUMNS.map((column) => cell(figure(peer, column), column))])),
    "",
    ...formatRatios(measured, base),
    ...formatTargets(run),
    ...failed.map((peer) => `FAILED ${peer.name}: ${peer.failure}`),
  ].join("\n");
}

function formatVersions({ peers, settings }: RunResult): string {
  const bufferutil = settings.bufferutil === true;
  const versions = new Map(peers.flatMap((peer) => Object.entries(peer.versions)));
  const used = [...versions].filter(([name]) => name !== "bufferutil" || !bufferutil);
  return `${used.map(([name, version]) => `${name} ${version}`).join(", ")}${bufferutil ? ", bufferutil for all" : ""}`;
}

function formatRatios(measured: readonly PeerResult[], base: string): string[] {
  const own = measured.find((peer) => peer.name === base);
  if (own === undefined) return [`No ratios: ${base} was not measured.`, ""];
  const rows = measured
    .filter((peer) => peer !== own)
    .map((peer) => [
      `${base} / ${peer.name}`,
      ...COLUMNS.map((column) => formatSpread(ratio(own, peer, column), times)),
    ]);
  if (rows.length === 0) return [];
  return [`Ratios, round by round: calls/s (more is better) and latencies (less is better).`, formatTable(rows), ""];
}

function formatTargets(run: RunResult): string[] {
  const lines = targets(run).map(
    ({ text, reached, ratio: { median } }) => `${reached ? "✓" : "✗"} ${text} (${times(median)})`,
  );
  return lines.length === 0 ? [] : ["Targets:", ...lines, ""];
}

function formatTable(rows: string[][]): string {
  const colAligns = ["left" as const, ...HEADS.map(() => "right" as const)];
  const table = new Table({ head: ["", ...HEADS], colAligns, style: PLAIN });
  table.push(...rows);
  return table.toString();
}

function cell(value: Spread | undefined, column: Column): string {
  return formatSpread(value, typeof column === "number" ? formatCount : formatDigits);
}

/** The median, and below it from the least to the greatest where they differ. */
function formatSpread(value: Spread | undefined, format: (value: number) => string): string {
  if (value === undefined) return "–";
  const { median, min, max } = value;
  return min === max ? format(median) : `${format(median)}\n${format(min)}–${format(max)}`;
}

function times(value: number): string {
  return `${formatDigits(value)}×`;
}
