// Errors as a Worker's author wants to read them: with the places in the Worker's own files, and no others.
import { SourceMap } from "node:module";
import { isAbsolute, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { inlineMapOf } from "./source-position.ts";

interface LoadedBundle {
  /** Absolute: what the names in the map are relative to. */
  readonly root: string;
  readonly base64: string;
  map: SourceMap | undefined;
}

/** By the URL of the file that was imported. They stay, as the modules do: Node never forgets one. */
const bundles = new Map<string, LoadedBundle>();

/** The folder that holds this package and its siblings. */
const OWN_PACKAGES = new URL("../../../", import.meta.url).href;

const MAX_CAUSES = 8;

/**
 * Remembers where the code of a bundle comes from.
 *
 * @param file absolute path that it is imported from.
 * @param code the bundle, with its source map inline.
 * @param root absolute path of the folder that the map's names are relative to.
 */
export function rememberBundle(file: string, code: string, root: string): void {
  const base64 = inlineMapOf(code);
  if (base64 !== undefined) bundles.set(pathToFileURL(file).href, { root, base64, map: undefined });
}

/**
 * `Name: message`, then a line for each place on the stack that is a user's: those in bundles as
 * `at name (file:line:column)` of the source, relative to the working directory where they are within it. Causes follow.
 * What is no Error is inspected.
 */
export function errorText(error: unknown): string {
  let text = "";
  let next = error;
  for (let depth = 0; depth < MAX_CAUSES; depth++) {
    if (!(next instanceof Error)) return text + inspect(next);
    text += [headline(next), ...placesOf(next)].join("\n");
    if (next.cause === undefined) return text;
    text += "\ncaused by: ";
    next = next.cause;
  }
  return `${text}…`;
}

function headline({ name, message }: Error): string {
  return message === "" ? name : `${name}: ${message}`;
}

function placesOf({ stack }: Error): string[] {
  if (typeof stack !== "string") return [];
  const places: string[] = [];
  for (const line of stack.split("\n")) {
    const [, before, at, row, column] =
      /^(\s+at (?:.*\()?)((?:file:\/\/|\/|[A-Z]:\\).*?):(\d+):(\d+)\)?$/.exec(line) ?? [];
    if (before === undefined || at === undefined) continue;
    const url = at.startsWith("file:") ? at : pathToFileURL(at).href;
    if (url.startsWith(OWN_PACKAGES) || /\/node_modules\/ws\//.test(url)) continue;
    const place = sourceOf(url, Number(row), Number(column)) ?? `${shortPath(fileURLToPath(url))}:${row}:${column}`;
    places.push(before.includes("(") ? `${before}${place})` : `${before}${place}`);
  }
  return places;
}

function sourceOf(url: string, row: number, column: number): string | undefined {
  const bundle = bundles.get(url);
  if (bundle === undefined) return undefined;
  bundle.map ??= new SourceMap(JSON.parse(Buffer.from(bundle.base64, "base64").toString()));
  // The map counts from 0.
  const entry = bundle.map.findEntry(row - 1, column - 1);
  if (!("originalSource" in entry)) return undefined;
  const file = shortPath(join(bundle.root, entry.originalSource));
  return `${file}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
}

function shortPath(file: string): string {
  const short = relative(process.cwd(), file);
  return short.startsWith("..") || isAbsolute(short) ? file : short;
}
