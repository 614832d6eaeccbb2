// The figures of the comparison's tables, and their ratios. No I/O.
import { formatBytes, formatCount, formatDigits } from "../packages/cli/src/bench/figures.ts";
import {
  chain,
  cpuPerCall,
  heapAfter,
  heapPerStub,
  IN_A_ROW,
  stream,
  throughput,
  wireBytes,
  withExports,
} from "../packages/cli/src/bench/metrics.ts";
import { type PeerResult, valuesOf } from "../packages/cli/src/bench/results.ts";
import { type Spread, spread } from "../packages/cli/src/bench/statistics.ts";
import { CHAIN_LENGTH, LEVELS, type Level, ROUND_TRIP } from "./steps.ts";

/** One figure of each peer. */
export interface Column {
  readonly head: string;
  /** One value a round; none where it was not measured. */
  values(peer: PeerResult): readonly number[];
  format(value: number): string;
}

/** The sum of some metrics, round by round, divided by `unit`. */
function sumOf(head: string, ids: readonly string[], format: (value: number) => string, unit = 1): Column {
  return {
    head,
    format,
    values(peer) {
      const [first = [], ...others] = ids.map((id) => valuesOf(peer, id));
      const whole = first.slice(0, Math.min(first.length, ...others.map(({ length }) => length)));
      return whole.map((value, round) => others.reduce((sum, each) => sum + (each[round] ?? 0), value) / unit);
    },
  };
}

export const CALLS = Object.fromEntries(
  LEVELS.map((level) => [level, sumOf(`${level} in flight`, [throughput(level).id], formatCount)]),
) as { readonly [Key in Level]: Column };
export const P50 = sumOf("p50, µs", [`${IN_A_ROW.id}/p50`], formatDigits);
export const P99 = sumOf("p99, µs", [`${IN_A_ROW.id}/p99`], formatDigits);
/** Of both ends. */
export const CPU = sumOf("CPU, µs", [cpuPerCall("client", 256).id, cpuPerCall("host", 256).id], formatDigits);
/** Both ways. */
export const BYTES = sumOf("bytes", [wireBytes("to host", 1).id, wireBytes("to client", 1).id], formatDigits);
export const ROUND_TRIPS = sumOf(
  "round trips",
  [chain(ROUND_TRIP, CHAIN_LENGTH, "pipelined").id],
  (value) => value.toFixed(3),
  1_000 * ROUND_TRIP,
);
export const UPLOAD = sumOf("up, MiB/s", [stream("upload").id], formatDigits);
export const DOWNLOAD = sumOf("down, MiB/s", [stream("download").id], formatDigits);
export const STUB = sumOf("heap per stub", [heapPerStub("client").id], (bytes) => `${formatDigits(bytes)} B`);
export const EMPTY_TABLES = sumOf("empty tables", [withExports("empty", 0).id], formatCount);
export const FULL_TABLES = sumOf("full tables", [withExports("full", 0).id], formatCount);
export const HEAP_AFTER_FEW = sumOf("heap, few calls", [heapAfter("few", 0).id], formatBytes);
export const HEAP_AFTER_MANY = sumOf("heap, many calls", [heapAfter("many", 0).id], formatBytes);

/** Calls per second, and latency of one call at a time. */
export const CALL_COLUMNS: readonly Column[] = [...LEVELS.map((level) => CALLS[level]), P50, P99];
/** All else that is compared. */
export const FURTHER_COLUMNS: readonly Column[] = [
  CPU,
  BYTES,
  ROUND_TRIPS,
  UPLOAD,
  DOWNLOAD,
  STUB,
  EMPTY_TABLES,
  FULL_TABLES,
];

export function figure(peer: PeerResult, column: Column): Spread | undefined {
  return spread(column.values(peer));
}
