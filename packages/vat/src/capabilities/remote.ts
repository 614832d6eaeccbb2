// hot path (bench: npm run bench). What imports and pipelined capabilities share: a remote target that may resolve.
import type { TargetKind } from "@capstan/wire";
import { RpcError } from "../errors.ts";
import { forwardEncoder, type PayloadEncoder } from "../payload.ts";
import { BrokenCapability } from "./broken.ts";
import { Capability, type IncomingCall, NOTHING, type PendingCall, type ReturnSink } from "./capability.ts";
import type { RemotePeer } from "./remote-peer.ts";
import { ResolutionListeners } from "./resolution-listeners.ts";

/** What is pinned to a remote capability. */
interface Pinned {
  /** The way ends here: it is broken. */
  cut(reason: RpcError): void;
}

/** What few capabilities have. Clients hold very many others. */
export class Attached {
  listeners: ResolutionListeners | undefined = undefined;
  /** What is pinned to a capability, as long as anybody holds it. */
  pinned: Set<Pinned> | undefined = undefined;
  /** How many of those want it to stay addressable. */
  pins = 0;
}

/**
 * A capability reached through the peer of one connection.
 *
 * States: remote (calls go to the peer) → resolved (calls go to the resolution, which this owns a reference of).
 * Only promises and pipelined capabilities ever resolve.
 */
export abstract class RemoteCapability extends Capability {
  readonly peer: RemotePeer;
  protected resolution: Capability | undefined = undefined;
  /** True once a call went out on this reference: the order of later ones is then owed (E-order). */
  protected called = false;
  protected attached: Attached | undefined = undefined;

  constructor(peer: RemotePeer) {
    super();
    this.peer = peer;
  }

  /** How a message addresses it while it is remote. */
  abstract readonly targetKind: TargetKind;
  abstract readonly targetId: number;
  abstract readonly transform: readonly number[];
  /** The same target as it is now, whatever it resolves to later: see StrictCapability. The reference belongs to the caller. */
  abstract pin(): RemoteCapability;

  call<T>(
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    encoder: PayloadEncoder<T>,
    content: T,
    sink: ReturnSink,
  ): PendingCall {
    if (this.resolution !== undefined) {
      return this.resolved.call(interfaceHigh, interfaceLow, methodId, encoder, content, sink);
    }
    this.called = true;
    return this.peer.sendCall(
      this.targetKind,
      this.targetId,
      this.transform,
      interfaceHigh,
      interfaceLow,
      methodId,
      encoder,
      content,
      sink,
    );
  }

  deliver(call: IncomingCall): void {
    if (this.resolution !== undefined) this.resolved.deliver(call);
    else {
      try {
        this.tailCall(call, call.interfaceHigh, call.interfaceLow, call.methodId, forwardEncoder, call.params);
      } catch (error) {
        // The params are not what they must be.
        call.returnException(RpcError.from(error));
      }
    }
  }

  override tailCall<T>(
    call: IncomingCall,
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    encoder: PayloadEncoder<T>,
    content: T,
  ): void {
    if (this.resolution !== undefined) {
      this.resolved.tailCall(call, interfaceHigh, interfaceLow, methodId, encoder, content);
    } else if (this.peer.canTailCall(call)) {
      this.called = true;
      this.peer.sendTailCall(
        call,
        this.targetKind,
        this.targetId,
        this.transform,
        interfaceHigh,
        interfaceLow,
        methodId,
        encoder,
        content,
      );
    } else super.tailCall(call, interfaceHigh, interfaceLow, methodId, encoder, content);
  }

  protected override get next(): Capability | undefined {
    return this.resolution;
  }

  protected override shorten(further: Capability): void {
    const { resolution } = this;
    this.resolution = further;
    resolution?.release();
  }

  override whenResolved(listener: () => void): () => void {
    if (this.resolution !== undefined) return this.resolved.whenResolved(listener);
    if (!this.isPromise) return NOTHING;
    this.attached ??= new Attached();
    this.attached.listeners ??= new ResolutionListeners();
    return this.attached.listeners.add(listener);
  }

  override get brokenReason(): RpcError | undefined {
    return this.resolution === undefined ? this.peer.closedReason : this.resolved.brokenReason;
  }

  override whenBroken(listener: (error: RpcError) => void): () => void {
    if (this.resolution !== undefined) return this.resolved.whenBroken(listener);
    let off = this.peer.whenClosed((error) => {
      offResolved();
      listener(error);
    });
    const offResolved = this.whenResolved(() => {
      off();
      off = this.resolved.whenBroken(listener);
    });
    return () => {
      offResolved();
      off();
    };
  }

  /** What is pinned to this keeps it no longer: in a circle it would keep itself. */
  protected abstract unpin(): void;

  /** Something is pinned to this, or not any more. */
  handlePinned(pinned: Pinned, isHeld: boolean): void {
    this.attached ??= new Attached();
    this.attached.pinned ??= new Set();
    if (isHeld) this.attached.pinned.add(pinned);
    else this.attached.pinned.delete(pinned);
  }

  /**
   * The peer said what this is. Takes over the reference to `target`.
   *
   * @param passesUs whether calls that are on their way come by here once more, on their way back from the peer.
   */
  protected settle(target: Capability, passesUs = false): void {
    const reason = this.whyNot(target);
    if (reason !== undefined) {
      target.release();
      // Nothing addresses this from now on: the peer may have taken its id for something else.
      for (const pinned of this.attached?.pinned ?? []) pinned.cut(reason);
      this.unpin();
      this.settle(new BrokenCapability(reason));
      return;
    }
    // Whoever gets there over the same connection overtakes nothing; everybody else must wait for the calls in flight.
    const direct = !this.called || target.brokenReason !== undefined || (!passesUs && this.peer.reaches(target));
    this.resolution = direct ? target : this.peer.embargo(this.targetKind, this.targetId, this.transform, target);
    // A promise that led to another one of the peer's: the calls in flight have to be waited for once that one resolves.
    const end = target.resolved;
    if (this.called && end instanceof RemoteCapability) end.called = true;
    const listeners = this.attached?.listeners;
    if (this.attached !== undefined) this.attached.listeners = undefined;
    listeners?.run();
  }
}
