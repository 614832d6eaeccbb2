// Capabilities of ours (or that pass through us) which the peer holds.
import { type CapDescriptor, CapKind, type ExportId, type Limits } from "@capstan/wire";
import type { Capability } from "../capabilities/capability.ts";
import { ProtocolError, RpcError } from "../errors.ts";
import { LocalTable } from "./local-table.ts";

const NO_TRANSFORM: readonly number[] = Object.freeze([]);

/**
 * One entry. States: held (count ≥ 1) → released (count 0, out of the table).
 * Invariant: `references` is what the peer was sent less what it gave back; the entry owns one reference of `cap`.
 */
export interface Export {
  cap: Capability;
  references: number;
  /** Stops waiting for a promise to resolve. */
  stopWaiting: (() => void) | undefined;
}

/** The export table: one id for one capability, however often it is sent. */
export class Exports {
  readonly #table = new LocalTable<ExportId, Export>();
  readonly #ids = new Map<Capability, ExportId>();
  readonly #limits: Limits;
  readonly #pin: (cap: Capability) => Capability;
  readonly #sendResolve: (id: ExportId, cap: Capability) => void;

  /**
   * @param pin what calls on a promise are to go to, now that it resolved to `cap`: a reference for the caller.
   * @param sendResolve told when an exported promise resolves, to send Resolve; `cap` is borrowed.
   */
  constructor(
    limits: Limits,
    pin: (cap: Capability) => Capability,
    sendResolve: (id: ExportId, cap: Capability) => void,
  ) {
    this.#limits = limits;
    this.#pin = pin;
    this.#sendResolve = sendResolve;
  }

  get size(): number {
    return this.#table.size;
  }

  get(id: ExportId): Capability | undefined {
    return this.#table.get(id)?.cap;
  }

  /** Counts one more reference to `cap`, which is as resolved as it gets. Borrows it. */
  add(cap: Capability): CapDescriptor {
    const kind = cap.isPromise ? CapKind.senderPromise : CapKind.senderHosted;
    const known = this.#ids.get(cap);
    const entry = known === undefined ? undefined : this.#table.get(known);
    if (known !== undefined && entry !== undefined) {
      entry.references++;
      return { kind, id: known, transform: NO_TRANSFORM };
    }
    if (this.#table.size >= this.#limits.maxExports) {
      throw RpcError.overloaded(
        `The link holds ${this.#limits.maxExports} exported capabilities; no more can be sent.`,
      );
    }
    const fresh: Export = { cap: cap.addRef(), references: 1, stopWaiting: undefined };
    const id = this.#table.allocate(fresh);
    this.#ids.set(cap, id);
    if (kind === CapKind.senderPromise) {
      fresh.stopWaiting = cap.whenResolved(() => this.#handleResolved(id, fresh));
    }
    return { kind, id, transform: NO_TRANSFORM };
  }

  /** The peer gives back `count` references. */
  release(id: ExportId, count: number): void {
    const entry = this.#table.get(id);
    if (entry === undefined) throw new ProtocolError(`Release of export ${id}, which does not exist.`);
    if (count > entry.references) {
      throw new ProtocolError(`Release of ${count} references to export ${id}, which has ${entry.references}.`);
    }
    entry.references -= count;
    if (entry.references > 0) return;
    this.#table.take(id);
    if (this.#ids.get(entry.cap) === id) this.#ids.delete(entry.cap);
    entry.stopWaiting?.();
    entry.cap.release();
  }

  /** Removes everything and returns the references. */
  drain(): Capability[] {
    this.#ids.clear();
    return this.#table.drain().map((entry) => {
      entry.stopWaiting?.();
      return entry.cap;
    });
  }

  #handleResolved(id: ExportId, entry: Export): void {
    entry.stopWaiting = undefined;
    const promise = entry.cap;
    if (this.#ids.get(promise) === id) this.#ids.delete(promise);
    entry.cap = this.#pin(promise.resolved);
    promise.release();
    this.#sendResolve(id, entry.cap);
  }
}
