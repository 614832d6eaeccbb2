// From the command's flags to what a run does: the defaults, and what goes together.
import { longestChain, MEASUREMENTS, type Measurement, OF_ANY_METHOD } from "./plan.ts";
import type { RunResult } from "./results.ts";
import type { BenchOptions } from "./run.ts";
import { shownUrl } from "./shown-url.ts";

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
const PROCESSES = [1, 2, 4];
const CLIENTS = [4];
/** What goes through a proxy of the benchmark's own. */
const THROUGH_PROXY: readonly Measurement[] = ["chains", "wire"];

/** What a flag is for, where it is not for every measurement. */
const USED_BY: { readonly [flag in keyof BenchFlags]: readonly Measurement[] } = {
  concurrency: ["throughput", "processes"],
  rate: ["open-loop"],
  requests: ["latency", "throughput", "open-loop", "processes"],
  connections: ["latency", "throughput", "open-loop", "processes"],
  chain: ["chains"],
  rtt: ["chains"],
  bandwidth: ["chains"],
  fanOut: ["fan-out"],
  payload: ["payloads"],
  workers: ["processes"],
  clients: ["processes"],
};

/** Throws TypeError for flags that do not go together, or that would do nothing. */
export function chooseOptions(url: string | undefined, flags: BenchFlags): BenchOptions {
  checkTarget(url, flags);
  const defaults = flags.quick ? QUICK : FULL;
  const { method, requests } = flags;
  const rates = flags.rate ?? (method === undefined ? [RATE] : []);
  const only = chooseMeasurements(url, flags, rates);
  const options = {
    url,
    target: {
      service: flags.service,
      entrypoint: flags.entrypoint,
      method,
      args: flags.args ?? [],
      packed: flags.packed,
    },
    only,
    rates,
    rounds: flags.rounds ?? defaults.rounds,
    duration: flags.duration ?? defaults.duration,
    loopDuration: flags.duration ?? (requests === undefined ? defaults.duration : NO_END_MS),
    // Whoever says how often a method of theirs is to be called means that often.
    warmup: flags.warmup ?? (method !== undefined && requests !== undefined ? 0 : defaults.warmup),
    concurrency: flags.concurrency ?? defaults.concurrency,
    chainLengths: flags.chain ?? defaults.chainLengths,
    roundTrips: flags.rtt ?? defaults.roundTrips,
    fanOut: flags.fanOut ?? defaults.fanOut,
    payloads: flags.payload ?? defaults.payloads,
    processes: flags.workers ?? PROCESSES,
    clients: flags.clients ?? CLIENTS,
    connections: flags.connections ?? 1,
    timeout: flags.timeout ?? 10_000,
    bandwidth: flags.bandwidth,
    cpuProf: flags.cpuProf,
    requests,
  };
  return { ...options, leftOut: leftOut(options, flags) };
}

function checkTarget(url: string | undefined, flags: BenchFlags): void {
  const { service, entrypoint, method, args } = flags;
  if (url === undefined) {
    const flag = Object.entries({ service, entrypoint, method, args }).find(([, value]) => value !== undefined);
    if (flag !== undefined) throw new TypeError(`--${flag[0]} needs the <url> of a host.`);
    return;
  }
  if (!URL.canParse(url)) throw new TypeError(`"${shownUrl(url)}" is not a URL.`);
  if (!/^(https?|wss?):$/.test(new URL(url).protocol)) {
    throw new TypeError(`"${shownUrl(url)}" cannot be linked to: use http, https, ws or wss.`);
  }
  for (const name of ["workers", "clients"] as const) {
    if (flags[name] !== undefined)
      throw new TypeError(`--${name} is for hosts of the benchmark's own: leave out <url>.`);
  }
  if (args !== undefined && method === undefined) throw new TypeError("--args needs --method.");
}

function chooseMeasurements(
  url: string | undefined,
  flags: BenchFlags,
  rates: readonly number[],
): readonly Measurement[] {
  const { only, method } = flags;
  const refusal = (name: Measurement): string | undefined => {
    if (method !== undefined && !OF_ANY_METHOD.includes(name))
      return "needs the benchmark's own Worker: leave out --method";
    if (isSecure(url) && THROUGH_PROXY.includes(name)) return "goes through a proxy, which TLS does not allow";
    if (name === "processes" && url !== undefined) return "starts hosts of its own: leave out <url>";
    if (name === "open-loop" && rates.length === 0) return "needs a --rate here";
    return undefined;
  };
  for (const name of only ?? []) {
    const why = refusal(name);
    if (why !== undefined) throw new TypeError(`--only ${name} ${why}.`);
  }
  const chosen = only ?? defaultMeasurements(flags).filter((name) => refusal(name) === undefined);
  for (const [flag, users] of Object.entries(USED_BY) as [keyof BenchFlags, readonly Measurement[]][]) {
    if (flags[flag] === undefined || users.some((name) => chosen.includes(name))) continue;
    const [first] = users as [Measurement];
    const why = refusal(first) ?? "is not among what is measured";
    throw new TypeError(`${flagName(flag)} does nothing: ${first} ${why}.`);
  }
  return chosen;
}

