// A capability that will be in the results of a call which the peer has not answered yet.
import { TargetKind } from "@capstan/wire";
import type { Capability } from "./capability.ts";
import { Attached, RemoteCapability } from "./remote.ts";
import type { RemotePeer } from "./remote-peer.ts";
import { StrictCapability } from "./strict.ts";

/** What it needs of the question that it is pipelined on. */
export interface PipelinedQuestion {
  readonly id: number;
  /** Nobody holds `cap` any more. */
  drop(cap: PipelinedCapability): void;
  /** It must stay addressable after it was answered, until `unpin` was called as often. */
  pin(): void;
  unpin(): void;
}

/** Resolves when its question is answered. Holds nothing of the peer's by itself; the question does not hold it. */
export class PipelinedCapability extends RemoteCapability {
  readonly #question: PipelinedQuestion;
  readonly targetKind = TargetKind.promisedAnswer;
  readonly transform: readonly number[];

  constructor(peer: RemotePeer, question: PipelinedQuestion, transform: readonly number[]) {
    super(peer);
    this.#question = question;
    this.transform = transform;
  }

  get targetId(): number {
    return this.#question.id;
  }

  override get isPromise(): boolean {
    return this.resolution === undefined || this.resolved.isPromise;
  }

  /** The question was answered. Takes over the reference to `target`. @param isTaken whether by an answer of our own. */
  resolve(target: Capability, isTaken: boolean): void {
    this.settle(target, isTaken);
  }

  pin(): StrictCapability {
    this.attached ??= new Attached();
    const { attached } = this;
    attached.pins++;
    this.#question.pin();
    return new StrictCapability(this.peer, this.addRef(), () => {
      if (attached.pins === 0) return;
      attached.pins--;
      this.#question.unpin();
    });
  }

  /** Other places in the same results may be pinned still. */
  protected unpin(): void {
    if (this.attached === undefined) return;
    for (; this.attached.pins > 0; this.attached.pins--) this.#question.unpin();
  }

  protected dispose(): void {
    if (this.resolution !== undefined) this.resolution.release();
    else this.#question.drop(this);
  }
}
