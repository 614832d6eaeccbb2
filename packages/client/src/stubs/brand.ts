// How the package knows its own stubs: they answer to a symbol that nobody else has.
import type { Capability } from "@capstan/vat";
import type { Realm } from "../values/realm.ts";

export const CORE: unique symbol = Symbol("capstan.stub");

/** What stands behind a stub, a promise or a property. */
export interface StubCore {
  /** What its calls are part of. */
  readonly realm: Realm;
  /** A new reference to what this stands for. Throws where it was disposed of. */
  capability(): Capability;
  /**
   * What goes into a message for a promise or a property; stubs have none and go as their capability. Throws where it was
   * disposed of.
   *
   * @param lends the sender keeps the promise; else the message takes it over.
   */
  send?(lends: boolean): SentPromise;
  /** Whether sending it makes a call: that waits until all of the message is written, since then it can be sent. */
  readonly isUnread?: boolean;
  dispose(): void;
  /** Whether it is a service: what receives it gets a binding. */
  readonly isService?: boolean;
}

/** A promise on its way into a message. */
export interface SentPromise {
  readonly promise: Promise<unknown>;
  /** Where its outcome is, for calls; a reference that belongs to the receiver of this. */
  readonly pipeline: Capability | undefined;
  /** Lets go of the promise, where the message took it over. */
  readonly release: (() => void) | undefined;
}

/** The core behind `object`, or undefined for anything that is not ours. */
export function coreOf(object: object): StubCore | undefined {
  return (object as { [CORE]?: StubCore })[CORE];
}

export function isStub(object: object): boolean {
  return coreOf(object) !== undefined;
}
