// Prints a run: where, the figures, their ratios, the targets.
import Table from "cli-table3";
import { formatMachine } from "../packages/cli/src/bench/machine.ts";
import type { RunResult } from "../packages/cli/src/bench/results.ts";
import { peersOf, SMOKE, type Table as TableOf, tablesOf } from "./tables.ts";

const PLAIN = { head: [], border: [], "padding-left": 1, "padding-right": 1 };

/** The whole report as text. `base` is the peer whose ratios to the others are shown. */
export function formatReport(run: RunResult, base: string): string {
  return [
    formatMachine(run),
    ...(run.settings[SMOKE] === true ? ["A SMOKE RUN: its figures mean nothing."] : []),
    "",
    ...peersOf(run).map(
      ([name, about, versions]) => `${name.padEnd(19)} ${about}${versions === "" ? "" : ` (${versions})`}`,
    ),
    "",
    ...tablesOf(run, base).flatMap((table) => [table.title, formatTable(table), ""]),
    ...formatTargets(run),
    ...run.peers.flatMap(({ name, leftOut, failure }) => [
      ...(leftOut === undefined ? [] : [`LEFT OUT ${name}: ${leftOut}`]),
      ...(failure === undefined ? [] : [`FAILED ${name}: ${failure}`]),
    ]),
  ].join("\n");
}

function formatTargets({ targets = [] }: RunResult): string[] {
  const lines = targets.map(
    ({ text, figure, reached }) => `${reached === undefined ? "–" : reached ? "✓" : "✗"} ${text}: ${figure}`,
  );
  return lines.length === 0 ? [] : ["Targets:", ...lines, ""];
}

function formatTable({ heads, rows }: TableOf): string {
  const colAligns = ["left" as const, ...heads.map(() => "right" as const)];
  const table = new Table({ head: ["", ...heads], colAligns, style: PLAIN });
  table.push(...rows.map(([name, ...cells]) => [name, ...cells.map((cell) => cell.join("\n"))]));
  return table.toString();
}
