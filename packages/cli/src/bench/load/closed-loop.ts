// The closed loop: N independent loops, each awaiting its call before it makes the next. Every sum is checked.
import { countError, type ErrorCounts, TIMEOUT, WRONG_RESULT } from "./errors.ts";
import { type Latency, LatencyRecorder } from "./latency.ts";

/** How long calls may take to come back once the time is up, in milliseconds, where no timeout is given. */
export const DRAIN_MS = 5_000;
/** With more than one loop, one call in so many is timed: reading the clock for each would slow what is measured. */
const TIMED = 8;
/** After so many failures of one loop without a success between them, the measurement ends. */
const MAX_FAILURES_IN_ROW = 100;

/** What is called: the client's end of one connection. */
export interface CallClient {
  /** Sends one call of `add(a, b)`, or whatever stands for it, now. Many may be in flight at once. */
  call(a: number, b: number): PromiseLike<unknown>;
}

/** What loops of both kinds are told. */
export interface LoopOptions {
  /** Milliseconds. */
  readonly duration: number;
  /** Ends the measurement after so many calls, if its time is not up before. */
  readonly requests?: number | undefined;
  /** Milliseconds after which a call that has not come back counts as lost; it may take as long again to be noticed. */
  readonly timeout?: number | undefined;
  /** Whether a result other than `a + b` is an error. Default true. */
  readonly sums?: boolean | undefined;
}

export interface ClosedLoopOptions extends LoopOptions {
  readonly inFlight: number;
}

/** What one measurement gave. Calls count when they come back in time; failed ones count as errors alone. */
export interface Sample {
  readonly calls: number;
  readonly seconds: number;
  readonly callsPerSecond: number;
  /** Calls that came back after all, those after the end of the time too. */
  readonly callsInAll: number;
  readonly latency?: Latency;
  readonly errors: ErrorCounts;
}

/** One of the N loops. A loop whose call is lost is abandoned, and another one takes its place. */
interface Loop {
  readonly client: CallClient;
  readonly id: number;
  /** Calls that came back, however they ended. */
  ended: number;
  failuresInRow: number;
  abandoned: boolean;
}

class ClosedLoop {
  running = true;
  completed = 0;
  readonly errors: ErrorCounts = {};
  readonly latencies = new LatencyRecorder();
  /** Calls that may still be made. */
  private left: number;
  private readonly loops = new Map<number, Loop>();
  private readonly timed: number;
  private readonly sums: boolean;
  private resolveAll: () => void = () => {};
  /** Settles when every loop has ended. */
  readonly finished = new Promise<void>((resolve) => {
    this.resolveAll = resolve;
  });

  constructor(clients: readonly CallClient[], { inFlight, requests, sums = true }: ClosedLoopOptions) {
    this.left = requests ?? Number.POSITIVE_INFINITY;
    this.timed = inFlight === 1 || this.left < 10_000 ? 1 : TIMED;
    this.sums = sums;
    for (let id = 0; id < inFlight; id++) this.start(clients[id % clients.length] as CallClient, id);
  }

  private start(client: CallClient, id: number): void {
    const loop: Loop = { client, id, ended: 0, failuresInRow: 0, abandoned: false };
    this.loops.set(id, loop);
    void this.run(loop).then(() => {
      if (!loop.abandoned) this.end(loop);
    });
  }

  private end(loop: Loop): void {
    this.loops.delete(loop.id);
    if (this.loops.size === 0) this.resolveAll();
  }

  /** `b` differs from loop to loop and `a` from call to call, so that a mixed-up reply is noticed. */
  private async run(loop: Loop): Promise<void> {
    const { client, id: b } = loop;
    let a = b;
    while (this.running && this.left > 0) {
      this.left--;
      a = (a + 1) % 1_000;
      const from = a % this.timed === 0 ? performance.now() : 0;
      try {
        const result = await client.call(a, b);
        if (loop.abandoned) return;
        if (this.sums && result !== a + b) throw WRONG_RESULT;
        if (from !== 0) this.latencies.record(performance.now() - from);
        loop.ended++;
        loop.failuresInRow = 0;
        this.completed++;
      } catch (error) {
        if (loop.abandoned) return;
        loop.ended++;
        countError(this.errors, error);
        if (++loop.failuresInRow >= MAX_FAILURES_IN_ROW) this.running = false;
        // A call that fails at once would otherwise leave nothing else a chance to run.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  /** Gives up the calls that were there at the last sweep and still are; others are made in their place. */
  sweep(seen: Map<Loop, number>): void {
    for (const loop of [...this.loops.values()]) {
      if (seen.get(loop) === loop.ended) {
        this.giveUp(loop);
        if (this.running) this.start(loop.client, loop.id);
      } else seen.set(loop, loop.ended);
    }
  }

  /** Gives up every call that is still in flight. */
  giveUpAll(): void {
    for (const loop of [...this.loops.values()]) this.giveUp(loop);
  }

  private giveUp(loop: Loop): void {
    loop.abandoned = true;
    countError(this.errors, TIMEOUT);
    this.end(loop);
  }
}

/**
 * Runs one measurement over one client or several, the loops shared out among them. Errors are counted, not thrown.
 * Resolves once its calls have come back, or are given up after the timeout.
 */
export async function measure(
  clients: CallClient | readonly CallClient[],
  options: ClosedLoopOptions,
): Promise<Sample> {
  const { duration, timeout } = options;
  const started = performance.now();
  const load = new ClosedLoop("call" in clients ? [clients] : clients, options);
  const seen = new Map<Loop, number>();
  // Between one and two timeouts after it was made a call is given up: so none needs a timer of its own.
  const sweeper = timeout === undefined ? undefined : setInterval(() => load.sweep(seen), timeout);
  try {
    await Promise.race([load.finished, elapse(duration)]);
    // Counted here, before the calls still in flight come back.
    const seconds = (performance.now() - started) / 1_000;
    const calls = load.completed;
    load.running = false;
    const first = await Promise.race([load.finished, elapse(timeout ?? DRAIN_MS).then(() => "late" as const)]);
    if (first === "late") load.giveUpAll();
    return toSample({ calls, seconds, callsInAll: load.completed }, load.latencies, load.errors);
  } finally {
    load.running = false;
    clearInterval(sweeper);
  }
}

/** The sample of a loop that made so many calls, and recorded the latencies of some of them or of all. */
export function toSample(
  { calls, seconds, callsInAll }: Pick<Sample, "calls" | "seconds" | "callsInAll">,
  latencies?: LatencyRecorder,
  errors: ErrorCounts = {},
): Sample {
  const sample = { calls, seconds, callsPerSecond: calls / seconds, callsInAll, errors };
  const latency = latencies?.read();
  return latency === undefined ? sample : { ...sample, latency };
}

function elapse(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
