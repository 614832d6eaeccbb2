// hot path (bench: npm run bench). A table whose ids this vat allocates: questions, exports, embargoes.

/**
 * Dense table with a free list: the most recently freed id is the next one handed out, so ids stay small integers.
 *
 * States of an id: never used → taken → free → taken …
 * Invariant: `size` counts the taken ids; a free id reads as undefined.
 */
export class LocalTable<Id extends number, Entry> {
  readonly #entries: (Entry | undefined)[] = [];
  readonly #free: Id[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Takes an id for `entry`. */
  allocate(entry: Entry): Id {
    this.#size++;
    const id = this.#free.pop() ?? (this.#entries.length as Id);
    this.#entries[id] = entry;
    return id;
  }

  get(id: Id): Entry | undefined {
    return this.#entries[id];
  }

  /** Frees an id that is taken and returns its entry; undefined, and no change, where it is not. */
  take(id: Id): Entry | undefined {
    const entry = this.#entries[id];
    if (entry === undefined) return undefined;
    this.#entries[id] = undefined;
    this.#free.push(id);
    this.#size--;
    return entry;
  }

  /** Removes and returns all entries. */
  drain(): Entry[] {
    const entries: Entry[] = [];
    for (const entry of this.#entries) if (entry !== undefined) entries.push(entry);
    this.#entries.length = 0;
    this.#free.length = 0;
    this.#size = 0;
    return entries;
  }
}
