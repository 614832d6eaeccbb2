// A way through the peer that is not shortened any more.
import type { TargetKind } from "@capstan/wire";
import type { RpcError } from "../errors.ts";
import { BrokenCapability } from "./broken.ts";
import type { Capability } from "./capability.ts";
import { RemoteCapability } from "./remote.ts";
import type { RemotePeer } from "./remote-peer.ts";

/**
 * What an export, or an answer, of ours leads to once we told the peer that it leads to something of the peer's. From
 * then on calls on it go exactly there, even where that resolves further: the peer may wait for them to come by, with a
 * Disembargo (rpc.capnp calls what would happen otherwise the Tribble 4-way race). Keeps its target addressable. Never
 * resolves, but breaks where it turns out to be part of a circle.
 */
export class StrictCapability extends RemoteCapability {
  readonly targetKind: TargetKind;
  readonly transform: readonly number[];
  readonly #target: RemoteCapability;
  readonly #unpin: () => void;

  /** Takes over the reference to `target`. @param unpin told when the last reference is gone. */
  constructor(peer: RemotePeer, target: RemoteCapability, unpin: () => void) {
    super(peer);
    this.#target = target;
    this.#unpin = unpin;
    this.targetKind = target.targetKind;
    this.transform = target.transform;
    target.handlePinned(this, true);
  }

  cut(reason: RpcError): void {
    this.settle(new BrokenCapability(reason));
  }

  get targetId(): number {
    return this.#target.targetId;
  }

  protected override get behind(): Capability {
    return this.#target;
  }

  pin(): RemoteCapability {
    return this.addRef();
  }

  protected unpin(): void {}

  protected dispose(): void {
    this.#target.handlePinned(this, false);
    this.#unpin();
    this.resolution?.release();
    this.#target.release();
  }
}
