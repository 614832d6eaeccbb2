// Which measurements one round has, in which order, and about how long each takes.
import { availableParallelism } from "node:os";
import type { LoadRequest } from "./processes/load-requests.ts";
import { GROUPS, type Group } from "./results.ts";

/** No measurements of `capstan bench`: CPU time and calls come with the loops, full tables only beside others. */
const NOT_CHOSEN = ["calls", "cpu", "tables"] as const satisfies readonly Group[];

/** What can be chosen by `--only`. */
export type Measurement = Exclude<Group, (typeof NOT_CHOSEN)[number]>;
export const MEASUREMENTS = GROUPS.filter(
  (group): group is Measurement => !(NOT_CHOSEN as readonly Group[]).includes(group),
);

/** What can be measured of any method; the others need the benchmark's own Worker at the other end. */
export const OF_ANY_METHOD: readonly Measurement[] = ["latency", "throughput", "open-loop", "set-up", "wire"];

export interface PlanOptions {
  readonly only: readonly Measurement[];
  readonly concurrency: readonly number[];
  /** Calls per second. */
  readonly rates: readonly number[];
  readonly chainLengths: readonly number[];
  /** Milliseconds. */
  readonly roundTrips: readonly number[];
  readonly fanOut: readonly number[];
  /** Bytes. */
  readonly payloads: readonly number[];
  /** Numbers of processes of a host, and of clients at once. */
  readonly processes: readonly number[];
  readonly clients: readonly number[];
  /** Milliseconds, before each round. */
  readonly warmup: number;
  /** Milliseconds of one measurement. */
  readonly duration: number;
  /** Milliseconds of one loop of calls: `duration`, or more where `requests` ends it. */
  readonly loopDuration: number;
  /** Calls of one loop at most. */
  readonly requests?: number | undefined;
}

/** A step with a host of its own, of so many processes, and clients of its own: each number of them calls at once. */
export interface ProcessesStep {
  readonly name: string;
  /** About how long it takes, in milliseconds. */
  readonly expected: number;
  readonly processes: number;
  readonly clients: readonly number[];
  /** Calls of each client. */
  readonly inFlight: number;
  /** Milliseconds before the first measurement, and of each. */
  readonly warmup: number;
  readonly duration: number;
  /** Calls of each client at most. */
  readonly requests?: number | undefined;
}

/** One step of a round. `wire` and `chains` get their links when they run. */
export interface Step {
  readonly name: string;
  /** About how long it takes, in milliseconds. */
  readonly expected: number;
  readonly request:
    | Exclude<LoadRequest, { kind: "connect" | "open-counted" | "counted" }>
    | { readonly kind: "wire"; inFlight: number };
}

/** Awaited chains longer than this are left out: at 200 ms for each call they would be most of the run. */
const LONGEST_CHAIN_MS = 2_000;
/** Until several processes and their clients run. */
const PROCESSES_START_MS = 2_000;
/** Calls whose bytes are counted. */
export const COUNTED_CALLS = 1_024;

/** Milliseconds that an awaited chain may take. */
export function longestChain({ duration }: Pick<PlanOptions, "duration">): number {
  return Math.max(LONGEST_CHAIN_MS, 4 * duration);
}

/**
 * The loads before each round, for a share of its time each: the code of both ends is compiled by then.
 *
 * @param isUsers whether a user's method is called: then it is called no otherwise than it will be, and no more often.
 */
export function planWarmUp(
  options: PlanOptions,
  isUsers: boolean,
): (LoadRequest & { kind: "closed-loop" | "open-loop" })[] {
  const { warmup, only, rates, concurrency, requests } = options;
  if (warmup === 0) return [];
  const levels = isUsers ? closedLevels(options) : [Math.max(...concurrency), 1];
  if (levels.length === 0 && only.includes("open-loop")) {
    const limit = requests === undefined ? {} : { requests };
    return [{ kind: "open-loop", rate: Math.min(...rates), duration: warmup, ...limit }];
  }
  const loads = [...new Set([Math.max(1, ...levels), 1])];
  const limit = isUsers && requests !== undefined ? { requests: Math.ceil(requests / loads.length) } : {};
  return loads.map((inFlight) => ({ kind: "closed-loop", inFlight, duration: warmup / loads.length, ...limit }));
}

