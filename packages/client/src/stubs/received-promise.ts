// A promise that came in a value: its outcome is at the sender, and calls on it go to where the outcome is.
import type { Capability } from "@capstan/vat";
import type { Realm } from "../values/realm.ts";
import type { SentPromise } from "./brand.ts";
import { CallPromise, type PromiseBase } from "./call-promise.ts";

/** States: held → disposed (both references are given back, and what its value held). */
export class ReceivedPromise implements PromiseBase {
  readonly realm: Realm;
  #value: Capability | undefined;
  readonly #pipeline: Capability | undefined;
  #read: CallPromise | undefined;

  /**
   * Takes over both references.
   *
   * @param value a target of the sender's: reading it waits for the outcome.
   * @param pipeline where the outcome is, so that calls need not pass through the sender. Undefined: the sender knows
   * none, or the outcome is no object.
   */
  constructor(realm: Realm, value: Capability, pipeline: Capability | undefined) {
    this.realm = realm;
    this.#value = value;
    this.#pipeline = pipeline;
    realm.handleHeld?.(this, true);
  }

  /** An independent handle. */
  dup(): ReceivedPromise {
    return new ReceivedPromise(this.realm, this.#held().addRef(), this.#pipeline?.addRef());
  }

  promise(): Promise<unknown> {
    try {
      const value = this.#held();
      this.#read ??= new CallPromise({ realm: this.realm, target: () => value }, [], undefined);
      return this.#read.promise();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  target(): Capability {
    const value = this.#held();
    return this.#pipeline ?? value;
  }

  capability(): Capability {
    return this.target().addRef();
  }

  get isUnread(): boolean {
    return this.#value !== undefined;
  }

  send(lends: boolean): SentPromise {
    this.#held();
    const release = lends ? undefined : () => this.dispose();
    return { promise: this.promise(), pipeline: this.#pipeline?.addRef(), release };
  }

  dispose(): void {
    const value = this.#value;
    if (value === undefined) return;
    this.#value = undefined;
    this.realm.handleHeld?.(this, false);
    this.#read?.dispose();
    value.release();
    this.#pipeline?.release();
  }

  #held(): Capability {
    if (this.#value === undefined) throw new Error("RPC promise used after being disposed.");
    return this.#value;
  }
}
