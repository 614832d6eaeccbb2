// The open loop: calls start at a constant rate, whether or not earlier ones have come back. A latency counts from when
// its call was meant to start, so that the waiting behind a slow peer is not left out.
import { type CallClient, DRAIN_MS, type LoopOptions } from "./closed-loop.ts";
import { countError, type ErrorCounts, TIMEOUT, WRONG_RESULT } from "./errors.ts";
import { type Latency, LatencyRecorder } from "./latency.ts";

/** Calls in flight at most. What is due beyond them waits to be sent, and its wait counts. */
const MAX_IN_FLIGHT = 20_000;
/** Timers of Node are this coarse, in milliseconds; what is due sooner is waited for turn by turn. */
const TIMER_MS = 2;

export interface OpenLoopOptions extends LoopOptions {
  /** Calls per second. */
  readonly rate: number;
}

/** What one measurement gave. Each call that was due is one of completed, failed, lost or unsent. */
export interface OpenSample {
  readonly due: number;
  readonly completed: number;
  readonly failed: number;
  /** Sent, and not back in time. */
  readonly lost: number;
  /** Due, and never sent: too many were in flight. */
  readonly unsent: number;
  /** The rate that was reached: completed calls by the time from the first one's end to the last one's, or the planned time. */
  readonly callsPerSecond: number;
  /** Of all calls that were due but the failed ones; lost and unsent ones with the time they have waited. */
  readonly latency?: Latency;
  readonly errors: ErrorCounts;
}

/** The accounts of an open loop. Times are milliseconds since its start. */
export class OpenLoopAccounts {
  readonly total: number;
  private readonly gap: number;
  private readonly latencies = new LatencyRecorder();
  private readonly errors: ErrorCounts = {};
  private readonly open = new Set<number>();
  private sent = 0;
  private completed = 0;
  private failed = 0;
  private firstEnd: number | undefined;
  private lastEnd = 0;

  constructor({ rate, duration, requests = Number.POSITIVE_INFINITY }: OpenLoopOptions) {
    this.gap = 1_000 / rate;
    this.total = Math.max(1, Math.min(requests, Math.floor((rate * duration) / 1_000)));
  }

  get inFlight(): number {
    return this.open.size;
  }

  /** When the next call is due, or undefined when all are sent. */
  get nextDue(): number | undefined {
    return this.sent < this.total ? this.dueAt(this.sent) : undefined;
  }

  /** When call number `index` is meant to start, however late it is sent. */
  dueAt(index: number): number {
    return index * this.gap;
  }

  /** Takes the next call that is due at `now`: its index, or undefined when none is, or too many are in flight. */
  take(now: number): number | undefined {
    const due = this.nextDue;
    if (due === undefined || due > now || this.open.size >= MAX_IN_FLIGHT) return undefined;
    this.open.add(this.sent);
    return this.sent++;
  }

  complete(index: number, now: number): void {
    if (!this.open.delete(index)) return;
    this.completed++;
    this.firstEnd ??= now;
    this.lastEnd = now;
    this.latencies.record(now - this.dueAt(index));
  }

  fail(index: number, error: unknown): void {
    if (!this.open.delete(index)) return;
    this.failed++;
    countError(this.errors, error);
  }

  /** Closes the accounts: what is in flight is lost, what was due and not sent is unsent. */
  close(now: number): OpenSample {
    const lost = this.open.size;
    const unsent = this.total - this.sent;
    for (const index of this.open) this.latencies.record(now - this.dueAt(index));
    for (let index = this.sent; index < this.total; index++) this.latencies.record(now - this.dueAt(index));
    this.open.clear();
    if (lost > 0) countError(this.errors, TIMEOUT, lost);
    if (unsent > 0) countError(this.errors, "due, but never sent", unsent);
    const { total: due, completed, failed, errors } = this;
    const latency = this.latencies.read();
    // A latency that is the same for all of them shifts their ends, and slows nothing down.
    const spread = this.lastEnd - (this.firstEnd ?? 0) + this.gap;
    const seconds = Math.max(spread, this.dueAt(due)) / 1_000;
    const sample = { due, completed, failed, lost, unsent, callsPerSecond: completed / seconds, errors };
    return latency === undefined ? sample : { ...sample, latency };
  }
}

/** Runs one measurement over one client or several in turn. Errors are counted, not thrown. */
export async function measureAtRate(clients: readonly CallClient[], options: OpenLoopOptions): Promise<OpenSample> {
  const accounts = new OpenLoopAccounts(options);
  const started = performance.now();
  const since = (): number => performance.now() - started;
  const end = accounts.dueAt(accounts.total) + (options.timeout ?? DRAIN_MS);
  while (since() < end) {
    for (let index = accounts.take(since()); index !== undefined; index = accounts.take(since())) {
      void send(clients[index % clients.length] as CallClient, index, accounts, since, options.sums ?? true);
    }
    const next = accounts.nextDue;
    if (next === undefined && accounts.inFlight === 0) break;
    await turn(next === undefined ? TIMER_MS : next - since());
  }
  return accounts.close(since());
}

async function send(
  client: CallClient,
  index: number,
  accounts: OpenLoopAccounts,
  since: () => number,
  sums: boolean,
): Promise<void> {
  const a = index % 1_000;
  try {
    const result = await client.call(a, 7);
    if (sums && result !== a + 7) throw WRONG_RESULT;
    accounts.complete(index, since());
  } catch (error) {
    accounts.fail(index, error);
  }
}

/** Waits until about `milliseconds` are over, or for one turn of the event loop when a timer would be too coarse. */
function turn(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (milliseconds < TIMER_MS) setImmediate(resolve);
    else setTimeout(resolve, milliseconds - TIMER_MS + 1);
  });
}
