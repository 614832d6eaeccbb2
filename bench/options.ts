// What the comparison may be told.

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Outputs } from "../packages/cli/src/bench/report/outputs.ts";
import { COMPARED_PEERS, DEFAULT_PEERS, LIGHT_PEERS, PEER_NAMES, type PeerName, parsePeers } from "./peer.ts";
import type { ChildOptions } from "./peer-child.ts";
import { furtherSteps, loopSteps, type Sizes, type Step } from "./steps.ts";

const HELP = `Usage: npm run bench -- [options], npm run bench:compare -- [options]
  bench:compare takes all peers and measures more of them: chains, CPU, bytes, streams, heap, full tables. It writes
  docs/benchmarks.md and docs/benchmarks.html.
  --rounds N       rounds of all peers (5)
  --seconds S      time of one measurement (1; with bench:compare 0.8)
  --warmup S       warm-up of each peer at each number in flight, before the first round (1; 0.5)
  --peers A,B      of ${PEER_NAMES.join(", ")};
                   or all (${DEFAULT_PEERS.join(",")}; with bench:compare all but capstan-scoped)
  --base NAME      the peer whose ratios to the others are shown (capstan)
  --json FILE      write all samples there, as \`capstan bench --compare\` reads them
  --html FILE      write a self-contained page there, with all peers in its charts
  --markdown FILE  write the tables there
  --bufferutil     let every peer's ws use the native bufferutil (only rpc-websockets, which brings it)
  --cpu-prof DIR   write a CPU profile of each process there
  --smoke          one very short round, to see that they work: of all peers that npm ci installs, or with bench:compare of
                   all; writes no files but those it is told
Exit code 1 when a peer fails or gives a wrong sum; not where one is left out because it needs what is not there.`;

type Counts = Omit<Sizes, "duration">;
const FULL: Counts = { stubs: 10_000, exports: 100_000, calls: [100_000, 1_000_000] };
const SMOKE: Counts = { stubs: 1_000, exports: 1_000, calls: [1_000, 3_000] };

export interface Options extends ChildOptions, Outputs {
  /** Whether this is the comparison with all others, whose targets are all told. */
  readonly compare: boolean;
  readonly smoke: boolean;
  readonly rounds: number;
  /** Milliseconds. */
  readonly duration: number;
  /** Milliseconds, before the first round. */
  readonly warmup: number;
  readonly steps: readonly Step[];
  readonly peers: readonly PeerName[];
  readonly base: PeerName;
  readonly markdown: string | undefined;
}

/** Throws for what makes no sense. Undefined where help was asked for, which is printed then. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      compare: { type: "boolean", default: false },
      rounds: { type: "string" },
      seconds: { type: "string" },
      warmup: { type: "string" },
      peers: { type: "string" },
      base: { type: "string", default: "capstan" },
      json: { type: "string" },
      html: { type: "string" },
      markdown: { type: "string" },
      bufferutil: { type: "boolean", default: false },
      "cpu-prof": { type: "string" },
      smoke: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return undefined;
  }
  const { smoke, compare } = values;
  const duration = 1_000 * number("seconds", values.seconds, smoke ? 0.1 : compare ? 0.8 : 1, 0.01, 600);
  const sizes = { ...(smoke ? SMOKE : FULL), duration };
  const [base] = parsePeers(values.base);
  const written = compare && !smoke;
  return {
    compare,
    smoke,
    rounds: Math.round(number("rounds", values.rounds, smoke ? 1 : 5, 1, 1_000)),
    duration,
    warmup: 1_000 * number("warmup", values.warmup, smoke ? 0.02 : compare ? 0.5 : 1, 0, 600),
    steps: [...loopSteps(sizes), ...(compare ? furtherSteps(sizes) : [])],
    peers: choosePeers(values.peers, compare, smoke),
    base: base ?? "capstan",
    json: values.json,
    html: values.html ?? (written ? docs("benchmarks.html") : undefined),
    markdown: values.markdown ?? (written ? docs("benchmarks.md") : undefined),
    bufferutil: values.bufferutil,
    cpuProf: values["cpu-prof"],
  };
}

function choosePeers(list: string | undefined, compare: boolean, smoke: boolean): readonly PeerName[] {
  if (list === "all") return PEER_NAMES;
  if (list !== undefined) return parsePeers(list);
  if (compare) return COMPARED_PEERS;
  return smoke ? LIGHT_PEERS : DEFAULT_PEERS;
}

function docs(name: string): string {
  return fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
}

function number(name: string, text: string | undefined, otherwise: number, least: number, most: number): number {
  if (text === undefined) return otherwise;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!(value >= least && value <= most))
    throw new Error(`--${name} takes a number from ${least} to ${most}: "${text}"`);
  return value;
}
