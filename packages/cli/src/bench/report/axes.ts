// Where the lines of an axis are. Plain data, no I/O.

export interface Axis {
  readonly label: string;
  readonly scale: "linear" | "log";
  /** How its figures are written. */
  readonly unit: "µs" | "calls/s" | "MiB/s" | "number";
  /** Where its lines are, in rising order; the first and the last are its ends. Without them it finds some itself. */
  readonly ticks?: readonly Tick[];
}

/** A place, and what stands there if it is not the figure with its unit. */
export type Tick = readonly [at: number, text?: string];

/** A range that is wider than this has a line for each tenfold step alone. */
const WIDE = 1e4;
/** In one that is narrower than this, so few of 1, 2, 5, 10 … lie that it has steps of one size instead. */
const NARROW = 3;
const STEPS = 5;

/**
 * Lines for a logarithmic axis with figures from `low` to `high`, both above 0. Its ends enclose the figures, and every line
 * is a round number: 1, 10, 100 …, with 2 and 5 between them, or steps of one size.
 */
export function logTicks(low: number, high: number): number[] {
  if (low === high) return logTicks(low / 1.1, high * 1.1);
  if (high / low < NARROW) return evenTicks(low, high);
  const leads = high / low > WIDE ? [1] : [1, 2, 5];
  const places: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const lead of leads) places.push(round(lead * 10 ** power));
  }
  const first = places.findLastIndex((place) => place <= low * (1 + 1e-9));
  const last = places.findIndex((place) => place >= high * (1 - 1e-9));
  return places.slice(Math.max(0, first), last + 1);
}

function evenTicks(low: number, high: number): number[] {
  const least = (high - low) / STEPS;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 5].find((lead) => lead * power >= least * (1 - 1e-9)) ?? 10);
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, index) => round((first + index) * step));
}

/** Without the error of its last digits. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}
