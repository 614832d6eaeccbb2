// How latencies are spread, as rows of bars. A run keeps percentiles, so the shares between two of them are interpolated.
import { formatTime } from "../figures.ts";
import type { MeasuredCurve } from "../results.ts";
import { spread } from "../statistics.ts";

/** One row: the calls that took from `from` to `to` microseconds, or longer. */
export interface Bar {
  readonly from: number;
  /** Missing in the last row. */
  readonly to?: number;
  /** Of all calls, from 0 to 1. */
  readonly share: number;
}

const ROWS = 10;
/** The last row has what is beyond this percentile, or beyond the last one that is known. */
const LAST_PERCENTILE = 99;
const BAR_WIDTH = 40;

/** The rows' bounds grow by one factor, from the shortest latency on. There are none where all calls took about as long. */
export function histogramOf(curve: MeasuredCurve): Bar[] {
  const points = medians(curve);
  const low = points[0]?.time ?? 0;
  const high = points.findLast(({ share }) => share <= LAST_PERCENTILE / 100)?.time ?? 0;
  if (!(low > 0 && high > low)) return [];
  const all = Array.from({ length: ROWS }, (_, row) =>
    row === ROWS - 1 ? high : low * (high / low) ** (row / (ROWS - 1)),
  );
  // Where all calls take about as long, fewer rows that can be told apart.
  const bounds = all.filter((bound, row) => row === 0 || formatTime(bound) !== formatTime(all[row - 1] as number));
  if (bounds.length === 1) return [];
  return bounds.map((from, row) => {
    const to = bounds[row + 1];
    const below = row === 0 ? 0 : shareWithin(points, from);
    return to === undefined ? { from, share: 1 - below } : { from, to, share: shareWithin(points, to) - below };
  });
}

interface Percentile {
  /** Of the calls, took so long at most; from 0 to 1. */
  readonly share: number;
  readonly time: number;
}

/** The rounds' medians, as far as half of the rounds at least have calls enough; rising. */
function medians({ percentiles, rounds }: MeasuredCurve): Percentile[] {
  const points: Percentile[] = [];
  for (const [index, percentile] of percentiles.entries()) {
    const values = rounds.flatMap((round) => round[index] ?? []);
    const value = spread(values);
    if (value === undefined || values.length * 2 < rounds.length) break;
    points.push({ share: percentile / 100, time: Math.max(value.median, points.at(-1)?.time ?? 0) });
  }
  return points;
}

function shareWithin(points: readonly Percentile[], time: number): number {
  const index = points.findLastIndex((point) => point.time <= time);
  const [before, after] = [points[index], points[index + 1]];
  if (before === undefined) return 0;
  if (after === undefined) return before.share;
  const part = Math.log(time / before.time) / Math.log(after.time / before.time);
  return before.share + part * (after.share - before.share);
}

/** Rows of text; empty where there are none. */
export function formatHistogram(curve: MeasuredCurve): string {
  const bars = histogramOf(curve);
  const most = Math.max(...bars.map(({ share }) => share));
  const names = bars.map(({ from, to }) =>
    to === undefined ? `over ${formatTime(from)}` : `${formatTime(from)} – ${formatTime(to)}`,
  );
  const width = Math.max(0, ...names.map((name) => name.length));
  const rows = bars.map(({ share }, index) => {
    const bar = "█".repeat(Math.round((share / most) * BAR_WIDTH)) || (share > 0 ? "▏" : "");
    return ` ${(names[index] ?? "").padStart(width)}  ${bar} ${(share * 100).toFixed(1)} %`;
  });
  return rows.join("\n");
}
