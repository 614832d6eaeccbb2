// What the comparison asks of every system in it, and which systems there are. One file in peers/ is one system.

/** The client's end of one connection, as an application holds it. */
export interface PeerClient {
  /** Sends one call of `add(a, b)` now and gives its sum. Many may be in flight at once. */
  call(a: number, b: number): PromiseLike<number>;
  /** Ends the connection. */
  close(): void;
}

/** One system under test. `listen` and `connect` run in two different processes. */
export interface Peer {
  /** One line for the report: what runs here. */
  readonly about: string;
  /** npm packages whose versions the report names. */
  readonly packages: readonly string[];
  /** Serves `add` on a free port of the loopback address and gives that port. */
  listen(): Promise<number>;
  /** Connects to that port; the client is ready for calls. */
  connect(port: number): Promise<PeerClient>;
}

/** Every peer there is: its name is that of its file in peers/. The order is the report's. */
export const PEER_NAMES = [
  "capstan",
  "capstan-scoped",
  "ws-echo",
  "ceiling",
  "capnweb",
  "rpc-websockets",
  "socket.io",
] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** The peers that a plain run measures. */
export const DEFAULT_PEERS: readonly PeerName[] = ["capstan", "ws-echo", "ceiling", "capnweb"];

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
