// The closed loop: N independent loops, each awaiting its call before it makes the next. Every sum is checked.
import { countError, type ErrorCounts, TIMEOUT, WRONG_RESULT } from "./errors.ts";
import { type Latency, LatencyRecorder } from "./latency.ts";

/** How long calls may take to come back once the time is up, in milliseconds, where no timeout is given. */
export const DRAIN_MS = 5_000;
/** With more than one loop, and so many calls timed, one in `TIMED` is: reading the clock for each would slow what is measured. */
const ALL_TIMED = 10_000;
const TIMED = 8;
/** After so many failures without a success between them a loop waits before each call: its peer may be gone. */
const MANY_FAILURES = 100;
const FAILURE_PAUSE_MS = 1;

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

/** What one measurement gave. Calls count when they come back; failed ones count as errors alone. */
export interface Sample {
  /** Calls of the `seconds`. One that came back after their end counts as the share of it that lies within them. */
  readonly calls: number;
  readonly seconds: number;
  readonly callsPerSecond: number;
  /** Calls that came back, those after the end of the time too. */
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
  /** When the call in flight was made, as closely as the clock was read; undefined while there is none. */
  begun: number | undefined;
}

class ClosedLoop {
  /** Whether calls are still to be made. */
  private running = true;
  /** When the time was up. */
  private end = Number.POSITIVE_INFINITY;
  completed = 0;
  /** What `Sample.calls` says. */
  counted = 0;
  /** When the last call came back, once none is left to be made. */
  lastReturn: number | undefined;
  readonly errors: ErrorCounts = {};
  readonly latencies = new LatencyRecorder();
  /** Calls that may still be made. */
  private left: number;
  private readonly loops = new Map<number, Loop>();
  private readonly sums: boolean;
  /** One call in so many is timed, from the first ones on, and from when many are. */
  private every = 1;
  private readonly everyLater: number;
  /** The clock when it was last read. */
  private now = performance.now();
  private resolveAll: () => void = () => {};
  /** Settles when every loop has ended. */
  readonly finished = new Promise<void>((resolve) => {
    this.resolveAll = resolve;
  });

  constructor(clients: readonly CallClient[], { inFlight, requests, sums = true }: ClosedLoopOptions) {
    this.left = requests ?? Number.POSITIVE_INFINITY;
    this.everyLater = inFlight === 1 ? 1 : TIMED;
    this.sums = sums;
    for (let id = 0; id < inFlight; id++) this.start(clients[id % clients.length] as CallClient, id);
  }

  private start(client: CallClient, id: number): void {
    const loop: Loop = { client, id, ended: 0, failuresInRow: 0, abandoned: false, begun: undefined };
    this.loops.set(id, loop);
    void this.run(loop).then(() => {
      if (!loop.abandoned) this.remove(loop);
    });
  }

  private remove(loop: Loop): void {
    this.loops.delete(loop.id);
    if (this.loops.size === 0) this.resolveAll();
  }

  /** `b` differs from loop to loop and `a` from call to call, so that a mixed-up reply is noticed. */
  private async run(loop: Loop): Promise<void> {
    const { client, id: b } = loop;
    let a = b;
    while (this.running) {
      if (--this.left === 0) this.running = false;
      a = (a + 1) % 1_000;
      const { every } = this;
      const isTimed = a % every === 0;
      if (isTimed) this.now = performance.now();
      const from = this.now;
      loop.begun = from;
      try {
        const result = await client.call(a, b);
        if (loop.abandoned) return;
        if (this.sums && result !== a + b) throw WRONG_RESULT;
        this.complete(from, isTimed ? every : 0);
        loop.failuresInRow = 0;
      } catch (error) {
        if (loop.abandoned) return;
        countError(this.errors, error);
        loop.failuresInRow++;
      }
      loop.ended++;
      loop.begun = undefined;
      if (!this.running) this.lastReturn = performance.now();
      // A call that fails at once would otherwise leave nothing else a chance to run.
      if (loop.failuresInRow > 0) await pause(loop.failuresInRow < MANY_FAILURES ? 0 : FAILURE_PAUSE_MS);
    }
  }

  /** @param timedFor how many calls its latency stands for; 0 when it was not timed. */
  private complete(from: number, timedFor: number): void {
    if (timedFor > 0 || !this.running) this.now = performance.now();
    if (timedFor > 0) {
      this.latencies.record(this.now - from, timedFor);
      if (this.latencies.count >= ALL_TIMED) this.every = this.everyLater;
    }
    this.completed++;
    this.counted += this.now > this.end ? (this.end - from) / (this.now - from) : 1;
  }

  /** No further calls are made from `now` on. */
  stop(now: number): void {
    this.running = false;
    this.end = now;
  }

  /** Gives up the calls that were there at the last sweep and still are; others are made in their place. */
  sweep(seen: Map<Loop, number>): void {
    for (const loop of [...this.loops.values()]) {
      if (seen.get(loop) === loop.ended && loop.begun !== undefined) {
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
    if (loop.begun !== undefined) {
      countError(this.errors, TIMEOUT);
      this.latencies.record(performance.now() - loop.begun);
    }
    this.remove(loop);
  }
}

/**
 * Runs one measurement over one client or several, the loops shared out among them. Errors are counted, not thrown, and end
 * nothing before its time. Resolves once its calls have come back, or are given up after the timeout.
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
    const isDone = await Promise.race([load.finished.then(() => true), elapse(duration).then(() => false)]);
    const now = performance.now();
    load.stop(now);
    if (!isDone) {
      const first = await Promise.race([load.finished, elapse(timeout ?? DRAIN_MS).then(() => "late" as const)]);
      if (first === "late") load.giveUpAll();
    }
    const seconds = ((isDone ? (load.lastReturn ?? now) : now) - started) / 1_000;
    return toSample({ calls: load.counted, seconds, callsInAll: load.completed }, load.latencies, load.errors);
  } finally {
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

/** So many milliseconds; with 0, one turn of the event loop. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (milliseconds === 0) setImmediate(resolve);
    else setTimeout(resolve, milliseconds);
  });
}
