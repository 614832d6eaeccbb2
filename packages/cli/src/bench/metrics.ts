// The metrics that there are: their names, units, and where each stands in the charts.
import { formatBytes, formatCount } from "./figures.ts";
import type { Latency } from "./load/latency.ts";
import type { CurveReading, Group, Metric, Reading } from "./results.ts";

const PERCENTILES = ["p50", "p90", "p99", "p999", "max"] as const;
const PERCENTILE_AT = { p50: 50, p90: 90, p99: 99, p999: 99.9, max: 100 } as const;
const PERCENTILE_NAMES = { p50: "p50", p90: "p90", p99: "p99", p999: "p99.9", max: "max" } as const;

/** Which load a latency belongs to. */
export interface Load {
  readonly group: "latency" | "throughput" | "open-loop" | "set-up";
  readonly id: string;
  readonly name: string;
}

export const IN_A_ROW: Load = { group: "latency", id: "latency", name: "one call at a time" };
export const SET_UP: Load = { group: "set-up", id: "set-up", name: "connect to first result" };

export function atRate(rate: number): Load {
  return { group: "open-loop", id: `open-loop/${rate}`, name: `${formatCount(rate)} calls/s, open loop` };
}

export function inFlight(count: number): Load {
  return { group: "throughput", id: `throughput/${count}`, name: `${count} in flight` };
}

/** A latency as metrics: p50, p90, p99, p99.9 and max, as far as there were calls enough for them. */
export function latencyReadings(load: Load, latency: Latency | undefined): Reading[] {
  if (latency === undefined) return [];
  const known = PERCENTILES.filter((key) => latency[key] !== undefined);
  return known.map((key) => ({
    metric: {
      id: `${load.id}/${key}`,
      group: load.group,
      name: `${load.name}, ${PERCENTILE_NAMES[key]}`,
      unit: "µs",
      better: "less",
      series: load.name,
      x: PERCENTILE_AT[key],
    },
    value: latency[key] as number,
  }));
}

export function curveReading(load: Load, latency: Latency | undefined): CurveReading[] {
  return latency === undefined ? [] : [{ id: load.id, name: load.name, values: latency.curve }];
}

/**
 * How many calls a load made and how many of them failed, as metrics.
 *
 * @param calls the failed, lost and unsent ones too.
 */
export function countReadings(load: Load, calls: number, errors: number): Reading[] {
  const rate = calls === 0 ? 0 : (100 * errors) / calls;
  return [
    { metric: ofLoad(load, "calls", "calls", "calls"), value: calls },
    { metric: ofLoad(load, "errors", "errors", "errors"), value: errors },
    { metric: ofLoad(load, "error-rate", "error rate", "%"), value: rate },
  ];
}

/** Calls per second that an open loop reached. */
export function reachedRate(rate: number): Metric {
  return ofLoad(atRate(rate), "reached", "reached", "calls/s");
}

/** Its series is the load; the columns of one load differ by their units. */
function ofLoad(load: Load, id: string, name: string, unit: Metric["unit"]): Metric {
  return { ...metric("calls", `${load.id}/${id}`, `${load.name}, ${name}`, unit), series: load.name, x: 0 };
}

export function throughput(count: number): Metric {
  return {
    ...metric("throughput", `throughput/${count}`, `${count} in flight`, "calls/s"),
    series: "calls per second",
    x: count,
  };
}

/** Calls per second of all clients together, each with so many calls in flight. */
export function throughputOf(processes: number, clients: number, count: number): Metric {
  const load = `${clients === 1 ? "1 client" : `${clients} clients`}, ${count} in flight each`;
  const host = processes === 1 ? "1 process" : `${processes} processes`;
  return {
    ...metric("processes", `processes/${processes}/clients/${clients}/${count}`, `${host}, ${load}`, "calls/s"),
    series: load,
    x: processes,
  };
}

export function cpuPerCall(end: "client" | "host", count: number): Metric {
  return { ...metric("cpu", `cpu/${end}/${count}`, `${end}, ${count} in flight`, "µs"), series: end, x: count };
}

export type ChainMode = "pipelined" | "awaited";

/** @param roundTrip in milliseconds. */
export function chain(roundTrip: number, length: number, mode: ChainMode): Metric {
  const calls = length === 1 ? "1 call" : `${length} calls`;
  return {
    ...metric("chains", `chain/${roundTrip}/${mode}/${length}`, `${roundTrip} ms round trip, ${calls}, ${mode}`, "µs"),
    series: `${roundTrip} ms, ${mode}`,
    x: length,
  };
}

export function fanOut(width: number): Metric {
  return {
    ...metric("fan-out", `fan-out/${width}`, `${width} calls on one promise, all back`, "µs"),
    series: "time",
    x: width,
  };
}

export function payloadTime(size: number): Metric {
  return {
    ...metric("payloads", `payload/${size}/time`, `${formatBytes(size)} there and back`, "µs"),
    series: "time",
    x: size,
  };
}

export function payloadRate(size: number): Metric {
  return {
    ...metric("payloads", `payload/${size}/rate`, `${formatBytes(size)}, each way`, "MiB/s"),
    series: "rate",
    x: size,
  };
}

export function stream(direction: "upload" | "download"): Metric {
  return { ...metric("streams", `stream/${direction}`, direction, "MiB/s"), series: direction, x: 0 };
}

export function wireBytes(direction: "to host" | "to client", count: number): Metric {
  const way = direction === "to host" ? "to-host" : "to-client";
  return {
    ...metric("wire", `wire/${way}/${count}`, `${direction}, ${count} in flight`, "bytes"),
    series: direction,
    x: count,
  };
}

export function heapPerStub(end: "client" | "host"): Metric {
  return { ...metric("heap", `heap/${end}`, `${end}, for each stub held`, "bytes"), series: end, x: 0 };
}

/** Calls per second with 256 in flight, while the client holds so many stubs: as many exports of the host's. */
export function withExports(id: "empty" | "full", exports: number): Metric {
  const name = `256 in flight, ${formatCount(exports)} live exports`;
  return { ...metric("tables", `tables/${id}`, name, "calls/s"), series: "exports", x: exports };
}

/** The heaps of both ends, after a garbage collection, when one link has made so many calls. */
export function heapAfter(id: "few" | "many", calls: number): Metric {
  const name = `heap of both ends after ${formatCount(calls)} calls`;
  return { ...metric("tables", `tables/heap/${id}`, name, "bytes"), series: "heap", x: calls };
}

function metric(group: Group, id: string, name: string, unit: Metric["unit"]) {
  const better = unit === "calls/s" || unit === "calls" || unit === "MiB/s" ? ("more" as const) : ("less" as const);
  return { group, id, name, unit, better };
}
