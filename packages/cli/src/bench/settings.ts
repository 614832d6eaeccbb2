// From the command's flags to what a run does: the defaults, and what goes together.
import { MEASUREMENTS, type Measurement, OF_ANY_METHOD } from "./plan.ts";
import type { RunResult } from "./results.ts";
import type { BenchOptions } from "./run.ts";

/** Times in milliseconds, sizes in bytes, bandwidth in bytes per second. */
export interface BenchFlags {
  readonly service?: string;
  readonly entrypoint?: string;
  readonly method?: string;
  readonly args?: readonly unknown[];
  readonly only?: readonly Measurement[];
  readonly concurrency?: readonly number[];
  readonly rate?: readonly number[];
  readonly duration?: number;
  readonly requests?: number;
  readonly warmup?: number;
  readonly rounds?: number;
  readonly connections?: number;
  readonly packed?: boolean;
  readonly timeout?: number;
  readonly chain?: readonly number[];
  readonly rtt?: readonly number[];
  readonly bandwidth?: number;
  readonly fanOut?: readonly number[];
  readonly payload?: readonly number[];
  readonly workers?: readonly number[];
  readonly clients?: readonly number[];
  readonly cpuProf?: string;
  readonly quick?: boolean;
}

const KIB = 1024;
const MIB = KIB * KIB;
/** Bounds a measurement of so many calls where no time is given. */
const NO_END_MS = 600_000;

interface Defaults {
  readonly rounds: number;
  readonly duration: number;
  readonly warmup: number;
  readonly concurrency: readonly number[];
  readonly chainLengths: readonly number[];
  readonly roundTrips: readonly number[];
  readonly fanOut: readonly number[];
  readonly payloads: readonly number[];
}

const FULL: Defaults = {
  rounds: 5,
  duration: 500,
  warmup: 1_000,
  concurrency: [1, 16, 64, 256],
  chainLengths: [1, 2, 4, 8, 16, 32],
  roundTrips: [0, 1, 10, 50, 200],
  fanOut: [1, 10, 100, 1_000],
  payloads: [16, 256, 4 * KIB, 64 * KIB, MIB, 16 * MIB],
};

const QUICK: Defaults = {
  rounds: 2,
  duration: 200,
  warmup: 300,
  concurrency: [1, 64, 256],
  chainLengths: [1, 8, 32],
  roundTrips: [0, 10, 50],
  fanOut: [1, 100],
  payloads: [16, 64 * KIB, MIB],
};

/** Calls per second of the open loop. */
const RATE = 10_000;
const WORKERS = [1, 2, 4];
const CLIENTS = [4];

/** Throws TypeError for flags that do not go together. */
export function chooseOptions(url: string | undefined, flags: BenchFlags): BenchOptions {
  checkTarget(url, flags);
  const defaults = flags.quick ? QUICK : FULL;
  const { method, requests } = flags;
  const rates = flags.rate ?? (method === undefined ? [RATE] : []);
  return {
    url,
    target: {
      service: flags.service,
      entrypoint: flags.entrypoint,
      method,
      args: flags.args ?? [],
      packed: flags.packed,
    },
    only: chooseMeasurements(url, flags, rates),
    rates,
    rounds: flags.rounds ?? defaults.rounds,
    duration: flags.duration ?? defaults.duration,
    loopDuration: flags.duration ?? (requests === undefined ? defaults.duration : NO_END_MS),
    warmup: flags.warmup ?? defaults.warmup,
    concurrency: flags.concurrency ?? defaults.concurrency,
    chainLengths: flags.chain ?? defaults.chainLengths,
    roundTrips: flags.rtt ?? defaults.roundTrips,
    fanOut: flags.fanOut ?? defaults.fanOut,
    payloads: flags.payload ?? defaults.payloads,
    workers: flags.workers ?? WORKERS,
    clients: flags.clients ?? CLIENTS,
    connections: flags.connections ?? 1,
    timeout: flags.timeout ?? 10_000,
    bandwidth: flags.bandwidth,
    cpuProf: flags.cpuProf,
    requests,
  };
}

function checkTarget(url: string | undefined, flags: BenchFlags): void {
  const { service, entrypoint, method, args } = flags;
  if (url === undefined) {
    const flag = Object.entries({ service, entrypoint, method, args }).find(([, value]) => value !== undefined);
    if (flag !== undefined) throw new TypeError(`--${flag[0]} needs the <url> of a host.`);
    return;
  }
  if (!URL.canParse(url)) throw new TypeError(`"${url}" is not a URL.`);
  if (!/^(https?|wss?):$/.test(new URL(url).protocol)) {
    throw new TypeError(`"${url}" cannot be linked to: use http, https, ws or wss.`);
  }
  for (const name of ["workers", "clients"] as const) {
    if (flags[name] !== undefined)
      throw new TypeError(`--${name} is for hosts of the benchmark's own: leave out <url>.`);
  }
  if (args !== undefined && method === undefined) throw new TypeError("--args needs --method.");
}

function chooseMeasurements(
  url: string | undefined,
  { only, method, workers, clients }: BenchFlags,
  rates: readonly number[],
): readonly Measurement[] {
  const secure = url !== undefined && /^(https|wss):/.test(url);
  const refusal = (name: Measurement): string | undefined => {
    if (method !== undefined && !OF_ANY_METHOD.includes(name))
      return "needs the benchmark's own Worker: leave out --method";
    if (secure && (name === "wire" || name === "chains")) return "goes through a proxy, which TLS does not allow";
    if (name === "workers" && url !== undefined) return "starts hosts of its own: leave out <url>";
    if (name === "open-loop" && rates.length === 0) return "needs a --rate here";
    return undefined;
  };
  if (only === undefined) {
    // It starts many processes: only where it is asked for.
    const isSeveral = workers !== undefined || clients !== undefined;
    return MEASUREMENTS.filter((name) => refusal(name) === undefined && (name !== "workers" || isSeveral));
  }
  for (const name of only) {
    const why = refusal(name);
    if (why !== undefined) throw new TypeError(`--only ${name} ${why}.`);
  }
  return only;
}

/** What the results say about how they came about. Times in seconds. */
export function describeSettings(options: BenchOptions): RunResult["settings"] {
  const { url, target, bandwidth, requests } = options;
  return {
    ...(url === undefined ? {} : { url }),
    ...(target.service === undefined ? {} : { service: target.service }),
    ...(target.entrypoint === undefined ? {} : { entrypoint: target.entrypoint }),
    ...(target.method === undefined ? {} : { method: target.method, args: JSON.stringify(target.args) }),
    rounds: options.rounds,
    "seconds of a measurement": options.duration / 1_000,
    "seconds of warm-up": options.warmup / 1_000,
    ...(requests === undefined ? {} : { "calls of a measurement": requests }),
    connections: options.connections,
    ...(target.packed ? { packed: true } : {}),
    "timeout in seconds": options.timeout / 1_000,
    ...(bandwidth === undefined ? {} : { "bandwidth in Mbit/s": (bandwidth * 8) / 1e6 }),
  };
}
