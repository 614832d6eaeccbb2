// Chains of dependent calls, pipelined and awaited one by one, and calls that fan out from one promise.
import type { Service } from "@capstan/client";
import { type ChainMode, chain, fanOut } from "../metrics.ts";
import type { Reading } from "../results.ts";
import { median } from "../statistics.ts";
import type { BenchWorker } from "../worker.ts";
import { inTime, openClient, type Session, workerAt } from "./session.ts";

/** Round trips from here on leave both ends idle nearly all the time, so that awaited chains may run side by side. */
const SIDE_BY_SIDE_MS = 10;

export interface RoundTripLink {
  /** Milliseconds that the link adds to a round trip. */
  readonly roundTrip: number;
  readonly url: string;
}

export interface ChainOptions {
  readonly links: readonly RoundTripLink[];
  readonly lengths: readonly number[];
  /** Milliseconds for the chains of one length on a link that is not slow; one chain runs at least. */
  readonly duration: number;
  /** Awaited chains that would take longer on their link are left out, in milliseconds. */
  readonly longest: number;
}

interface ChainRun {
  readonly worker: Service<BenchWorker>;
  readonly roundTrip: number;
  readonly length: number;
  readonly mode: ChainMode;
}

export async function measureChains(session: Session, options: ChainOptions): Promise<Reading[]> {
  const { lengths, longest, duration } = options;
  const opened = options.links.map(({ roundTrip, url }) => ({ roundTrip, client: openClient(url, session.target) }));
  try {
    const runs: ChainRun[] = [];
    for (const { roundTrip, client } of opened) {
      const worker = workerAt(client.link, session.target);
      // Opens the link, and lets every piece of code run once.
      for (const mode of ["pipelined", "awaited"] as const)
        await inTime(runChain(worker, 3, mode), session.timeout + 10 * roundTrip);
      for (const length of lengths) {
        runs.push({ worker, roundTrip, length, mode: "pipelined" });
        if (roundTrip * length <= longest) runs.push({ worker, roundTrip, length, mode: "awaited" });
      }
    }
    const readings = new Map<ChainRun, Reading>();
    const sideBySide = runs.filter(({ roundTrip, mode }) => roundTrip >= SIDE_BY_SIDE_MS && mode === "awaited");
    for (const run of runs) {
      if (!sideBySide.includes(run)) readings.set(run, await timeChain(session, run, duration));
    }
    await Promise.all(sideBySide.map(async (run) => readings.set(run, await timeChain(session, run, 0))));
    return runs.flatMap((run) => readings.get(run) ?? []);
  } finally {
    for (const { client } of opened) client.link.close();
  }
}

async function timeChain(session: Session, run: ChainRun, duration: number): Promise<Reading> {
  const { worker, roundTrip, length, mode } = run;
  const times: number[] = [];
  const started = performance.now();
  do {
    const from = performance.now();
    await inTime(runChain(worker, length, mode), session.timeout + length * roundTrip);
    times.push((performance.now() - from) * 1_000);
  } while (performance.now() - started < duration);
  return { metric: chain(roundTrip, length, mode), value: median(times) };
}

/** A chain of `length` calls, each on the result of the one before it; the last one's number is checked. */
async function runChain(worker: Service<BenchWorker>, length: number, mode: ChainMode): Promise<void> {
  const last = length === 1 ? await worker.add(0, 1) : await (mode === "pipelined" ? pipe : walk)(worker, length);
  if (last !== Math.max(1, length - 1)) throw new Error(`a chain of ${length} calls ended at ${last}`);
}

/** All calls go out at once, each on the promise of the one before it. At least two; the last one's number is one less. */
export async function pipe(worker: Service<BenchWorker>, length: number): Promise<number> {
  const first = worker.first();
  const held: Disposable[] = [first];
  let at = first;
  for (let step = 2; step < length; step++) {
    at = at.next();
    held.push(at);
  }
  try {
    return await at.steps();
  } finally {
    for (const promise of held) promise[Symbol.dispose]();
  }
}

/** Each call waits for the result of the one before it; else like `pipe`. */
export async function walk(worker: Service<BenchWorker>, length: number): Promise<number> {
  let at = await worker.first();
  try {
    for (let step = 2; step < length; step++) {
      const next = await at.next();
      at[Symbol.dispose]();
      at = next;
    }
    return await at.steps();
  } finally {
    at[Symbol.dispose]();
  }
}

/** Calls on one promise that has not resolved yet, all sent at once: the time until all are back. */
export async function measureFanOut(session: Session, width: number, duration: number): Promise<Reading[]> {
  const { worker } = session;
  const times: number[] = [];
  const started = performance.now();
  do {
    const from = performance.now();
    await inTime(fan(worker.first(), width), session.timeout);
    times.push((performance.now() - from) * 1_000);
  } while (performance.now() - started < duration);
  return [{ metric: fanOut(width), value: median(times) }];
}

async function fan(step: ReturnType<Service<BenchWorker>["first"]>, width: number): Promise<void> {
  try {
    const sums = await Promise.all(Array.from({ length: width }, (_, index) => step.add(index, 1)));
    if (!sums.every((sum, index) => sum === index + 1)) throw new Error("a wrong sum in a fan-out");
  } finally {
    step[Symbol.dispose]();
  }
}
