// What is pipelined on one call, by the place in its results.

interface Place {
  readonly transform: readonly number[];
}

/** One entry for each transform. Found as fast among the tens of thousands that a peer may name as where there is one. */
export class Places<T extends Place> {
  // Nearly always there is but one, which needs no map.
  #only: T | undefined = undefined;
  #more: Map<string, T> | undefined = undefined;

  get size(): number {
    return this.#more === undefined ? (this.#only === undefined ? 0 : 1) : this.#more.size;
  }

  get(transform: readonly number[]): T | undefined {
    if (this.#more !== undefined) return this.#more.get(keyOf(transform));
    const only = this.#only;
    return only !== undefined && sameTransform(only.transform, transform) ? only : undefined;
  }

  /** Adds an entry for a transform that has none. */
  add(place: T): void {
    const only = this.#only;
    if (this.#more === undefined) {
      if (only === undefined) {
        this.#only = place;
        return;
      }
      this.#more = new Map([[keyOf(only.transform), only]]);
      this.#only = undefined;
    }
    this.#more.set(keyOf(place.transform), place);
  }

  /** Removes an entry. False where it is not there. */
  delete(place: T): boolean {
    if (this.get(place.transform) !== place) return false;
    if (this.#more === undefined) this.#only = undefined;
    else this.#more.delete(keyOf(place.transform));
    return true;
  }

  /** All entries, in the order in which they came. */
  values(): readonly T[] {
    if (this.#more !== undefined) return [...this.#more.values()];
    return this.#only === undefined ? [] : [this.#only];
  }

  /** Removes and returns all entries. */
  drain(): readonly T[] {
    const places = this.values();
    this.#only = undefined;
    this.#more = undefined;
    return places;
  }
}

function keyOf(transform: readonly number[]): string {
  return transform.join();
}

function sameTransform(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((field, index) => field === b[index]);
}
