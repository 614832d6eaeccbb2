// Tables and paragraphs of plain text that fit a terminal.
import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";
import pc from "picocolors";
import { formatDigits, formatValue } from "../figures.ts";
import type { Metric } from "../results.ts";
import type { Spread } from "../statistics.ts";

const STYLE = { head: [], border: [], "padding-left": 1, "padding-right": 0 };
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

/** A terminal's columns where nothing says how many there are. */
export const USUAL_WIDTH = 80;

/** Broken between words; a word that is longer than a line keeps its length. */
export function wrap(text: string, width: number): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join("\n");
}

/** A column of names, and columns of figures: as many beside one another as there is room for, the others below. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[], width: number): string {
  for (let shown = head.length; ; shown--) {
    const text = draw([head, ...rows].map((row) => row.slice(0, shown)));
    if (shown > 2 && widthOf(text) > width) continue;
    if (shown === head.length) return text;
    const rest = (row: readonly string[]): string[] => [row[0] ?? "", ...row.slice(shown)];
    return `${text}\n${formatTable(rest(head), rows.map(rest), width)}`;
  }
}

/** Numbers, and what each is of; long texts are broken. */
export function formatCounts(rows: readonly (readonly [count: string, text: string])[], width: number): string {
  const room = Math.max(0, ...rows.map(([count]) => count.length));
  // What the padding of both columns leaves.
  const left = width - room - 3;
  return align(
    rows.map(([count, text]) => [count, wrap(text, left)]),
    ["right", "left"],
  );
}

function draw([head = [], ...rows]: readonly (readonly string[])[]): string {
  const dimmed = head.map((text) => pc.dim(text));
  return align(
    [dimmed, ...rows],
    head.map((_, column) => (column === 0 ? "left" : "right")),
  );
}

function align(rows: readonly (readonly string[])[], colAligns: ("left" | "right")[]): string {
  const table = new Table({ chars: BORDERS, style: STYLE, colAligns });
  table.push(...rows.map((row) => [...row]));
  return table.toString().replaceAll(/ +$/gm, "");
}

function widthOf(text: string): number {
  return Math.max(
    ...stripVTControlCharacters(text)
      .split("\n")
      .map((line) => line.length),
  );
}

/** What a figure is divided by, by the unit it is written with. */
const SCALES: { readonly [unit: string]: number } = { ms: 1e3, s: 1e6, k: 1e3, M: 1e6, "k/s": 1e3, "M/s": 1e6 };

/** The median, and dimmed below it the least and the greatest where they differ, in the median's unit. */
export function formatSpread({ median, min, max }: Spread, unit: Metric["unit"]): string {
  const text = formatValue(median, unit);
  const scale = SCALES[text.replace(/^[-\d. ]*/, "")] ?? 1;
  const [low, high] = [min, max].map((value) => formatPart(value / scale)) as [string, string];
  return low === high ? text : `${text}\n${pc.dim(`${low}–${high}`)}`;
}

/** Three digits, or two where nothing stands before the point. */
function formatPart(value: number): string {
  return Math.abs(value) >= 1 ? formatDigits(value) : String(Number(value.toPrecision(2)));
}
