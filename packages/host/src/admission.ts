// Bounds how many invocations run at once. What is admitted without waiting never touches the queue.
import type { Limits } from "@capstan/wire";
import PQueue from "p-queue";

/** Invariant: `#running` never exceeds the limit while anything waits, and calls that wait start in the order they came. */
export class Admission {
  readonly #limits: Limits;
  // One at a time: the head of the queue waits for a free place, the others for the head.
  readonly #queue = new PQueue({ concurrency: 1 });
  #running = 0;
  /** Set when the host stops: calls from outside are refused, those of invocations that still run are not. */
  isClosed = false;
  #wake: (() => void) | undefined;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Calls that wait for a place. */
  get waiting(): number {
    return this.#queue.size + this.#queue.pending;
  }

  /** Takes a place where one is free and nobody waits for it. Whoever got one calls `leave` once. */
  tryEnter(): boolean {
    if (this.#running >= this.#limits.maxConcurrentInvocations || this.waiting > 0) return false;
    this.#running++;
    return true;
  }

  /** Runs `start` when a place is free; the place is taken then, and left with `leave`. False: too many wait already. */
  wait(start: () => void): boolean {
    if (this.waiting >= this.#limits.maxWaitingInvocations) return false;
    void this.#queue.add(async () => {
      if (this.#running >= this.#limits.maxConcurrentInvocations) {
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
      }
      this.#running++;
      start();
    });
    return true;
  }

  /** Takes a place, now or later. False: too many wait already. */
  async enter(): Promise<boolean> {
    if (this.tryEnter()) return true;
    return await new Promise((resolve) => {
      if (!this.wait(() => resolve(true))) resolve(false);
    });
  }

  /** An invocation that had a place has been answered. */
  leave(): void {
    this.#running--;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
