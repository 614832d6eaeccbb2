// Starts what a benchmark runs beside its own process.
import type { LoadReply, LoadRequest } from "./load-requests.ts";
import { MeasuredProcess } from "./measured-process.ts";

/** What the start of one process takes at most, in milliseconds. */
export const START_TIMEOUT_MS = 20_000;
/** What a measurement may take beyond its own time on a machine that is busy, in milliseconds. */
export const SLACK_MS = 30_000;

export type ClientProcess = MeasuredProcess<LoadRequest, LoadReply>;
/** Its first reply is `{ url }`. */
export type HostProcess = MeasuredProcess<never, { readonly url: string }>;

/** @param cpuProf a directory for CPU profiles. */
export function startClient(cpuProf: string | undefined): ClientProcess {
  return start("client", "load", [], cpuProf);
}

/** @param processes how many of them share its port. */
export function startHost(processes: number, cpuProf: string | undefined): HostProcess {
  return start("host", "host", [String(processes)], cpuProf);
}

function start<Request extends object, Reply extends object>(
  title: string,
  name: "host" | "load",
  args: readonly string[],
  cpuProf: string | undefined,
): MeasuredProcess<Request, Reply> {
  // The same file as source and as built.
  const module = new URL(`${name}-process${import.meta.url.slice(-3)}`, import.meta.url);
  const profile = cpuProf === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${cpuProf}`];
  return new MeasuredProcess({ title, module, args, execArgv: [...process.execArgv, ...profile] });
}
