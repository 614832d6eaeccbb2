// What `capstan serve` is told, and a host that does it in the process that this runs in.
import { errorText, type Host, type PackedPolicy, serve } from "@capstan/host";
import { recordTo } from "../recording/recording-file.ts";
import type { MemberPlace } from "./group-member.ts";

/** Goes to processes as JSON. */
export interface ServeTask {
  readonly workers: readonly string[];
  /** The address to listen on. */
  readonly host: string;
  readonly services: { readonly [name: string]: string };
  readonly acceptProps: boolean;
  readonly packed: PackedPolicy;
  readonly graceMs: number;
  /** A file for what passes over links; of several processes each adds its number. */
  readonly record?: string | undefined;
}

/** Where a process serves: the only one, or one of several. */
export type ServePlace = { readonly port: number } | MemberPlace;

/** Rejects as `serve()` does, and with the system's error for a recording that cannot be written. */
export async function serveHere(task: ServeTask, place: ServePlace): Promise<Host> {
  const { workers, services, acceptProps, packed, graceMs, record } = task;
  const serial = "serial" in place ? place.serial : undefined;
  const host = await serve({
    workers,
    ...("listen" in place ? { listen: place.listen } : { port: place.port, host: task.host }),
    services,
    acceptProps,
    packed,
    record: recordTo(record === undefined || serial === undefined ? record : `${record}.${serial}`),
    limits: { gracePeriodMs: graceMs },
    // All processes read the same configuration: one of them tells what is odd in it.
    warn: serial === undefined || serial === 1 ? undefined : () => {},
  });
  // Code that a Worker left behind (a timer, a promise nobody awaits, a listener) must not end the others' calls.
  process.on("uncaughtException", (error) => console.error(`Uncaught in a Worker: ${errorText(error)}`));
  return host;
}
