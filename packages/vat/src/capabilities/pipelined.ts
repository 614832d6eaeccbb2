// A capability that will be in the results of a call which the peer has not answered yet.
import { type QuestionId, TargetKind } from "@capstan/wire";
import type { Capability } from "./capability.ts";
import { RemoteCapability } from "./remote.ts";
import type { RemotePeer } from "./remote-peer.ts";

/** Resolves when its question is answered. Holds nothing of the peer's by itself. */
export class PipelinedCapability extends RemoteCapability {
  readonly questionId: QuestionId;
  readonly targetKind = TargetKind.promisedAnswer;
  readonly transform: readonly number[];

  constructor(peer: RemotePeer, questionId: QuestionId, transform: readonly number[]) {
    super(peer);
    this.questionId = questionId;
    this.transform = transform;
  }

  get targetId(): number {
    return this.questionId;
  }

  override get isPromise(): boolean {
    return this.resolution === undefined || this.resolved.isPromise;
  }

  /** The question was answered. Takes over the reference to `target`. */
  resolve(target: Capability): void {
    this.settle(target);
  }

  protected dispose(): void {
    this.resolution?.release();
  }
}
