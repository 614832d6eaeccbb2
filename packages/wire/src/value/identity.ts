// hot path (bench: npm run bench). The ids that the objects of one value get as they are written.

/** Up to here a look-up walks an array, which costs less than filling a Map. */
const FEW = 16;

/** Gives each object of a value an id, counted from 0 in the order in which they are first met. */
export class WrittenObjects {
  /** Ids given out. */
  count = 0;
  readonly #few: (object | undefined)[] = new Array<object | undefined>(FEW).fill(undefined);
  #many: Map<object, number> | undefined = undefined;

  /** The id of an object met before. Any other gets the next id, and -1 is returned. */
  enter(object: object): number {
    if (this.#many !== undefined) return this.#enterMany(this.#many, object);
    const few = this.#few;
    const count = this.count;
    for (let id = 0; id < count; id++) if (few[id] === object) return id;
    if (count === FEW) return this.#enterMany(this.#spill(), object);
    few[count] = object;
    this.count = count + 1;
    return -1;
  }

  /** Takes an id for something that nothing can refer back to. */
  skip(): void {
    this.enter({});
  }

  /** Takes back the newest id, which `object` got. */
  leave(object: object): void {
    this.count--;
    if (this.#many !== undefined) this.#many.delete(object);
    else this.#few[this.count] = undefined;
  }

  /** Takes back every id from `count` on. */
  rollback(count: number): void {
    if (this.#many !== undefined) {
      for (const [object, id] of this.#many) if (id >= count) this.#many.delete(object);
    } else {
      this.#few.fill(undefined, count, this.count);
    }
    this.count = count;
  }

  /** Forgets everything, so that the objects can be collected. */
  clear(): void {
    const used = this.#many === undefined ? this.count : FEW;
    const few = this.#few;
    for (let id = 0; id < used; id++) few[id] = undefined;
    this.#many = undefined;
    this.count = 0;
  }

  #enterMany(many: Map<object, number>, object: object): number {
    const id = many.get(object);
    if (id !== undefined) return id;
    many.set(object, this.count++);
    return -1;
  }

  #spill(): Map<object, number> {
    const many = new Map<object, number>();
    for (const [id, object] of this.#few.entries()) if (object !== undefined) many.set(object, id);
    this.#many = many;
    return many;
  }
}
