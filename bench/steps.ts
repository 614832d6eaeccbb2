// What one round measures of each peer, and how.
import { LinkProxy } from "../packages/cli/src/bench/link-proxy.ts";
import {
  chain,
  cpuPerCall,
  curveReading,
  heapAfter,
  heapPerStub,
  IN_A_ROW,
  inFlight,
  latencyReadings,
  stream,
  throughput,
  wireBytes,
  withExports,
} from "../packages/cli/src/bench/metrics.ts";
import type { CurveReading, Reading } from "../packages/cli/src/bench/results.ts";
import { median } from "../packages/cli/src/bench/statistics.ts";
import { LOOPBACK } from "./loopback.ts";
import type { End, RunningPeer } from "./peer-child.ts";

/** Calls in flight of the closed loops. */
export const LEVELS = [1, 16, 64, 256] as const;
export type Level = (typeof LEVELS)[number];

/** Milliseconds of a round trip of chains, and the calls of one: those that a target is about. */
export const ROUND_TRIP = 50;
export const CHAIN_LENGTH = 32;
const ROUND_TRIPS = [10, ROUND_TRIP];
const CHAIN_LENGTHS = [8, CHAIN_LENGTH];
/** Pipelined ones of each kind. */
const CHAINS = 5;
const SHORT_CHAIN = 3;
/** Chains without a delay before those with one: these are few, and would run code that is not compiled yet. */
const WARM_UP_CHAINS = 200;
/** Calls whose bytes are counted, and those before them. */
const COUNTED_CALLS = 1_024;
const FIRST_CALLS = 16;
/** A first batch of stubs, so that what exists once is there before the heap is read. */
const FIRST_STUBS = 100;
/** In flight where tables are full, or many calls are made. */
const BUSY = 256;
/** Bounds a loop of so many calls. */
const NO_END_MS = 300_000;
const EXPECTED_CALLS_PER_SECOND = 150_000;

export interface Measured {
  readonly readings: readonly Reading[];
  readonly curves?: readonly CurveReading[];
}

/** One measurement. */
export interface Step {
  readonly name: string;
  /** About how long it takes, in milliseconds. */
  readonly expected: number;
  /** Whether it is made in the last round alone. */
  readonly once?: boolean;
  /** Which peers it is made of. */
  takes(peer: RunningPeer): boolean;
  measure(peer: RunningPeer): Promise<Measured>;
}

/** How long and how many. */
export interface Sizes {
  /** Milliseconds of one closed loop. */
  readonly duration: number;
  /** Stubs that the client holds while its heap is read. */
  readonly stubs: number;
  /** Live exports. */
  readonly exports: number;
  /** Calls on one link, between which the heaps should not grow. */
  readonly calls: readonly [few: number, many: number];
}

/** The closed loops: a step for each level. */
export function loopSteps({ duration }: Sizes): Step[] {
  const again = warmUpOf(duration);
  return LEVELS.map((level) => ({
    name: `${level} in flight`,
    expected: again + duration,
    takes: () => true,
    async measure(peer) {
      await peer.loop({ inFlight: level, duration: again });
      const before = await cpuOf(peer);
      const { callsPerSecond, callsInAll, latency } = await peer.loop({ inFlight: level, duration });
      const after = await cpuOf(peer);
      const load = level === 1 ? IN_A_ROW : inFlight(level);
      const cpu = after.map(({ end, used }, index) => ({
        metric: cpuPerCall(end, level),
        value: (used - (before[index]?.used ?? 0)) / callsInAll,
      }));
      const readings = [
        { metric: throughput(level), value: callsPerSecond },
        ...latencyReadings(load, latency),
        ...cpu,
      ];
      return { readings, curves: curveReading(load, latency) };
    },
  }));
}

/** All that is measured besides, of the peers that can do it. */
export function furtherSteps(sizes: Sizes): Step[] {
  return [
    ...ROUND_TRIPS.map(chains),
    bytes(),
    streams(sizes, "upload"),
    streams(sizes, "download"),
    heap(sizes),
    full(sizes),
    many(sizes),
  ];
}

/** A short loop before the one that counts. */
function warmUpOf(duration: number): number {
  return Math.min(200, duration / 5);
}

/** CPU time of each end in µs; none where both are in one process. */
async function cpuOf(peer: RunningPeer): Promise<{ readonly end: End; readonly used: number }[]> {
  if (peer.inProcess) return [];
  const ends = ["client", "host"] as const;
  return Promise.all(ends.map(async (end) => ({ end, used: (await peer.usage(end, false)).cpu })));
}

