// The benchmark's client, alone in its process: it makes the calls and times them.

import { measurePayload, measureStream } from "../load/bulk.ts";
import { measureChains, measureFanOut } from "../load/chains.ts";
import { type ClosedLoopOptions, measure } from "../load/closed-loop.ts";
import { type ErrorCounts, totalErrors } from "../load/errors.ts";
import { measureHeap, measureSetUp } from "../load/links.ts";
import { measureAtRate } from "../load/open-loop.ts";
import { type Client, callFirst, openClient, Session } from "../load/session.ts";
import {
  atRate,
  countReadings,
  cpuPerCall,
  curveReading,
  IN_A_ROW,
  inFlight,
  latencyReadings,
  reachedRate,
  throughput,
} from "../metrics.ts";
import type { Reading } from "../results.ts";
import { readUsage } from "../usage.ts";
import { answer, followStarter, reply } from "./answering.ts";
import type { LoadReply, LoadRequest } from "./load-requests.ts";

let session: Session | undefined;
let counted: Client | undefined;

async function handle(request: LoadRequest): Promise<LoadReply> {
  if (request.kind === "connect") {
    session = new Session(request.url, request.target, request.connections, request.timeout);
    const errors = await session.check();
    const calls = session.clients.length - totalErrors(errors);
    return { ...replyWith([]), errors, calls, ...(session.sums ? { host: await session.machine() } : {}) };
  }
  if (session === undefined) throw new Error("not connected");
  switch (request.kind) {
    case "closed-loop":
      return measureClosed(session, request);
    case "open-loop": {
      const { timeout, sums, clients } = session;
      const sample = await measureAtRate(clients, { ...request, timeout, sums });
      const load = atRate(request.rate);
      const { latency, errors, completed, callsPerSecond } = sample;
      return {
        readings: [
          ...latencyReadings(load, latency),
          ...countReadings(load, sample.due, totalErrors(errors)),
          { metric: reachedRate(request.rate), value: callsPerSecond },
        ],
        curves: curveReading(load, latency),
        errors,
        calls: completed,
      };
    }
    case "chains":
      return replyWith(await measureChains(session, request));
    case "fan-out":
      return replyWith(await measureFanOut(session, request.width, request.duration));
    case "payload":
      return replyWith(await measurePayload(session, request.size, request.duration));
    case "stream":
      return replyWith(await measureStream(session, request.direction, request.duration));
    case "set-up":
      return measureSetUp(session, request.duration);
    case "heap":
      return replyWith(await measureHeap(session));
    case "open-counted":
      return openCounted(session, request.url);
    case "counted":
      return makeCounted(session, request);
  }
}

function replyWith(readings: readonly Reading[]): LoadReply {
  return { readings, curves: [], errors: {} };
}

async function measureClosed(from: Session, request: LoadRequest & { kind: "closed-loop" }): Promise<LoadReply> {
  const { timeout, sums, clients } = from;
  const options: ClosedLoopOptions = { ...request, timeout, sums };
  const hostBefore = sums ? await from.worker.usage(false) : undefined;
  const before = readUsage(false);
  const sample = await measure(clients, options);
  const after = readUsage(false);
  const hostAfter = sums ? await from.worker.usage(false) : undefined;
  const { latency, errors, callsInAll } = sample;
  const load = request.inFlight === 1 ? IN_A_ROW : inFlight(request.inFlight);
  const readings = latencyReadings(load, latency);
  readings.push({ metric: throughput(request.inFlight), value: sample.callsPerSecond });
  const failed = totalErrors(errors);
  readings.push(...countReadings(load, callsInAll + failed, failed));
  const addCpu = (end: "client" | "host", cpu: number): void => {
    if (callsInAll > 0) readings.push({ metric: cpuPerCall(end, request.inFlight), value: cpu / callsInAll });
  };
  addCpu("client", after.cpu - before.cpu);
  if (hostBefore !== undefined && hostAfter !== undefined) addCpu("host", hostAfter.cpu - hostBefore.cpu);
  return { readings, curves: curveReading(load, latency), errors, calls: callsInAll };
}

async function openCounted({ target, timeout }: Session, url: string): Promise<LoadReply> {
  counted?.link.close();
  counted = openClient(url, target);
  const errors: ErrorCounts = {};
  await callFirst(counted, timeout, errors);
  return { ...replyWith([]), errors, calls: 1 - totalErrors(errors) };
}

async function makeCounted({ timeout, sums }: Session, request: LoadRequest & { kind: "counted" }): Promise<LoadReply> {
  if (counted === undefined) throw new Error("no link to count on");
  const { calls: requests, inFlight } = request;
  const { errors, callsInAll } = await measure(counted, { inFlight, requests, duration: timeout, timeout, sums });
  return { readings: [], curves: [], errors, calls: callsInAll };
}

followStarter();
answer(handle, () => {
  session?.close();
  counted?.link.close();
});
reply({ readings: [], curves: [], errors: {} } satisfies LoadReply);
