// Where a run's results go: the terminal, and files by their kind.
import { accessSync, constants, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type Comparison, compareRuns, poolRuns, type Side } from "../compare.ts";
import { nameVersion } from "../machine.ts";
import { type RunResult, runSchema } from "../results.ts";
import type { Look } from "./charts.ts";
import { formatComparisonPage, type Sides } from "./comparison-page.ts";
import { formatComparison, formatComparisonCsv } from "./comparison-text.ts";
import { formatCsv } from "./csv.ts";
import { formatPage } from "./page.ts";
import { formatRun } from "./table.ts";
import { USUAL_WIDTH } from "./text.ts";

export interface Outputs {
  /** A file, or true for standard output. */
  readonly json?: string | true | undefined;
  readonly html?: string | undefined;
  readonly output?: readonly string[] | undefined;
}

/** How something is written, by the ending of a file's name. */
type Formats<Content> = { readonly [ending in ".json" | ".html" | ".csv" | ".txt"]: (content: Content) => string };

const RUN: Formats<RunResult> = {
  ".json": toJson,
  ".html": formatPage,
  ".csv": formatCsv,
  ".txt": (run) => `${stripVTControlCharacters(formatRun(run))}\n`,
};

/** A comparison, with both sides for the charts. */
interface Compared {
  readonly comparison: Comparison;
  readonly sides: Sides;
  readonly all: boolean;
}

const COMPARED: Formats<Compared> = {
  ".json": ({ comparison }) => toJson({ format: "capstan-bench-comparison", version: 1, ...comparison }),
  ".html": ({ comparison, sides }) => formatComparisonPage(comparison, sides),
  ".csv": ({ comparison }) => formatComparisonCsv(comparison),
  ".txt": ({ comparison, all }) => `${stripVTControlCharacters(formatComparison(comparison, all))}\n`,
};

function toJson(content: object): string {
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** The files, each with its ending. */
function filesOf({ json, html, output = [] }: Outputs): [file: string, ending: keyof Formats<unknown>][] {
  const files: [string, keyof Formats<unknown>][] = [];
  if (typeof json === "string" && json !== "-") files.push([json, ".json"]);
  if (html !== undefined) files.push([html, ".html"]);
  for (const file of output) {
    const ending = extname(file).toLowerCase();
    if (!(ending in RUN)) throw new TypeError(`--output ${file}: end it with .json, .html, .csv or .txt.`);
    files.push([file, ending as keyof Formats<unknown>]);
  }
  return files;
}

/** Throws for files that could not be written, before anything is measured for them. */
export function prepareOutputs(outputs: Outputs): void {
  for (const [file] of filesOf(outputs)) checkWritable(file);
}

/** Throws where the file could not be written. */
export function checkWritable(file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK);
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw new Error("it is a directory");
  } catch (error) {
    throw new Error(`${file} cannot be written: ${(error as Error).message}`);
  }
}

/** Writes what was asked for. The table goes to standard output, unless the JSON does. */
export function writeOutputs(run: RunResult, outputs: Outputs): void {
  write(run, RUN, outputs, (width) => formatRun(run, width));
}

/** Writes what is no standard output. */
export function writeFiles(run: RunResult, outputs: Outputs): void {
  writeEach(run, RUN, outputs);
}

/**
 * Compares the runs of two lists of files, and writes what was asked for: the comparison as text, with `all` figures or those
 * that changed, or as JSON, and files.
 */
export function compareFiles(lists: readonly string[], outputs: Outputs, all = false): Comparison {
  const [old, now] = lists;
  if (old === undefined || now === undefined || lists.length > 2) {
    throw new TypeError("--compare takes two files: before.json after.json.");
  }
  const [before, after] = sidesOf(old, now);
  const comparison = compareRuns(before, after);
  const compared = { comparison, sides: bothOf(before, after), all };
  write(compared, COMPARED, outputs, (width) => formatComparison(comparison, all, width));
  return comparison;
}

function write<Content>(
  content: Content,
  formats: Formats<Content>,
  outputs: Outputs,
  table: (width: number) => string,
): void {
  if (outputs.json === true || outputs.json === "-") process.stdout.write(formats[".json"](content));
  else console.log(table((process.stdout.isTTY && process.stdout.columns) || USUAL_WIDTH));
  writeEach(content, formats, outputs);
}

function writeEach<Content>(content: Content, formats: Formats<Content>, outputs: Outputs): void {
  for (const [file, ending] of filesOf(outputs)) {
    writeFileSync(file, formats[ending](content));
    console.error(`wrote ${file}`);
  }
}

/** Both with the names of their files, or with more where these are the same. */
function sidesOf(old: string, now: string): [Side, Side] {
  const [before, after] = [sideOf(old), sideOf(now)];
  if (before.name !== after.name) return [before, after];
  return [
    { ...before, name: `${before.name} before` },
    { ...after, name: `${after.name} after` },
  ];
}

function sideOf(list: string): Side {
  const files = list.split(",");
  return { name: files.map((file) => basename(file, ".json")).join("+"), runs: files.map(readRun) };
}

/** Both sides' peers beside one another. Where there are several, each has one colour on both sides. */
function bothOf(before: Side, after: Side): Sides {
  const [first, second] = [poolRuns(before.runs), poolRuns(after.runs)];
  const isSeveral = Math.max(first.peers.length, second.peers.length) > 1;
  const names = [...new Set([...first.peers, ...second.peers].map(({ name }) => name))];
  const looks = new Map<string, Look>();
  const add = ({ peers, machine }: RunResult, side: string, pale: boolean): RunResult["peers"] =>
    peers.map((peer) => {
      const name = isSeveral ? `${peer.name} (${side})` : side;
      if (isSeveral) looks.set(name, { color: names.indexOf(peer.name), pale });
      return { ...peer, name, about: `${peer.about}, ${nameVersion(machine)}` };
    });
  return { ...first, peers: [...add(first, before.name, true), ...add(second, after.name, false)], looks };
}

/** Reads what `--json` wrote. Throws for anything else. */
export function readRun(file: string): RunResult {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file} cannot be read as JSON: ${(error as Error).message}`);
  }
  const { success, data, error } = runSchema.safeParse(content);
  if (success) return data;
  const [issue] = error.issues;
  throw new Error(`${file} is no result of capstan bench: ${issue?.path.join(".") || "it"}: ${issue?.message}`);
}
