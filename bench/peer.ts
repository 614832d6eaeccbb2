// What the comparison asks of every system in it, and which systems there are. One file in peers/ is one system.
import type { CallClient, ClosedLoopOptions, Sample } from "../packages/cli/src/bench/load/closed-loop.ts";
import type { ChainMode } from "../packages/cli/src/bench/metrics.ts";

/** A client that calls from elsewhere than JavaScript of its own process, and so brings the closed loop with it. */
export interface LoopClient {
  /** One measurement of `options.inFlight` loops that call `add`. Every sum is checked; rejects where one is wrong. */
  measure(options: ClosedLoopOptions): Promise<Sample>;
}

/** What some systems can do besides. */
export interface Abilities {
  /**
   * `length` calls, each on what the one before it returns: pipelined, so all sent at once, or awaited one by one. Gives what
   * the last one does: `length - 1`.
   */
  chain?(length: number, mode: ChainMode): Promise<number>;
  /** Holds so many stubs of remote objects until they are disposed of. */
  hold?(count: number): Promise<Disposable>;
  /** So many chunks of 64 KiB to the server as one stream: how many bytes it got. */
  upload?(chunks: number): Promise<number>;
  /** The same from the server. */
  download?(chunks: number): Promise<number>;
}
export type Ability = keyof Abilities;
export const ABILITIES: readonly Ability[] = ["chain", "hold", "upload", "download"];

/** The client's end of one connection, as an application holds it. */
export type PeerClient = (CallClient | LoopClient) &
  Abilities & {
    /** Ends the connection. */
    close(): void;
  };

/** One system under test. `listen` and `connect` run in two different processes. */
export interface Peer {
  /** One line for the report: what runs here. */
  readonly about: string;
  /** npm packages whose versions the report names. */
  readonly packages: readonly string[];
  /** Versions of what is no npm package, by its name. */
  versions?(): Promise<{ readonly [name: string]: string }>;
  /** Whether caller and callee are both in the server's process: the client only says how many calls are to be made. */
  readonly inProcess?: boolean;
  /** Serves `add` on a free port of the loopback address and gives that port. */
  listen(): Promise<number>;
  /** Connects to that port; the client is ready for calls. */
  connect(port: number): Promise<PeerClient>;
  /** CPU time in µs that this process's end has used, where that end is a process of its own. */
  cpu?(): Promise<number>;
}

/** Every peer there is: its name is that of its file in peers/. The order is the report's. */
export const PEER_NAMES = [
  "capstan",
  "capstan-scoped",
  "capstan-packed",
  "ws-echo",
  "ceiling",
  "capnweb",
  "capnp-ts",
  "rpc-websockets",
  "socket.io",
  "grpc-js",
  "trpc",
  "capnp-cpp-ws",
  "capnp-cpp-tcp",
  "capstan-in-process",
  "workerd",
] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** The peers that a plain run measures. */
export const DEFAULT_PEERS: readonly PeerName[] = ["capstan", "ws-echo", "ceiling", "capnweb"];

/** The peers that need nothing but what `npm ci` installs. */
export const LIGHT_PEERS = PEER_NAMES.filter((name) => name !== "workerd" && !name.startsWith("capnp-cpp"));

/** The peers of the comparison with others. */
export const COMPARED_PEERS = PEER_NAMES.filter((name) => name !== "capstan-scoped");

export function isPeerName(name: string): name is PeerName {
  return (PEER_NAMES as readonly string[]).includes(name);
}

/** The names in a list with commas; throws for one that isn't there. */
export function parsePeers(list: string): PeerName[] {
  const names = list.split(",").map((name) => {
    const trimmed = name.trim();
    if (!isPeerName(trimmed)) throw new Error(`no such peer: "${trimmed}" (there are ${PEER_NAMES.join(", ")})`);
    return trimmed;
  });
  return [...new Set(names)];
}

/** Loads one peer; only its own process does that, so that no library is loaded beside another's. */
export async function loadPeer(name: PeerName): Promise<Peer> {
  const module: { peer: Peer } = await import(`./peers/${name}.ts`);
  return module.peer;
}
