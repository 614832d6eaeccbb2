// Calls per second of hosts of several processes, called by several clients at once.
import { addErrors, type ErrorCounts, noneSucceeded } from "./load/errors.ts";
import type { Target } from "./load/session.ts";
import { throughput, throughputOf } from "./metrics.ts";
import type { ProcessesStep } from "./plan.ts";
import type { LoadReply, LoadRequest } from "./processes/load-requests.ts";
import { type ClientProcess, SLACK_MS, START_TIMEOUT_MS, startClient, startHost } from "./processes/start-process.ts";
import type { Reading } from "./results.ts";

/** What is the same in all steps. */
export interface ProcessesOptions {
  readonly target: Target;
  readonly connections: number;
  /** Milliseconds until a call counts as lost. */
  readonly timeout: number;
  readonly cpuProf?: string | undefined;
}

/** Starts the host and as many clients as are needed, has them call, and ends them. */
export async function measureProcesses(step: ProcessesStep, options: ProcessesOptions): Promise<LoadReply> {
  const { processes, clients, inFlight, warmup, duration, requests } = step;
  const { target, connections, timeout, cpuProf } = options;
  const host = startHost(processes, cpuProf);
  const loads = Array.from({ length: Math.max(...clients) }, () => startClient(cpuProf));
  const askAll = async (asked: readonly ClientProcess[], what: LoadRequest, expected: number): Promise<LoadReply[]> => {
    const replies = Promise.all(asked.map((load) => load.ask(what, expected + 2 * timeout + SLACK_MS)));
    replies.catch(() => {});
    return Promise.race([replies, host.gone]);
  };
  const closed = { kind: "closed-loop", inFlight } as const;
  const limit = requests === undefined ? {} : { requests };
  const readings: Reading[] = [];
  const errors: ErrorCounts = {};
  let calls = 0;
  try {
    const start = START_TIMEOUT_MS * (processes + loads.length);
    const [{ url }] = await Promise.all([host.next(start), ...loads.map((load) => load.next(start))]);
    const add = (reply: LoadReply): void => {
      addErrors(errors, reply.errors);
      calls += reply.calls ?? 0;
    };
    for (const reply of await askAll(loads, { kind: "connect", url, target, connections, timeout }, 0)) add(reply);
    if (warmup > 0) await askAll(loads, { ...closed, duration: warmup }, warmup);
    for (const count of clients) {
      const replies = await askAll(loads.slice(0, count), { ...closed, duration, ...limit }, duration);
      for (const reply of replies) add(reply);
      if (replies.every((reply) => reply.calls === 0)) throw new Error(noneSucceeded(errors));
      const value = replies.reduce((sum, reply) => sum + callsPerSecond(reply, inFlight), 0);
      readings.push({ metric: throughputOf(processes, count, inFlight), value });
    }
  } finally {
    await Promise.all([host, ...loads].map((one) => one.stop()));
  }
  return { readings, curves: [], errors, calls };
}

/** What one client measured of its own calls. */
function callsPerSecond({ readings }: LoadReply, inFlight: number): number {
  const { id } = throughput(inFlight);
  return readings.find(({ metric }) => metric.id === id)?.value ?? 0;
}
