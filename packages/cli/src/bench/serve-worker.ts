// Serves the benchmark's own Worker, for this machine or for others.
import { type Host, type ServeOptions, serve } from "@capstan/host";
import { BenchWorker } from "./worker.ts";

/** The service's name. */
export const BENCH_SERVICE = "capstan-bench";

export function serveBenchWorker(options: Pick<ServeOptions, "port" | "host" | "listen">): Promise<Host> {
  return serve({ ...options, workers: [{ name: BENCH_SERVICE, module: { default: BenchWorker } }] });
}
