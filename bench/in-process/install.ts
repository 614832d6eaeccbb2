// Installs workerd where it is not there: it is as large as all else that is installed, and only the comparison needs it.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const FOLDER = new URL("workerd/", import.meta.url);
const INSTALL_TIMEOUT_MS = 120_000;

/** The version that is installed, if one is. */
export function workerdVersion(): string | undefined {
  try {
    return (JSON.parse(read("node_modules/workerd/package.json")) as { version: string }).version;
  } catch {
    return undefined;
  }
}

/** The path of the binary. Throws where it is not installed, or not for this platform. */
export function workerdBinary(): string {
  const module = createRequire(new URL("package.json", FOLDER))("workerd") as { default: string };
  return module.default;
}

/** Installs the version that package.json names, without its scripts: the binary comes in a package of its own. */
export async function installWorkerd(): Promise<void> {
  const { dependencies } = JSON.parse(read("package.json")) as { dependencies: { workerd: string } };
  if (workerdVersion() === dependencies.workerd) return;
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: fileURLToPath(FOLDER),
    timeout: INSTALL_TIMEOUT_MS,
  });
}

function read(path: string): string {
  return readFileSync(new URL(path, FOLDER), "utf8");
}