/** Calls in flight of the closed loops. */
function closedLevels({ only, concurrency }: PlanOptions): number[] {
  const isWanted = (name: Measurement): boolean => only.includes(name);
  return [...new Set([...(isWanted("latency") ? [1] : []), ...(isWanted("throughput") ? concurrency : [])])];
}

export function planRound(options: PlanOptions): Step[] {
  const { duration, loopDuration, requests } = options;
  const limit = requests === undefined ? {} : { requests };
  const wanted = (name: Measurement): boolean => options.only.includes(name);
  const short = duration / 4;
  const steps: Step[] = [];

  for (const inFlight of closedLevels(options)) {
    const name = inFlight === 1 ? "one call at a time" : `${inFlight} in flight`;
    steps.push({
      name,
      expected: duration,
      request: { kind: "closed-loop", inFlight, duration: loopDuration, ...limit },
    });
  }
  if (wanted("open-loop")) {
    for (const rate of options.rates) {
      const name = `open loop, ${rate} calls/s`;
      // An open loop knows beforehand how long it takes.
      const time = requests === undefined ? duration : Math.min(loopDuration, (1_000 * requests) / rate);
      steps.push({ name, expected: time, request: { kind: "open-loop", rate, duration: time, ...limit } });
    }
  }
  if (wanted("chains")) steps.push(planChains(options));
  if (wanted("fan-out")) {
    for (const width of options.fanOut) {
      steps.push({
        name: `fan-out of ${width}`,
        expected: short,
        request: { kind: "fan-out", width, duration: short },
      });
    }
  }
  if (wanted("payloads")) {
    for (const size of options.payloads) {
      const request = { kind: "payload", size, duration: short } as const;
      steps.push({ name: `payload of ${size} bytes`, expected: short + size / 50_000, request });
    }
  }
  if (wanted("streams")) {
    for (const direction of ["upload", "download"] as const) {
      const request = { kind: "stream", direction, duration: short } as const;
      steps.push({ name: `stream, ${direction}`, expected: 4 * short, request });
    }
  }
  if (wanted("set-up"))
    steps.push({ name: "link set-up", expected: short, request: { kind: "set-up", duration: short } });
  if (wanted("wire")) {
    for (const inFlight of [1, 64])
      steps.push({ name: "bytes on the wire", expected: 150, request: { kind: "wire", inFlight } });
  }
  if (wanted("heap")) steps.push({ name: "heap per stub", expected: 400, request: { kind: "heap" } });
  return steps;
}

/** The steps after those of `planRound`. */
export function planProcesses(options: PlanOptions): ProcessesStep[] {
  if (!options.only.includes("processes")) return [];
  const { clients, concurrency, warmup, duration, loopDuration, requests } = options;
  return options.processes.map((processes) => {
    // Each process has its own code to warm up, and fewer cores than there are processes have to do it.
    const perCore = (processes + Math.max(...clients)) / availableParallelism();
    const ownWarmup = Math.round(warmup * Math.max(1, perCore));
    return {
      name: processes === 1 ? "host of 1 process" : `host of ${processes} processes`,
      expected: PROCESSES_START_MS + ownWarmup + clients.length * duration,
      processes,
      clients,
      inFlight: Math.max(...concurrency),
      warmup: ownWarmup,
      duration: loopDuration,
      requests,
    };
  });
}

function planChains({ chainLengths: lengths, roundTrips, duration }: PlanOptions): Step {
  const longest = longestChain({ duration });
  const each = duration / 20;
  const fast = roundTrips.filter((roundTrip) => roundTrip < 10).length * lengths.length * 2 * each;
  const awaited = roundTrips.flatMap((trip) => lengths.map((n) => n * trip).filter((ms) => ms <= longest));
  const pipelined = roundTrips.reduce((sum, trip) => sum + trip, 0) * lengths.length;
  const slow = pipelined + Math.max(0, ...awaited);
  const opening = 10 * Math.max(0, ...roundTrips);
  return {
    name: "chains",
    expected: fast + slow + opening,
    request: { kind: "chains", links: [], lengths, duration: each, longest },
  };
}
