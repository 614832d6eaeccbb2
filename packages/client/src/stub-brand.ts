// How the package knows its own stubs: they answer to a symbol that nobody else has.
import type { Capability } from "@capstan/vat";

export const CORE: unique symbol = Symbol("capstan.stub");

/** What stands behind a stub, a promise or a property. */
export interface StubCore {
  /** A new reference to what this stands for. Throws where it was disposed of. */
  capability(): Capability;
  dispose(): void;
}

/** The core behind `object`, or undefined for anything that is not ours. */
export function coreOf(object: object): StubCore | undefined {
  return (object as { [CORE]?: StubCore })[CORE];
}

export function isStub(object: object): boolean {
  return coreOf(object) !== undefined;
}
