// hot path (bench: npm run bench). A table whose ids the peer allocates: answers, imports.

/** Ids below this bound live in an array; a peer that picks large ones pays with a Map, not with our memory. */
const DENSE_IDS = 4096;

/** Invariant: `size` counts the entries present; an id is present in exactly one of the two stores. */
export class RemoteTable<Id extends number, Entry> {
  readonly #dense: (Entry | undefined)[] = [];
  readonly #sparse = new Map<Id, Entry>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: Id): Entry | undefined {
    return id < DENSE_IDS ? this.#dense[id] : this.#sparse.get(id);
  }

  /** Adds an entry. The id must be free: the caller has checked. */
  set(id: Id, entry: Entry): void {
    this.#size++;
    if (id >= DENSE_IDS) {
      this.#sparse.set(id, entry);
      return;
    }
    // Fills up in order, so that the array never has holes.
    while (this.#dense.length < id) this.#dense.push(undefined);
    this.#dense[id] = entry;
  }

  /** Removes and returns the entry, or returns undefined where there is none. */
  take(id: Id): Entry | undefined {
    const entry = this.get(id);
    if (entry === undefined) return undefined;
    this.#size--;
    if (id < DENSE_IDS) this.#dense[id] = undefined;
    else this.#sparse.delete(id);
    return entry;
  }

  /** Removes and returns all entries. */
  drain(): Entry[] {
    const entries = [...this.values()];
    this.#dense.length = 0;
    this.#sparse.clear();
    this.#size = 0;
    return entries;
  }

  *values(): IterableIterator<Entry> {
    for (const entry of this.#dense) if (entry !== undefined) yield entry;
    yield* this.#sparse.values();
  }
}
