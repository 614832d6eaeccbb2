// Files that are made from something else: written, or with --check only compared.
import { readFileSync, writeFileSync } from "node:fs";

/** Writes `text` to `file`; with --check ends the process with status 1 where it is not what is there, and says `stale`. */
export function writeOrCheck(file: URL, text: string, stale: string): void {
  if (!process.argv.includes("--check")) writeFileSync(file, text);
  else if (readOrEmpty(file) !== text) {
    console.error(stale);
    process.exit(1);
  }
}

/** What is in `file`; "" where there is none. */
export function readOrEmpty(file: URL): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
