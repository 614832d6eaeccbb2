// Work that leads to more of its kind: a peer decides how long such a chain is, so it must not lie on the stack.
import { runGuarded } from "../errors.ts";

/** Steps within one another that run at once. */
const MAX_DEPTH = 64;

/**
 * Runs steps at once, as any function call does, until too many of them lie within one another: those then wait in order
 * until the outermost one is done, within the same turn. What one of those throws keeps none of the others from running.
 */
export class InTurn<Step> {
  readonly #run: (step: Step) => void;
  #waiting: Step[] = [];
  #depth = 0;

  constructor(run: (step: Step) => void) {
    this.#run = run;
  }

  run(step: Step): void {
    if (this.#depth >= MAX_DEPTH) {
      this.#waiting.push(step);
      return;
    }
    this.#depth++;
    try {
      this.#run(step);
    } finally {
      // Still within the outermost step: what waits must not lie within one another either.
      if (this.#depth === 1 && this.#waiting.length > 0) this.#runWaiting();
      this.#depth--;
    }
  }

  #runWaiting(): void {
    while (this.#waiting.length > 0) {
      const steps = this.#waiting;
      this.#waiting = [];
      for (const step of steps) runGuarded(() => this.run(step));
    }
  }
}
