// Where a run's results go: the terminal, and files by their kind.
import { accessSync, constants, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { compareRuns, poolRuns } from "../compare.ts";
import { type RunResult, runSchema } from "../results.ts";
import { formatCsv } from "./csv.ts";
import { formatPage } from "./page.ts";
import { formatComparison, formatRun } from "./table.ts";

export interface Outputs {
  /** A file, or true for standard output. */
  readonly json?: string | true | undefined;
  readonly html?: string | undefined;
  readonly output?: readonly string[] | undefined;
}

type Format = (run: RunResult) => string;

const FORMATS: { readonly [ending: string]: Format } = {
  ".json": (run) => `${JSON.stringify(run, undefined, 2)}\n`,
  ".html": formatPage,
  ".csv": formatCsv,
  ".txt": (run) => `${stripVTControlCharacters(formatRun(run))}\n`,
};

function filesOf({ json, html, output = [] }: Outputs): [file: string, format: Format][] {
  const files: [string, Format][] = [];
  if (typeof json === "string" && json !== "-") files.push([json, FORMATS[".json"] as Format]);
  if (html !== undefined) files.push([html, FORMATS[".html"] as Format]);
  for (const file of output) {
    const format = FORMATS[extname(file).toLowerCase()];
    if (format === undefined) throw new TypeError(`--output ${file}: end it with .json, .html, .csv or .txt.`);
    files.push([file, format]);
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
  const { json } = outputs;
  if (json === true || json === "-") process.stdout.write((FORMATS[".json"] as Format)(run));
  else console.log(formatRun(run));
  writeFiles(run, outputs);
}

/** Writes what is no standard output. */
export function writeFiles(run: RunResult, outputs: Outputs): void {
  for (const [file, format] of filesOf(outputs)) {
    writeFileSync(file, format(run));
    console.error(`wrote ${file}`);
  }
}

/** Compares the runs of two lists of files, and writes what pictures of both were asked for. */
export function compareFiles(lists: readonly string[], outputs: Outputs): string {
  const [old, now] = lists;
  if (old === undefined || now === undefined || lists.length > 2) {
    throw new TypeError("--compare takes two files: before.json after.json.");
  }
  const [before, after] = [readRuns(old), readRuns(now)];
  if (outputs.html !== undefined || outputs.output !== undefined) {
    writeFiles(asOne([before, basename(old, ".json")], [after, basename(now, ".json")]), outputs);
  }
  return formatComparison(compareRuns(before, after));
}

/** Both runs' peers side by side. */
function asOne(...runs: readonly [RunResult, string][]): RunResult {
  const [first] = runs[0] as [RunResult, string];
  const peers = runs.flatMap(([{ peers, machine }, file]) =>
    peers.map((peer) => ({
      ...peer,
      name: peers.length === 1 ? file : `${peer.name} (${file})`,
      about: `${peer.about}, commit ${machine.commit}`,
    })),
  );
  return { ...first, peers };
}

function readRuns(list: string): RunResult {
  return poolRuns(list.split(",").map(readRun));
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