function chains(roundTrip: number): Step {
  const calls = CHAIN_LENGTHS.reduce((sum, length) => sum + length);
  return {
    name: `chains at ${roundTrip} ms`,
    expected: (CHAIN_LENGTHS.length * CHAINS + 4 + calls) * roundTrip + WARM_UP_CHAINS,
    takes: (peer) => peer.can("chain"),
    async measure(peer) {
      for (let made = 0; made < WARM_UP_CHAINS; made++) await peer.chain(CHAIN_LENGTH, "pipelined");
      return throughProxy(peer, roundTrip / 2, async () => {
        await peer.chain(SHORT_CHAIN, "pipelined");
        const readings: Reading[] = [];
        for (const length of CHAIN_LENGTHS) {
          const times: number[] = [];
          for (let made = 0; made < CHAINS; made++) times.push(await peer.chain(length, "pipelined"));
          readings.push({ metric: chain(roundTrip, length, "pipelined"), value: 1_000 * median(times) });
          readings.push({
            metric: chain(roundTrip, length, "awaited"),
            value: 1_000 * (await peer.chain(length, "awaited")),
          });
        }
        return { readings };
      });
    },
  };
}

/** Bytes that a proxy sees: all of TCP's content, so with the headers of WebSocket frames. */
function bytes(): Step {
  return {
    name: "bytes on the wire",
    expected: 250,
    takes: (peer) => !peer.inProcess,
    measure: (peer) =>
      throughProxy(peer, 0, async (proxy) => {
        await peer.loop({ inFlight: 1, requests: FIRST_CALLS, duration: NO_END_MS });
        const before = proxy.passed;
        const { callsInAll } = await peer.loop({ inFlight: 1, requests: COUNTED_CALLS, duration: NO_END_MS });
        const after = proxy.passed;
        return {
          readings: [
            { metric: wireBytes("to host", 1), value: (after.toHost - before.toHost) / callsInAll },
            { metric: wireBytes("to client", 1), value: (after.toClient - before.toClient) / callsInAll },
          ],
        };
      }),
  };
}

/** What `use` measures goes over a connection of its own, through a proxy with this delay each way in milliseconds. */
async function throughProxy<T>(peer: RunningPeer, delay: number, use: (proxy: LinkProxy) => Promise<T>): Promise<T> {
  const proxy = await LinkProxy.start({ host: LOOPBACK, port: peer.port, delay });
  try {
    return await peer.connected(proxy.port, () => use(proxy));
  } finally {
    await proxy.stop();
  }
}

function streams({ duration }: Sizes, direction: "upload" | "download"): Step {
  const time = duration / 4;
  return {
    name: `stream, ${direction}`,
    expected: 4 * time,
    takes: (peer) => peer.can(direction),
    measure: async (peer) => ({
      readings: [{ metric: stream(direction), value: await peer.stream(direction, time) }],
    }),
  };
}

function heap({ stubs }: Sizes): Step {
  return {
    name: "heap per stub",
    expected: 400,
    takes: (peer) => peer.can("hold"),
    async measure(peer) {
      await peer.hold(FIRST_STUBS);
      await peer.hold(0);
      const before = await peer.usage("client", true);
      await peer.hold(stubs);
      const after = await peer.usage("client", true);
      await peer.hold(0);
      return { readings: [{ metric: heapPerStub("client"), value: (after.heap - before.heap) / stubs }] };
    },
  };
}

/** Calls per second with empty tables, then with full ones. */
function full({ exports, duration }: Sizes): Step {
  const again = warmUpOf(duration);
  const calls = async (peer: RunningPeer): Promise<number> => {
    await peer.loop({ inFlight: BUSY, duration: again });
    return (await peer.loop({ inFlight: BUSY, duration })).callsPerSecond;
  };
  return {
    name: "full tables",
    expected: 2 * (again + duration) + 1_000,
    takes: (peer) => peer.can("hold"),
    async measure(peer) {
      const empty = { metric: withExports("empty", 0), value: await calls(peer) };
      await peer.hold(exports);
      const held = { metric: withExports("full", exports), value: await calls(peer) };
      await peer.hold(0);
      return { readings: [empty, held] };
    },
  };
}

/** The heaps of both ends after few and after many calls on one link. Of Capstan alone: with others it takes a minute. */
function many({ calls: [few, all] }: Sizes): Step {
  const heaps = async (peer: RunningPeer): Promise<number> =>
    (await peer.usage("client", true)).heap + (await peer.usage("host", true)).heap;
  return {
    name: "many calls on one link",
    expected: (1_000 * all) / EXPECTED_CALLS_PER_SECOND,
    once: true,
    takes: (peer) => peer.name === "capstan",
    measure: (peer) =>
      peer.connected(peer.port, async () => {
        await peer.loop({ inFlight: BUSY, requests: few, duration: NO_END_MS });
        const before = { metric: heapAfter("few", few), value: await heaps(peer) };
        await peer.loop({ inFlight: BUSY, requests: all - few, duration: NO_END_MS });
        return { readings: [before, { metric: heapAfter("many", all), value: await heaps(peer) }] };
      }),
  };
}
