// What the project aims at, and whether a run reached it. No I/O.
import { formatBytes, formatDigits } from "../packages/cli/src/bench/figures.ts";
import type { PeerResult, RunResult, TargetResult } from "../packages/cli/src/bench/results.ts";
import { ratioSpread, type Spread, spread } from "../packages/cli/src/bench/statistics.ts";
import {
  BYTES,
  CALLS,
  type Column,
  CPU,
  DOWNLOAD,
  EMPTY_TABLES,
  FULL_TABLES,
  HEAP_AFTER_FEW,
  HEAP_AFTER_MANY,
  P50,
  ROUND_TRIPS,
  STUB,
  UPLOAD,
} from "./columns.ts";
import type { PeerName } from "./peer.ts";

type Source = readonly [peer: PeerName, column: Column];

/** A figure, at least or at most so much: by itself, or as multiple of another. */
interface Target {
  readonly text: string;
  readonly of: Source;
  readonly over?: Source;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** Capstan's figure in multiples of a peer's. */
function ratio(text: string, column: Column, peer: PeerName, bound: Pick<Target, "atLeast" | "atMost">): Target {
  return { text, of: ["capstan", column], over: [peer, column], ...bound };
}

/** Every RPC over a socket that a single call is to be faster than. */
const SLOWER: readonly (readonly [peer: PeerName, whose: string])[] = [
  ["capnweb", "capnweb's"],
  ["capnp-cpp-ws", "C++'s over WebSocket"],
  ["capnp-ts", "capnp-ts's"],
  ["rpc-websockets", "rpc-websockets'"],
  ["socket.io", "socket.io's"],
  ["grpc-js", "grpc-js's"],
  ["trpc", "tRPC's"],
];

const MIB = 1024 * 1024;

/** What heaps have grown by between few calls and many. */
const GROWTH: Column = {
  head: "heap growth",
  format: formatBytes,
  values(peer) {
    const few = HEAP_AFTER_FEW.values(peer);
    return HEAP_AFTER_MANY.values(peer).map((many, round) => many - (few[round] ?? 0));
  },
};

const TARGETS: readonly Target[] = [
  ratio("256 in flight: ≥ 10× capnweb", CALLS[256], "capnweb", { atLeast: 10 }),
  ratio("256 in flight: ≥ 4× C++ over WebSocket", CALLS[256], "capnp-cpp-ws", { atLeast: 4 }),
  ratio("256 in flight: ≥ 3× rpc-websockets", CALLS[256], "rpc-websockets", { atLeast: 3 }),
  ratio("64 in flight: ≥ 0.35× the no-codec ceiling", CALLS[64], "ceiling", { atLeast: 0.35 }),
  ratio("one call, p50: ≤ 1.25× the raw echo", P50, "ws-echo", { atMost: 1.25 }),
  ...SLOWER.map(([peer, whose]) => ratio(`one call, p50: below ${whose}`, P50, peer, { atMost: 1 })),
  {
    text: "32 dependent pipelined calls at 50 ms: ≤ 1.05 round trips",
    of: ["capstan", ROUND_TRIPS],
    atMost: 1.05,
  },
  { text: "CPU per call, both ends: capnweb's is ≥ 6× that", of: ["capnweb", CPU], over: ["capstan", CPU], atLeast: 6 },
  {
    text: "bytes per call on a packed link: ≤ capnweb's",
    of: ["capstan-packed", BYTES],
    over: ["capnweb", BYTES],
    atMost: 1,
  },
  { text: "heap per held stub, client: ≤ 200 bytes", of: ["capstan", STUB], atMost: 200 },
  {
    text: "calls/s with 100,000 live exports: ≥ 0.9× those with none",
    of: ["capstan", FULL_TABLES],
    over: ["capstan", EMPTY_TABLES],
    atLeast: 0.9,
  },
  { text: "heap after 1,000,000 calls: ≤ +1 MiB over that after 100,000", of: ["capstan", GROWTH], atMost: MIB },
  ratio("byte stream up, 64 KiB chunks: ≥ 0.8× raw ws", UPLOAD, "ws-echo", { atLeast: 0.8 }),
  ratio("byte stream down, 64 KiB chunks: ≥ 0.8× raw ws", DOWNLOAD, "ws-echo", { atLeast: 0.8 }),
  {
    text: "binding within a process, one call in a row: ≥ 10× workerd's calls/s",
    of: ["capstan-in-process", CALLS[1]],
    over: ["workerd", CALLS[1]],
    atLeast: 10,
  },
];

/** Every target with what the run measured of it, or why it did not. */
export function targets(run: RunResult): TargetResult[] {
  const byName = new Map(run.peers.map((peer) => [peer.name, peer]));
  return TARGETS.map((target) => judge(target, byName));
}

function judge(target: Target, peers: ReadonlyMap<string, PeerResult>): TargetResult {
  const { text, of, over, atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = target;
  const value = measured(of, over, peers);
  if (value === undefined) return { text, figure: whyNot([of, over ?? of], peers) };
  const { median, min, max } = value;
  const format = over === undefined ? of[1].format : times;
  const range = min === max ? "" : ` (${format(min)} – ${format(max)})`;
  const isInside = (figure: number): boolean => figure >= atLeast && figure <= atMost;
  const reached = isInside(median);
  const disagree = isInside(min) !== reached || isInside(max) !== reached ? "; not in every round" : "";
  return { text, figure: `${format(median)}${range}${disagree}`, reached };
}

function measured(of: Source, over: Source | undefined, peers: ReadonlyMap<string, PeerResult>): Spread | undefined {
  const values = ([name, column]: Source): readonly number[] => {
    const peer = peers.get(name);
    return peer === undefined ? [] : column.values(peer);
  };
  return over === undefined ? spread(values(of)) : ratioSpread(values(of), values(over));
}

function whyNot(sources: readonly Source[], peers: ReadonlyMap<string, PeerResult>): string {
  for (const [name] of sources) {
    const peer = peers.get(name);
    if (peer === undefined) return `not measured: ${name} did not take part`;
    if (peer.leftOut !== undefined) return `not measured: ${name} was left out`;
    if (peer.failure !== undefined) return `not measured: ${name} failed`;
  }
  return "not measured";
}

function times(value: number): string {
  return `${formatDigits(value)}×`;
}
