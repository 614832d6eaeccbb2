// What links cost: setting one up, and the heap that held stubs take on both ends.
import { heapPerStub, latencyReadings, SET_UP } from "../metrics.ts";
import type { LoadReply } from "../processes/load-requests.ts";
import type { Reading } from "../results.ts";
import { readUsage } from "../usage.ts";
import { countError, type ErrorCounts, TIMEOUT } from "./errors.ts";
import { LatencyRecorder } from "./latency.ts";
import { inTime, NoAnswer, openClient, type Session } from "./session.ts";

const MIN_LINKS = 5;
const STUBS = 10_000;
/** A first batch, so that what exists once is there before the heap is read. */
const FIRST_STUBS = 100;

/** One link after the other: from connecting to the first call's result. Errors are counted. */
export async function measureSetUp(session: Session, duration: number): Promise<LoadReply> {
  const times = new LatencyRecorder();
  const errors: ErrorCounts = {};
  const started = performance.now();
  for (let opened = 0; ; opened++) {
    const from = performance.now();
    // Links that do not answer are not waited for one after the other.
    if (from - started >= (opened < MIN_LINKS ? duration + session.timeout : duration)) break;
    const client = openClient(session.url, session.target);
    try {
      await inTime(client.call(1, 2), session.timeout);
      times.record(performance.now() - from);
    } catch (error) {
      countError(errors, error instanceof NoAnswer ? TIMEOUT : error);
    } finally {
      client.link.close();
    }
  }
  const shown = latencyReadings(SET_UP, times.read());
  // There are too few links for the far percentiles.
  const readings = shown.filter(({ metric: { x } }) => x === 50 || x === 90 || x === 100);
  return { readings, curves: [], errors, calls: times.count };
}

export async function measureHeap(session: Session): Promise<Reading[]> {
  const { worker } = session;
  disposeAll(await worker.targets(FIRST_STUBS));
  const usages = async () => ({ host: await worker.usage(true), client: readUsage(true) });
  await usages();
  const before = await usages();
  const held = await inTime(worker.targets(STUBS), session.timeout);
  const after = await usages();
  disposeAll(held);
  return (["client", "host"] as const).map((end) => ({
    metric: heapPerStub(end),
    value: (after[end].heap - before[end].heap) / STUBS,
  }));
}

/** What came with one result is given back with it. */
function disposeAll(result: Disposable): void {
  result[Symbol.dispose]();
}
