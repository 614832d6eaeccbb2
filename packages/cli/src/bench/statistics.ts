// Medians with their spread, over the rounds of a run.

/** The median of some rounds, with the least and the greatest of them. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The spread of `values`, or undefined when there are none. */
export function spread(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((x, y) => x - y);
  const min = sorted[0];
  const max = sorted.at(-1);
  const low = sorted[(sorted.length - 1) >> 1];
  const high = sorted[sorted.length >> 1];
  if (min === undefined || max === undefined || low === undefined || high === undefined) return undefined;
  return { median: (low + high) / 2, min, max };
}

/** The spread of the ratios round by round: what one round has in common (a busy machine, a hot core) cancels out. */
export function ratioSpread(numerators: readonly number[], denominators: readonly number[]): Spread | undefined {
  const ratios: number[] = [];
  numerators.forEach((numerator, round) => {
    const denominator = denominators[round];
    if (denominator !== undefined && denominator > 0) ratios.push(numerator / denominator);
  });
  return spread(ratios);
}

/** The median of at least one value. */
export function median(values: readonly number[]): number {
  const all = spread(values);
  if (all === undefined) throw new RangeError("no values");
  return all.median;
}
