// Where in its source an error of a bundled module was thrown.
import { SourceMap } from "node:module";

const INLINE_MAP = /\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/;

/**
 * The place, `file:line:column` from 1 and as the bundle's source map names the file, of the first frame of `error`'s
 * stack that is in the module `url`; undefined where there is none, or Node has already put the sources' names there.
 */
export function sourcePosition(error: unknown, url: string, code: string): string | undefined {
  if (!(error instanceof Error) || typeof error.stack !== "string") return undefined;
  const at = error.stack.indexOf(`${url}:`);
  const [, line, column] = /^:(\d+):(\d+)/.exec(at < 0 ? "" : error.stack.slice(at + url.length)) ?? [];
  const [, map] = INLINE_MAP.exec(code.slice(code.lastIndexOf("\n//# "))) ?? [];
  if (line === undefined || map === undefined) return undefined;
  const entry = new SourceMap(JSON.parse(Buffer.from(map, "base64").toString())).findEntry(
    Number(line) - 1,
    Number(column) - 1,
  );
  if (!("originalSource" in entry)) return undefined;
  return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
}
