// Latencies in an HDR histogram, and what is read off it.
import { build, type Histogram } from "hdr-histogram-js";

/** Latencies are recorded in nanoseconds, to three digits; the histogram grows past a minute by itself. */
const MICROSECOND = 1_000;
const MINUTE = 60_000_000_000;

/** The percentiles of a latency curve, from the middle to the tail; evenly far apart as the chart draws them. */
export const CURVE = [
  0, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.975, 99.99, 99.995, 99.999,
] as const;

/** Latencies of calls, in microseconds. */
export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** The latency at each percentile of `CURVE`, as far as there were calls enough to tell. */
  readonly curve: readonly number[];
}

/** Records latencies. Recording is cheap enough to be done for every call. */
export class LatencyRecorder {
  readonly #histogram: Histogram = build({ highestTrackableValue: MINUTE, autoResize: true });

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** @param milliseconds as the difference of two `performance.now()`; what is below a nanosecond counts as one. */
  record(milliseconds: number): void {
    this.#histogram.recordValue(Math.max(1, Math.round(milliseconds * 1e6)));
  }

  /** What was recorded; undefined when nothing was. */
  read(): Latency | undefined {
    const histogram = this.#histogram;
    const { totalCount } = histogram;
    if (totalCount === 0) return undefined;
    const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / MICROSECOND;
    const known = CURVE.filter((percentile) => totalCount * (1 - percentile / 100) >= 1 - 1e-9);
    return {
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      max: histogram.maxValue / MICROSECOND,
      curve: known.map(at),
    };
  }
}
