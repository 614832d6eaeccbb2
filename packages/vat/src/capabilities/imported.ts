// A capability that the peer hosts (or promised) and named by an export id of its own.
import { type ImportId, TargetKind } from "@capstan/wire";
import type { Capability } from "./capability.ts";
import { Attached, RemoteCapability } from "./remote.ts";
import type { RemotePeer } from "./remote-peer.ts";
import { StrictCapability } from "./strict.ts";

const NO_TRANSFORM: readonly number[] = Object.freeze([]);

/**
 * One entry of the import table.
 *
 * States: held (in the table; `received` counts how often the peer sent it) → released (Release sent for all of them,
 * out of the table). A promise is released as soon as it resolves and nothing is pinned to it; the handle then only leads
 * to the resolution.
 */
export class ImportedCapability extends RemoteCapability {
  readonly importId: ImportId;
  #received = 1;
  #promise: boolean;

  constructor(peer: RemotePeer, importId: ImportId, isPromise: boolean) {
    super(peer);
    this.importId = importId;
    this.#promise = isPromise;
  }

  get targetKind(): TargetKind {
    return TargetKind.importedCap;
  }

  get transform(): readonly number[] {
    return NO_TRANSFORM;
  }

  get targetId(): number {
    return this.importId;
  }

  override get isPromise(): boolean {
    return this.resolution === undefined ? this.#promise : this.resolved.isPromise;
  }

  /** Whether a Resolve is still to come. */
  get isUnresolved(): boolean {
    return this.#promise;
  }

  /** The peer named it once more. Returns a new reference. */
  receiveAgain(): this {
    this.#received++;
    return this.addRef();
  }

  /** A Resolve arrived. Takes over the reference to `target`. */
  resolve(target: Capability): void {
    this.settle(target);
    this.#promise = false;
    if (this.attached === undefined || this.attached.pins === 0) this.peer.releaseImport(this.importId, this.#received);
  }

  pin(): StrictCapability {
    this.attached ??= new Attached();
    const { attached } = this;
    attached.pins++;
    return new StrictCapability(this.peer, this.addRef(), () => {
      if (attached.pins > 0 && --attached.pins === 0 && this.resolution !== undefined) {
        this.peer.releaseImport(this.importId, this.#received);
      }
    });
  }

  protected unpin(): void {
    if (this.attached !== undefined) this.attached.pins = 0;
  }

  protected dispose(): void {
    if (this.resolution !== undefined) this.resolution.release();
    else this.peer.releaseImport(this.importId, this.#received);
  }
}
