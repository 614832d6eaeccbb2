// Versions of the libraries compared.
import { readFileSync } from "node:fs";

/** The installed version of an npm package, or "?" when it isn't there. */
export function packageVersion(name: string): string {
  try {
    const text = readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), "utf8");
    return (JSON.parse(text) as { version: string }).version;
  } catch {
    return "?";
  }
}
