// The benchmark of calls: Capstan beside other systems in one run, each in two processes, interleaved round by round.
// Run: npm run bench -- [--help]
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Sample } from "./closed-loop.ts";
import { describeMachine, packageVersion } from "./machine.ts";
import { DEFAULT_PEERS, PEER_NAMES, type PeerName, parsePeers } from "./peer.ts";
import { type ChildOptions, RunningPeer } from "./peer-child.ts";
import { formatReport } from "./report.ts";
import { emptyResult, LEVELS, type PeerResult, type RunResult } from "./results.ts";

const HELP = `Usage: npm run bench -- [options]
  --rounds N     rounds of all peers (5)
  --seconds S    time of one measurement (1)
  --warmup S     warm-up of each peer at each number in flight, before the first round (1)
  --peers A,B    of ${PEER_NAMES.join(", ")}; or all (${DEFAULT_PEERS.join(",")})
  --base NAME    the peer whose ratios to the others are shown (capstan)
  --json FILE    write all samples there
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
      const peer = await RunningPeer.start(result.name, options);
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
  for (let round = 0; round <= options.rounds; round++) {
    for (const level of LEVELS) {
      // Each round starts with another peer, so that none always follows the same one.
      const peers = [...running];
      const turned = [...peers.slice(round % peers.length), ...peers.slice(0, round % peers.length)];
      for (const [result, peer] of turned) {
        const warming = round === 0;
        if (warming && options.warmup === 0) continue;
        showProgress(`${warming ? "warm-up" : `round ${round}/${options.rounds}`}, ${level} in flight: ${result.name}`);
        try {
          if (warming) await peer.measure(level, 0, options.warmup);
          else result.samples[level].push(withCalls(await peer.measure(level, again, options.duration)));
        } catch (error) {
          result.failure = (error as Error).message;
          running.delete(result);
          showProgress("");
          console.error(`${result.name} failed: ${result.failure}`);
          await peer.stop();
        }
      }
    }
  }
  showProgress("");
}

function withCalls(sample: Sample): Sample {
  if (sample.calls === 0) throw new Error(`no call came back within ${sample.seconds.toFixed(3)} s`);
  return sample;
}

/** One line on a terminal, overwritten by the next; nothing elsewhere. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function main(): Promise<void> {
  const options = readOptions();
  const run: RunResult = {
    when: new Date().toISOString(),
    machine: describeMachine(),
    rounds: options.rounds,
    seconds: options.duration / 1_000,
    bufferutil: options.bufferutil,
    peers: options.peers.map(emptyResult),
  };
  const running = await startPeers(run.peers, options);
  try {
    await measureAll(running, options);
  } finally {
    await Promise.all([...running.values()].map((peer) => peer.stop()));
  }
  console.log(formatReport(run, options.base));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(run, undefined, 2)}\n`);
  if (run.peers.some((peer) => peer.failure !== undefined)) process.exitCode = 1;
}

// The "exit" handler of peer-child.ts ends the children.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
main().catch((error: unknown) => {
  console.error(`bench: ${(error as Error).message}`);
  process.exit(1);
});
