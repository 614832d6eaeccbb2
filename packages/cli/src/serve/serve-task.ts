// What `capstan serve` is told, and a host that does it in the process that this runs in.
import { errorText, type Host, serve } from "@capstan/host";
import { recordTo } from "../recording/recording-file.ts";

/** Goes to processes as JSON. */
export interface ServeTask {
  readonly workers: readonly string[];
  readonly host: string;
  readonly services: { readonly [name: string]: string };
  readonly acceptProps: boolean;
  readonly graceMs: number;
  /** A file for what passes over links; of several processes each adds its number. */
  readonly record?: string | undefined;
}

/** What differs from process to process. */
export interface ServePlace {
  readonly port: number;
  /** Which of several processes it is, from 1 on; undefined for the only one. */
  readonly serial?: number | undefined;
}

/** Rejects as `serve()` does, and with the system's error for a recording that cannot be written. */
export async function serveHere(task: ServeTask, { port, serial }: ServePlace): Promise<Host> {
  const { workers, host: address, services, acceptProps, graceMs, record } = task;
  const host = await serve({
    workers,
    port,
    host: address,
    services,
    acceptProps,
    record: recordTo(record === undefined || serial === undefined ? record : `${record}.${serial}`),
    limits: { gracePeriodMs: graceMs },
    // All processes read the same configuration: one of them tells what is odd in it.
    warn: serial === undefined || serial === 1 ? undefined : () => {},
  });
  // Code that a Worker left behind (a timer, a promise nobody awaits, a listener) must not end the others' calls.
  process.on("uncaughtException", (error) => console.error(`Uncaught in a Worker: ${errorText(error)}`));
  return host;
}

/**
 * Sends what is written to standard output to standard error, until the function that this returns is called: the first
 * line on standard output says where the host listens, whatever Workers print while they load.
 */
export function withholdStandardOutput(): () => void {
  const { write } = process.stdout;
  process.stdout.write = process.stderr.write.bind(process.stderr);
  return () => {
    process.stdout.write = write;
  };
}