/** What is measured where --only does not say it, as far as the target allows it. */
function defaultMeasurements({
  method,
  rate,
  concurrency,
  requests,
  workers,
  clients,
}: BenchFlags): readonly Measurement[] {
  if (method === undefined) {
    // It starts many processes: only where it is asked for.
    const isAsked = workers !== undefined || clients !== undefined;
    return MEASUREMENTS.filter((name) => name !== "processes" || isAsked);
  }
  // As in wrk2: a rate alone means that rate, and no loop besides that calls as fast as it can.
  if (rate !== undefined && concurrency === undefined) return ["open-loop"];
  return requests === undefined ? OF_ANY_METHOD : OF_ANY_METHOD.filter((name) => name !== "set-up" && name !== "wire");
}

/** What the flags would measure, and is not: a line each. */
function leftOut(options: Omit<BenchOptions, "leftOut">, { only, method }: BenchFlags): string[] {
  const { url, chainLengths, roundTrips, concurrency, connections } = options;
  const lines: string[] = [];
  if (only === undefined && isSecure(url)) {
    const names = THROUGH_PROXY.filter((name) => method === undefined || OF_ANY_METHOD.includes(name));
    lines.push(`left out: ${names.join(" and ")}, measured through a proxy, which TLS does not allow`);
  }
  if (options.only.includes("chains")) {
    const longest = longestChain(options);
    for (const roundTrip of roundTrips) {
      const long = chainLengths.filter((length) => roundTrip * length > longest);
      if (long.length === 0) continue;
      const needed = (roundTrip * Math.max(...long)) / 4_000;
      lines.push(`left out: awaited chains of ${long.join(", ")} calls at ${roundTrip} ms; -d ${needed} measures them`);
    }
  }
  if (options.only.includes("throughput")) {
    const few = concurrency.filter((inFlight) => inFlight < connections);
    const calls = few.length === 1 && few[0] === 1 ? "call" : "calls";
    if (few.length > 0)
      lines.push(`left out: with ${few.join(", ")} ${calls} in flight, all but as many of the ${connections} links`);
  }
  return lines;
}

function isSecure(url: string | undefined): boolean {
  return url !== undefined && /^(https|wss):/i.test(url);
}

/** As it is written on the command line. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** What the results say about how they came about: every option as it was chosen. Times in seconds where nothing else is said. */
export function describeSettings(options: BenchOptions): RunResult["settings"] {
  const { url, target, bandwidth, requests, only } = options;
  const list = (name: string, values: readonly number[], ...users: Measurement[]): RunResult["settings"] =>
    users.some((user) => only.includes(user)) ? { [name]: [...values] } : {};
  return {
    // The benchmark's own Worker tells it later.
    ...(url === undefined
      ? {}
      : { url: shownUrl(url), host: "not known; what is said of machine and Node is the client's" }),
    ...(target.service === undefined ? {} : { service: target.service }),
    ...(target.entrypoint === undefined ? {} : { entrypoint: target.entrypoint }),
    ...(target.method === undefined ? {} : { method: target.method, args: JSON.stringify(target.args) }),
    only: only.join(","),
    rounds: options.rounds,
    "seconds of a measurement": options.duration / 1_000,
    ...(options.loopDuration === options.duration ? {} : { "seconds of a loop at most": options.loopDuration / 1_000 }),
    "seconds of warm-up": options.warmup / 1_000,
    ...(requests === undefined ? {} : { "calls of a measurement": requests }),
    ...list("calls in flight", options.concurrency, "throughput", "processes"),
    ...list("calls per second of the open loop", options.rates, "open-loop"),
    ...list("calls of a chain", options.chainLengths, "chains"),
    ...list("round trips of chains in ms", options.roundTrips, "chains"),
    ...(bandwidth === undefined ? {} : { "bandwidth in Mbit/s": (bandwidth * 8) / 1e6 }),
    ...list("calls of a fan-out", options.fanOut, "fan-out"),
    ...list("payloads in bytes", options.payloads, "payloads"),
    ...list("processes of the host", options.processes, "processes"),
    ...list("clients at once", options.clients, "processes"),
    connections: options.connections,
    packed: target.packed ?? false,
    "timeout in seconds": options.timeout / 1_000,
  };
}
