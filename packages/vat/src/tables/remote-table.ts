// hot path (bench: npm run bench). A table whose ids the peer allocates: answers, imports.

/** Ids below this bound always live in an array. */
const DENSE_IDS = 4096;

/**
 * Ids that follow one another live in an array; a peer that picks others pays with a Map, not with our memory: past
 * `DENSE_IDS` the array is at most twice as long as the table was full.
 *
 * Invariant: `size` counts the entries present; an id is present in exactly one of the two stores, and in the array if it
 * is within that.
 */
export class RemoteTable<Id extends number, Entry> {
  readonly #dense: (Entry | undefined)[] = [];
  readonly #sparse = new Map<Id, Entry>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: Id): Entry | undefined {
    return id < this.#dense.length ? this.#dense[id] : this.#sparse.get(id);
  }

  /** Adds an entry. The id must be free: the caller has checked. */
  set(id: Id, entry: Entry): void {
    const dense = this.#dense;
    this.#size++;
    if (id < dense.length) dense[id] = entry;
    else if (id < DENSE_IDS) {
      // Fills up in order, so that the array never has holes.
      while (dense.length < id) dense.push(undefined);
      dense.push(entry);
    } else if (id === dense.length && id < 2 * this.#size) dense.push(entry);
    else this.#sparse.set(id, entry);
  }

  /** Removes and returns the entry, or returns undefined where there is none. */
  take(id: Id): Entry | undefined {
    const entry = this.get(id);
    if (entry === undefined) return undefined;
    this.#size--;
    if (id < this.#dense.length) this.#dense[id] = undefined;
    else this.#sparse.delete(id);
    // What was full once need not stay so long.
    if (this.#size === 0 && this.#dense.length > DENSE_IDS) this.#dense.length = 0;
    return entry;
  }

  /** Removes and returns all entries. */
  drain(): Entry[] {
    const entries = [...this.values()];
    this.clear();
    return entries;
  }

  clear(): void {
    this.#dense.length = 0;
    this.#sparse.clear();
    this.#size = 0;
  }

  *values(): IterableIterator<Entry> {
    for (const entry of this.#dense) if (entry !== undefined) yield entry;
    yield* this.#sparse.values();
  }
}
