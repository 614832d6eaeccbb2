// A run as docs/benchmarks.md. No I/O.
import { isDisturbed } from "../packages/cli/src/bench/machine.ts";
import type { RunResult } from "../packages/cli/src/bench/results.ts";
import { peersOf, SECONDS, SMOKE, tablesOf } from "./tables.ts";

const MARKS = { reached: "✓", missed: "✗", unknown: "–" };

/** The whole page. `base` is the peer whose ratios to the others are shown. */
export function formatMarkdown(run: RunResult, base: string): string {
  const { machine, when, rounds, settings } = run;
  const lines = [
    "# Benchmarks",
    "",
    "Made by `npm run bench:compare`; [bench.md](bench.md) says what is measured and how. The same figures with charts are in",
    "[benchmarks.html](benchmarks.html).",
    "",
    ...(settings[SMOKE] === true ? ["**A smoke run: its figures mean nothing.**", ""] : []),
    `- ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}; load before the run ${machine.loadBefore.toFixed(2)}${isDisturbed(machine) ? " (other work disturbs the figures)" : ""}`,
    `- Node ${machine.node}, commit ${machine.commit}, ${when.slice(0, 10)}`,
    `- ${rounds === 1 ? "one round" : `${rounds} rounds`}, ${settings[SECONDS]} s a measurement; caller and callee in two processes on this machine unless said otherwise`,
    "",
    ...targetsOf(run),
    ...leftOut(run),
    ...tablesOf(run, base).flatMap(({ title, heads, rows }) => [
      title,
      "",
      ...table(
        ["", ...heads],
        rows.map(([name, ...cells]) => [
          name,
          ...cells.map(([median, range]) => (range === undefined ? median : `${median} (${range})`)),
        ]),
      ),
      "",
    ]),
    "## What runs",
    "",
    ...table(
      ["", "", "versions"],
      peersOf(run).map((row) => [...row]),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function targetsOf({ targets = [] }: RunResult): string[] {
  if (targets.length === 0) return [];
  const rows = targets.map(({ text, figure, reached }) => [
    reached === undefined ? MARKS.unknown : reached ? MARKS.reached : MARKS.missed,
    text,
    figure,
  ]);
  return [
    "## Targets",
    "",
    "A ratio is the median of the rounds' own ratios, which is not that of the medians further below. The mark judges the median;",
    "where single rounds are on the other side of the target, the figure says so.",
    "",
    ...table(["", "target", "measured"], rows),
    "",
    "## Figures",
    "",
  ];
}

function leftOut({ peers }: RunResult): string[] {
  const lines = peers.flatMap(({ name, leftOut: why, failure }) => [
    ...(why === undefined ? [] : [`- **${name}** was left out: ${why}`]),
    ...(failure === undefined ? [] : [`- **${name}** failed: ${failure.split("\n", 1)[0]}`]),
  ]);
  return lines.length === 0 ? [] : [...lines, ""];
}

/** A table whose columns stand under one another in the source too. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [heads, ...rows].map((row) => row.map((text) => text.replaceAll("|", "\\|")));
  const widths = heads.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [first = [], ...others] = cells;
  return [line(first), line(widths.map((width) => "-".repeat(width))), ...others.map(line)];
}
