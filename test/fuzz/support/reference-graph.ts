// The model: what each reference leads to. Knows nothing of messages.

/** An object of an honest vat, as the model sees it. */
export interface GraphObject {
  readonly name: string;
  /** How often its vat was told that the last reference is gone. */
  released: number;
}

/** What a reference stands for. States: open (nothing is known yet) → leads on to another place, or is broken. */
export class Place {
  /** The object that it is, where it is one. */
  readonly object: GraphObject | undefined;
  /** A hostile vat may have made of it what it likes: nothing is known of it, ever. */
  isTainted: boolean;
  isBroken = false;
  /** Where the call goes whose result it is: its outcome waits for that, as long as it is open. */
  readonly via: Place | undefined;
  #next: Place | undefined;

  constructor({ object, isTainted = false, via }: Partial<Pick<Place, "object" | "isTainted" | "via">> = {}) {
    this.object = object;
    this.isTainted = isTainted;
    this.via = via;
  }

  /** The end of the way, as far as it is known. */
  get end(): Place {
    let end: Place = this;
    while (end.#next !== undefined) end = end.#next;
    return end;
  }

  get isOpen(): boolean {
    const { object, isBroken, isTainted } = this.end;
    return object === undefined && !isBroken && !isTainted;
  }

  /** Whether `place` would lead here: what then waits for it would wait for itself. */
  waitsFor(place: Place): boolean {
    for (let at: Place | undefined = this.end; at !== undefined; at = at.isOpen ? at.via?.end : undefined) {
      if (at === place.end) return true;
    }
    return false;
  }

  /** It turned out to be what `other` is. Throws for a circle. */
  become(other: Place): void {
    if (other.waitsFor(this)) throw new Error("A reference cannot lead to itself.");
    this.end.#next = other;
  }
}

/** Calls on one reference arrive in the order in which they were made, or not at all. */
export class Order {
  readonly #last = new Map<number, number>();

  /** Call number `index` on reference `reference` arrived. Returns what is wrong with that. */
  arrive(reference: number, index: number): string | undefined {
    const last = this.#last.get(reference) ?? -1;
    if (index <= last) return `Call ${index} on reference ${reference} arrived after call ${last}.`;
    this.#last.set(reference, index);
    return undefined;
  }
}
