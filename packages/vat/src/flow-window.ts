// How much of a stream of calls may be on its way unanswered.

/** Says how many bytes may be unanswered. Implementations: `fixedWindow`, `AdaptiveWindow`. */
export interface WindowSize {
  readonly bytes: number;
  /** `size` bytes went out at `now` (ms); returns what `answered` is told of them. */
  sent(now: number): unknown;
  /** They were answered. */
  answered(size: number, mark: unknown, now: number): void;
}

/** The same window for the whole life of a stream. */
export function fixedWindow(bytes: number): WindowSize {
  return { bytes, sent: () => undefined, answered: () => {} };
}

/** What was known when a call went out. */
interface Mark {
  readonly at: number;
  readonly delivered: number;
}

/** Rates of so many of the last answers count. */
const RATES = 16;

/**
 * A window that grows with what the way to the peer holds: twice the rate at which bytes were answered lately times the
 * shortest time that an answer took, so that a short way needs little memory and a long fat one is filled.
 */
export class AdaptiveWindow implements WindowSize {
  bytes: number;
  readonly #min: number;
  readonly #max: number;
  readonly #rates: number[] = [];
  #delivered = 0;
  #shortest = Number.POSITIVE_INFINITY;

  /** @param min what it starts with and never goes below. @param max what it never goes over. Both in bytes. */
  constructor(min = 64 * 1024, max = 16 * 1024 * 1024) {
    this.bytes = min;
    this.#min = min;
    this.#max = max;
  }

  sent(now: number): Mark {
    return { at: now, delivered: this.#delivered };
  }

  answered(size: number, mark: unknown, now: number): void {
    const { at, delivered } = mark as Mark;
    this.#delivered += size;
    const took = Math.max(now - at, 0.01);
    this.#shortest = Math.min(this.#shortest, took);
    this.#rates.push((this.#delivered - delivered) / took);
    if (this.#rates.length > RATES) this.#rates.shift();
    const holds = Math.max(...this.#rates) * this.#shortest;
    this.bytes = Math.round(Math.min(this.#max, Math.max(this.#min, 2 * holds)));
  }
}

/**
 * Counts what is unanswered. States: room → full (senders wait, in order) → room …; failed at any time, with why.
 * Invariant: nobody waits while there is room.
 */
export class FlowWindow {
  readonly #size: WindowSize;
  #unanswered = 0;
  #waiting: { resolve(): void; reject(reason: unknown): void }[] = [];
  #failure: { readonly reason: unknown } | undefined;

  constructor(size: WindowSize) {
    this.#size = size;
  }

  get unanswered(): number {
    return this.#unanswered;
  }

  /** Bytes that may be unanswered now. */
  get windowBytes(): number {
    return this.#size.bytes;
  }

  /** `bytes` went out. Returns what is to be called once they are answered. */
  send(bytes: number): () => void {
    this.#unanswered += bytes;
    const mark = this.#size.sent(performance.now());
    return () => {
      this.#unanswered -= bytes;
      this.#size.answered(bytes, mark, performance.now());
      this.#wake();
    };
  }

  /** Resolves when there is room for more; undefined where there is now. Rejects with the reason of `fail`. */
  whenRoom(): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.reason);
    if (this.#unanswered < this.#size.bytes) return undefined;
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Nothing more will be taken: whoever waits is told, now and later. Only the first reason counts. */
  fail(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { reason };
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  #wake(): void {
    if (this.#unanswered < this.#size.bytes) for (const { resolve } of this.#waiting.splice(0)) resolve();
  }
}
