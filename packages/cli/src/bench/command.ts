// What `capstan bench` does with its flags.
import { isWorse } from "./compare.ts";
import { totalErrors, WRONG_RESULT } from "./load/errors.ts";
import { describeMachine, HEAP_SETTING } from "./machine.ts";
import { missedRates } from "./notes.ts";
import { planProcesses, planRound } from "./plan.ts";
import { INITIAL_HEAP } from "./processes/measured-process.ts";
import { Progress } from "./progress.ts";
import { compareFiles, type Outputs, prepareOutputs, writeFiles, writeOutputs } from "./report/outputs.ts";
import { emptyPeer, type RunResult } from "./results.ts";
import { type BenchEvents, type BenchOptions, expectRound, runBench } from "./run.ts";
import { serveBenchWorker } from "./serve-worker.ts";
import { type BenchFlags, chooseOptions, describeSettings, flagName } from "./settings.ts";
import { shownUrl } from "./shown-url.ts";

/** Flags that say nothing of what is measured. */
const NOT_OF_LOADS = ["compare", "all", "failOnWorse", "json", "html", "output", "progress"];

export interface Flags extends BenchFlags, Outputs {
  readonly compare?: readonly string[];
  readonly all?: boolean;
  readonly failOnWorse?: boolean;
  /** A port. */
  readonly serve?: number;
  /** Default: loopback. */
  readonly host?: string;
  /** A share: 0.01 is one call in a hundred. */
  readonly maxErrorRate?: number;
  readonly name?: string;
  readonly progress: boolean;
}

/** Measures, compares or serves, and prints what came of it. Rejects with what is wrong. */
export async function bench(url: string | undefined, flags: Flags): Promise<void> {
  checkMode(url, flags);
  if (flags.serve !== undefined) return serveForOthers(flags.serve, flags.host ?? "127.0.0.1");
  prepareOutputs(flags);
  if (flags.compare !== undefined) {
    const comparison = compareFiles(flags.compare, flags, flags.all);
    if (flags.failOnWorse && isWorse(comparison)) process.exitCode = 1;
    return;
  }
  if (flags.all || flags.failOnWorse) throw new TypeError("--all and --fail-on-worse are for --compare.");
  await measureAll(chooseOptions(url, flags), flags);
}

/** Refuses what does nothing beside --serve and --compare, and without them. */
function checkMode(url: string | undefined, flags: Flags): void {
  const { serve, compare } = flags;
  if (serve === undefined && flags.host !== undefined) throw new TypeError("--host needs --serve.");
  const mode = serve !== undefined ? "--serve" : compare !== undefined ? "--compare" : undefined;
  if (mode === undefined) return;
  if (url !== undefined) throw new TypeError(`${mode} measures nothing: leave out <url>.`);
  const known = serve !== undefined ? ["serve", "host", "progress"] : NOT_OF_LOADS;
  const other = Object.keys(flags).find((key) => !known.includes(key));
  if (other !== undefined) throw new TypeError(`${flagName(other)} does nothing beside ${mode}.`);
}

/** Whatever ends the run before its end: what was measured until then is written. */
async function measureAll(options: BenchOptions, flags: Flags): Promise<void> {
  const run = emptyRun(options, flags.name ?? "capstan");
  const peer = run.peers[0] as RunResult["peers"][number];
  const expected = options.rounds * expectRound(options);
  const progress = new Progress(expected, flags.progress ? process.stderr : undefined);
  let complete = 0;
  const heard: BenchEvents = {
    afterRound: () => complete++,
    onHost: ({ node, cpu }) => {
      if (options.url !== undefined) run.settings.host = `Node ${node}, ${cpu}`;
    },
  };
  let signalled: number | undefined;
  try {
    await Promise.race([interruption(), runBench(options, peer, progress, heard)]);
  } catch (error) {
    const after = `after ${complete} of ${options.rounds} rounds`;
    const { message } = error as Error;
    if (error instanceof Interruption) signalled = error.exitCode;
    peer.failure = signalled === undefined ? `${message}${complete > 0 ? ` (${after})` : ""}` : `interrupted ${after}`;
  }
  progress.end();
  if (peer.metrics.length > 0) peer.notes = [...options.leftOut, ...missedRates(peer, options.rates)];
  // The one that was not finished counts too, where it has figures.
  run.rounds = Math.max(1, ...peer.metrics.map(({ rounds }) => rounds.length));
  const isJson = flags.json === true || flags.json === "-";
  if (peer.metrics.length > 0 || isJson) writeOutputs(run, flags);
  else writeFiles(run, flags);
  // The table has them.
  if (isJson) for (const note of peer.notes ?? []) console.error(note);
  if (signalled !== undefined) {
    console.error(peer.failure);
    // The "exit" handler of measured-process.ts ends the processes.
    process.exit(signalled);
  }
  if (peer.failure !== undefined) throw new Error(peer.failure);
  const { errors, calls = 0 } = peer;
  const failed = totalErrors(errors);
  if (flags.maxErrorRate !== undefined && failed > flags.maxErrorRate * calls)
    throw new Error(`${failed} errors in ${calls} calls: more than --max-error-rate ${flags.maxErrorRate} allows`);
  if (peer.errors[WRONG_RESULT] !== undefined) throw new Error(`${failed} errors, wrong results among them`);
}

/** A signal that came while measurements ran. */
class Interruption extends Error {
  /** As shells have it. */
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("interrupted");
    this.exitCode = exitCode;
  }
}

/** Rejects with an Interruption on the first signal. A second one ends the process at once. */
function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    let isFirst = true;
    for (const [signal, exitCode] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      process.on(signal, () => {
        if (!isFirst) process.exit(exitCode);
        isFirst = false;
        reject(new Interruption(exitCode));
      });
    }
  });
}

function emptyRun(options: BenchOptions, name: string): RunResult {
  if (planRound(options).length + planProcesses(options).length === 0)
    throw new TypeError("There is nothing to measure.");
  const what = options.target.method ?? "the benchmark's own Worker";
  return {
    format: "capstan-bench",
    version: 1,
    when: new Date().toISOString(),
    machine: describeMachine(),
    rounds: options.rounds,
    settings: { ...describeSettings(options), [HEAP_SETTING]: INITIAL_HEAP },
    peers: [
      emptyPeer(
        name,
        options.url === undefined ? `${what}, in another process` : `${what} at ${shownUrl(options.url)}`,
      ),
    ],
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
