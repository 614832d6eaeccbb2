// Who wants to know that a promise resolved.
import { runGuarded } from "../errors.ts";

/** Runs each listener once, in the order in which they came. */
export class ResolutionListeners {
  readonly #listeners = new Set<() => void>();

  /** Returns how to take the listener off again. */
  add(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  run(): void {
    // One that is taken off meanwhile does not run.
    for (const listener of this.#listeners) runGuarded(listener);
    this.#listeners.clear();
  }
}
