// Latencies in an HDR histogram, and what is read off it.
import { build, type Histogram } from "hdr-histogram-js";

/** Latencies are recorded in nanoseconds, to three digits; the histogram grows past a minute by itself. */
const MICROSECOND = 1_000;
const MINUTE = 60_000_000_000;

/** The percentiles of a latency curve, from the middle to the tail; evenly far apart as the chart draws them. */
export const CURVE = [
  0, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.975, 99.99, 99.995, 99.999,
] as const;

/** Latencies of calls, in microseconds. A percentile beyond which no call lies, by their number, is left out. */
export interface Latency {
  readonly p50: number;
  /** From 10 calls on. */
  readonly p90?: number;
  /** From 100 calls on. */
  readonly p99?: number;
  /** From 1,000 calls on. */
  readonly p999?: number;
  readonly max: number;
  /** The latency at each percentile of `CURVE`, as far as there were calls enough to tell. */
  readonly curve: readonly number[];
}

/** Records latencies. Recording is cheap enough to be done for every call. */
export class LatencyRecorder {
  readonly #histogram: Histogram = build({ highestTrackableValue: MINUTE, autoResize: true });
  #count = 0;

  /** How many were recorded. */
  get count(): number {
    return this.#count;
  }

  /**
   * @param milliseconds as the difference of two `performance.now()`; what is below a nanosecond counts as one.
   * @param calls how many calls it stands for, where not each is timed.
   */
  record(milliseconds: number, calls = 1): void {
    this.#count++;
    this.#histogram.recordValueWithCount(Math.max(1, Math.round(milliseconds * 1e6)), calls);
  }

  /** What was recorded; undefined when nothing was. */
  read(): Latency | undefined {
    const histogram = this.#histogram;
    const count = this.#count;
    if (count === 0) return undefined;
    const { maxValue } = histogram;
    // The histogram gives the upper end of the range that a percentile lies in.
    const at = (percentile: number): number =>
      Math.min(histogram.getValueAtPercentile(percentile), maxValue) / MICROSECOND;
    const isKnown = (percentile: number): boolean => count * (1 - percentile / 100) >= 1 - 1e-9;
    return {
      p50: at(50),
      ...(isKnown(90) ? { p90: at(90) } : {}),
      ...(isKnown(99) ? { p99: at(99) } : {}),
      ...(isKnown(99.9) ? { p999: at(99.9) } : {}),
      max: maxValue / MICROSECOND,
      curve: CURVE.filter(isKnown).map(at),
    };
  }
}
