// What `capstan bench` does with its flags.
import { isWorse } from "./compare.ts";
import { totalErrors, WRONG_RESULT } from "./load/errors.ts";
import { describeMachine, HEAP_SETTING } from "./machine.ts";
import { planRound, planSeveral } from "./plan.ts";
import { INITIAL_HEAP } from "./processes/measured-process.ts";
import { Progress } from "./progress.ts";
import { compareFiles, type Outputs, prepareOutputs, writeOutputs } from "./report/outputs.ts";
import { emptyPeer, type RunResult } from "./results.ts";
import { type BenchOptions, expectRound, runBench } from "./run.ts";
import { serveBenchWorker } from "./serve-worker.ts";
import { type BenchFlags, chooseOptions, describeSettings } from "./settings.ts";

export interface Flags extends BenchFlags, Outputs {
  readonly compare?: readonly string[];
  readonly all?: boolean;
  readonly failOnWorse?: boolean;
  /** A port. */
  readonly serve?: number;
  readonly host: string;
  readonly name?: string;
  readonly progress: boolean;
}

/** Measures, compares or serves, and prints what came of it. Rejects with what is wrong. */
export async function bench(url: string | undefined, flags: Flags): Promise<void> {
  if (flags.serve !== undefined) return serveForOthers(flags.serve, flags.host);
  prepareOutputs(flags);
  if (flags.compare !== undefined) {
    if (url !== undefined) throw new TypeError("--compare takes two files and measures nothing.");
    const comparison = compareFiles(flags.compare, flags, flags.all);
    if (flags.failOnWorse && isWorse(comparison)) process.exitCode = 1;
    return;
  }
  if (flags.all || flags.failOnWorse) throw new TypeError("--all and --fail-on-worse are for --compare.");
  const options = chooseOptions(url, flags);
  const run = emptyRun(options, flags.name ?? "capstan");
  const peer = run.peers[0] as RunResult["peers"][number];
  const expected = options.rounds * expectRound(options);
  const progress = new Progress(expected, flags.progress ? process.stderr : undefined);
  // The "exit" handler of measured-process.ts ends the processes.
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
  try {
    await runBench(options, peer, progress);
  } finally {
    progress.end();
  }
  writeOutputs(run, flags);
  if (peer.errors[WRONG_RESULT] !== undefined)
    throw new Error(`${totalErrors(peer.errors)} errors, wrong results among them`);
}

function emptyRun(options: BenchOptions, name: string): RunResult {
  if (planRound(options).length + planSeveral(options).length === 0)
    throw new TypeError("There is nothing to measure.");
  const what = options.target.method ?? "the benchmark's own Worker";
  return {
    format: "capstan-bench",
    version: 1,
    when: new Date().toISOString(),
    machine: describeMachine(),
    rounds: options.rounds,
    settings: { ...describeSettings(options), [HEAP_SETTING]: INITIAL_HEAP },
    peers: [emptyPeer(name, options.url === undefined ? `${what}, in another process` : `${what} at ${options.url}`)],
  };
}

/** Until a signal. */
async function serveForOthers(port: number, address: string): Promise<void> {
  const host = await serveBenchWorker({ port, host: address });
  console.log(`listening on ${host.url}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void host.close().then(() => process.exit(0)));
  }
}
