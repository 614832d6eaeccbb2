// On what a run ran: machine, Node and commit.
import { execFileSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunResult } from "./results.ts";

/** This package, seen from src/bench as from dist/bench. */
const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));

/** `commit`: short hash, with "+changes" when the checkout differs from it; outside Capstan's repository the version, as "v1.0.0".
 * `loadBefore`: processes that wanted a core in the minute before the run, which disturb it. */
export type Machine = Readonly<RunResult["machine"]>;

/** What is told of the host that is measured, where it may be another machine. */
export type HostMachine = Pick<Machine, "cpu" | "node">;

export function describeHost(): HostMachine {
  return { cpu: cpus()[0]?.model.trim() ?? "unknown", node: process.version };
}

/** The setting that says what heap the processes start with that a run starts. */
export const HEAP_SETTING = "initial heap in MiB";

export function describeMachine(): Machine {
  return {
    ...describeHost(),
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    commit: commitOf(PACKAGE),
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** Whether other work took a share of the machine. */
export function isDisturbed({ loadBefore }: Machine): boolean {
  return loadBefore > 0.5;
}

/** What was measured: a commit, or the version of a package. */
export function nameVersion({ commit }: Machine): string {
  return commit.startsWith("v") ? `Capstan ${commit}` : `commit ${commit}`;
}

/** Some lines for people. */
export function formatMachine({ machine, when, settings }: Pick<RunResult, "machine" | "when" | "settings">): string {
  const busy = isDisturbed(machine) ? " (other work on this machine disturbs the figures)" : "";
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}`,
    `Node ${machine.node}, ${nameVersion(machine)}, ${when}, load before the run ${machine.loadBefore.toFixed(2)}${busy}`,
    ...(settings.host === undefined ? [] : [`the host: ${settings.host}`]),
  ].join("\n");
}

/** What the package in this folder is, by its commit or its version. */
export function commitOf(folder: string): string {
  try {
    // An installed package may lie within a repository that is somebody else's.
    const place = relative(git(folder, "rev-parse", "--show-toplevel"), realpathSync(folder));
    if (place.split(sep).join("/") !== "packages/cli") return versionOf(folder);
    const changed = git(folder, "status", "--porcelain") !== "";
    return `${git(folder, "rev-parse", "--short", "HEAD")}${changed ? "+changes" : ""}`;
  } catch {
    return versionOf(folder);
  }
}

function versionOf(folder: string): string {
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { readonly version: string };
  return `v${version}`;
}

function git(folder: string, ...args: string[]): string {
  return execFileSync("git", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}
