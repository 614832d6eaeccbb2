// The benchmark of calls: Capstan beside other systems in one run, each in two processes, interleaved round by round.
// Run: npm run bench -- [--help]
import { parseArgs } from "node:util";
import type { Sample } from "../packages/cli/src/bench/load/closed-loop.ts";
import { describeMachine } from "../packages/cli/src/bench/machine.ts";
import { Progress } from "../packages/cli/src/bench/progress.ts";
import { prepareOutputs, writeFiles } from "../packages/cli/src/bench/report/outputs.ts";
import { emptyPeer, type PeerResult, type RunResult } from "../packages/cli/src/bench/results.ts";
import { DEFAULT_PEERS, PEER_NAMES, type PeerName, parsePeers } from "./peer.ts";
import { type ChildOptions, RunningPeer } from "./peer-child.ts";
import { formatReport, SECONDS } from "./report.ts";
import { LEVELS, recordSample } from "./results.ts";
import { packageVersion } from "./versions.ts";

const HELP = `Usage: npm run bench -- [options]
  --rounds N     rounds of all peers (5)
  --seconds S    time of one measurement (1)
  --warmup S     warm-up of each peer at each number in flight, before the first round (1)
  --peers A,B    of ${PEER_NAMES.join(", ")}; or all (${DEFAULT_PEERS.join(",")})
  --base NAME    the peer whose ratios to the others are shown (capstan)
  --json FILE    write all samples there, as \`capstan bench --compare\` reads them
  --html FILE    write a self-contained page there, with all peers in its charts
  --bufferutil   let every peer's ws use the native bufferutil (only rpc-websockets, which brings it)
  --cpu-prof DIR write a CPU profile of each process there
  --smoke        one very short round of all peers, to see that they work
Exit code 1 when a peer fails or gives a wrong sum.`;

interface Options extends ChildOptions {
  readonly rounds: number;
  /** Milliseconds. */
  readonly duration: number;
  /** Milliseconds, before the first round. */
  readonly warmup: number;
  readonly peers: readonly PeerName[];
  readonly base: PeerName;
  readonly json: string | undefined;
  readonly html: string | undefined;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string" },
      seconds: { type: "string" },
      warmup: { type: "string" },
      peers: { type: "string" },
      base: { type: "string", default: "capstan" },
      json: { type: "string" },
      html: { type: "string" },
      bufferutil: { type: "boolean", default: false },
      "cpu-prof": { type: "string" },
      smoke: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const { smoke } = values;
  const names = values.peers ?? (smoke ? "all" : DEFAULT_PEERS.join(","));
  const [base] = parsePeers(values.base);
  return {
    rounds: Math.round(number("rounds", values.rounds ?? "", smoke ? 1 : 5, 1, 1_000)),
    duration: 1_000 * number("seconds", values.seconds ?? "", smoke ? 0.1 : 1, 0.01, 600),
    warmup: 1_000 * number("warmup", values.warmup ?? "", smoke ? 0.02 : 1, 0, 600),
    peers: names === "all" ? PEER_NAMES : parsePeers(names),
    base: base ?? "capstan",
    json: values.json,
    html: values.html,
    bufferutil: values.bufferutil,
    cpuProf: values["cpu-prof"],
  };
}

function number(name: string, text: string, otherwise: number, least: number, most: number): number {
  if (text === "") return otherwise;
  const value = Number(text);
  if (!(value >= least && value <= most))
    throw new Error(`--${name} takes a number from ${least} to ${most}: "${text}"`);
  return value;
}

/** Starts the peers, all at once. One that does not start is noted as failed. */
async function startPeers(results: readonly PeerResult[], options: Options): Promise<Map<PeerResult, RunningPeer>> {
  const running = new Map<PeerResult, RunningPeer>();
  const starts = results.map(async (result) => {
    try {
      const peer = await RunningPeer.start(result.name as PeerName, options);
      result.about = peer.about;
      result.versions = Object.fromEntries(peer.packages.map((name) => [name, packageVersion(name)]));
      running.set(result, peer);
    } catch (error) {
      result.failure = (error as Error).message;
      console.error(`${result.name} does not run: ${result.failure}`);
    }
  });
  await Promise.all(starts);
  return running;
}

/** Runs all rounds. A peer that fails is left out from then on. */
async function measureAll(running: Map<PeerResult, RunningPeer>, options: Options): Promise<void> {
  const again = Math.min(200, options.duration / 5);
  const expected = options.warmup + options.rounds * (again + options.duration);
  const progress = new Progress(expected * LEVELS.length * running.size, process.stderr);
  for (let round = 0; round <= options.rounds; round++) {
    for (const level of LEVELS) {
      // Each round starts with another peer, so that none always follows the same one.
      const peers = [...running];
      const turned = [...peers.slice(round % peers.length), ...peers.slice(0, round % peers.length)];
      for (const [result, peer] of turned) {
        const warming = round === 0;
        if (warming && options.warmup === 0) continue;
        const what = `${warming ? "warm-up" : `round ${round} of ${options.rounds}`}, ${level} in flight: ${result.name}`;
        progress.next(what, warming ? options.warmup : again + options.duration);
        try {
          if (warming) await peer.measure(level, 0, options.warmup);
          else recordSample(result, level, withCalls(await peer.measure(level, again, options.duration)));
        } catch (error) {
          result.failure = (error as Error).message;
          running.delete(result);
          progress.clear();
          console.error(`${result.name} failed: ${result.failure}`);
          await peer.stop();
        }
      }
    }
  }
  progress.end();
}

function withCalls(sample: Sample): Sample {
  if (sample.calls === 0) throw new Error(`no call came back within ${sample.seconds.toFixed(3)} s`);
  return sample;
}

async function main(): Promise<void> {
  const options = readOptions();
  const outputs = { json: options.json, html: options.html };
  prepareOutputs(outputs);
  const run: RunResult = {
    format: "capstan-bench",
    version: 1,
    when: new Date().toISOString(),
    machine: describeMachine(),
    rounds: options.rounds,
    settings: {
      [SECONDS]: options.duration / 1_000,
      "seconds of warm-up": options.warmup / 1_000,
      bufferutil: options.bufferutil,
    },
    peers: options.peers.map((name) => emptyPeer(name)),
  };
  const running = await startPeers(run.peers, options);
  try {
    await measureAll(running, options);
  } finally {
    await Promise.all([...running.values()].map((peer) => peer.stop()));
  }
  console.log(formatReport(run, options.base));
  writeFiles(run, outputs);
  if (run.peers.some((peer) => peer.failure !== undefined)) process.exitCode = 1;
}

// The "exit" handler of peer-child.ts ends the children.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
main().catch((error: unknown) => {
  console.error(`bench: ${(error as Error).message}`);
  process.exit(1);
});
