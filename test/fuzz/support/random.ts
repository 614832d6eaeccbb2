// Random choices that a seed repeats.

/** A generator of 32-bit numbers (mulberry32): fast, and good enough to choose with. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 to 2³² - 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** From 0 to `count` - 1. */
  below(count: number): number {
    return this.next() % count;
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of them. Throws RangeError where there is none. */
  of<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new RangeError("There is nothing to choose from.");
    return choices[this.below(choices.length)] as T;
  }
}
