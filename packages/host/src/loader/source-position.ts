// Where in its source an error of a bundled module was thrown.
import { SourceMap } from "node:module";
import { basename, dirname, sep } from "node:path";
import { pathToFileURL } from "node:url";

const INLINE_MAP = /\n\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/;

interface Place {
  readonly file: string;
  /** Like the column, from 1. */
  readonly line: number;
  readonly column: number;
}

/**
 * The place where `error` was thrown in a bundle, as `file:line:column` with the file named as the bundle's source map
 * names it; undefined where its stack doesn't say.
 *
 * @param file absolute path of the file that the bundle was imported from.
 * @param code the bundle, with its source map inline.
 */
export function sourcePosition(error: unknown, file: string, code: string): string | undefined {
  if (!(error instanceof Error) || typeof error.stack !== "string") return undefined;
  const folder = dirname(file);
  for (const frame of error.stack.split("\n")) {
    const place = placeIn(frame, `${pathToFileURL(folder).href}/`) ?? placeIn(frame, folder + sep);
    if (place === undefined) continue;
    // Under --enable-source-maps the stack has the source's place already.
    const source = place.file === basename(file) ? sourceOf(place, code) : place;
    if (source !== undefined) return `${source.file}:${source.line}:${source.column}`;
  }
  return undefined;
}

function placeIn(frame: string, prefix: string): Place | undefined {
  const start = frame.indexOf(prefix);
  if (start < 0) return undefined;
  const [, file, line, column] = /^(.+?):(\d+):(\d+)/.exec(frame.slice(start + prefix.length)) ?? [];
  return file === undefined ? undefined : { file, line: Number(line), column: Number(column) };
}

/** The source map at the end of `code`, in base64. */
export function inlineMapOf(code: string): string | undefined {
  return INLINE_MAP.exec(code.slice(code.lastIndexOf("\n//# ")))?.[1];
}

function sourceOf(place: Place, code: string): Place | undefined {
  const map = inlineMapOf(code);
  if (map === undefined) return undefined;
  const sourceMap = new SourceMap(JSON.parse(Buffer.from(map, "base64").toString()));
  // The map counts from 0.
  const entry = sourceMap.findEntry(place.line - 1, place.column - 1);
  if (!("originalSource" in entry)) return undefined;
  return { file: entry.originalSource, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}
