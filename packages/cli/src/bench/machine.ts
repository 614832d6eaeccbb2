// On what a run ran: machine, Node and commit.
import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunResult } from "./results.ts";

/** This package, seen from src/bench as from dist/bench. */
const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));

/** `commit`: short hash, with "+changes" when the checkout differs from it; "unknown" outside Capstan's repository.
 * `loadBefore`: processes that wanted a core in the minute before the run, which disturb it. */
export type Machine = Readonly<RunResult["machine"]>;

/** The setting that says what heap the processes start with that a run starts. */
export const HEAP_SETTING = "initial heap in MiB";

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    commit: commit(),
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** Whether other work took a share of the machine. */
export function isDisturbed({ loadBefore }: Machine): boolean {
  return loadBefore > 0.5;
}

/** A line or two for people. */
export function formatMachine({ machine, when }: Pick<RunResult, "machine" | "when">): string {
  const busy = isDisturbed(machine) ? " (other work on this machine disturbs the figures)" : "";
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}`,
    `Node ${machine.node}, commit ${machine.commit}, ${when}, load before the run ${machine.loadBefore.toFixed(2)}${busy}`,
  ].join("\n");
}

function commit(): string {
  try {
    // An installed package may lie within a repository that is somebody else's.
    const place = relative(git("rev-parse", "--show-toplevel"), realpathSync(PACKAGE));
    if (place.split(sep).join("/") !== "packages/cli") return "unknown";
    const changed = git("status", "--porcelain") !== "";
    return `${git("rev-parse", "--short", "HEAD")}${changed ? "+changes" : ""}`;
  } catch {
    return "unknown";
  }
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: PACKAGE, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}
