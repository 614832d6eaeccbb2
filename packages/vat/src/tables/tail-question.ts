// A call of ours whose results stay with the peer, because they answer a call of its own: a tail call.
import { BrokenCapability } from "../capabilities/broken.ts";
import type { Capability } from "../capabilities/capability.ts";
import { PipelinedCapability } from "../capabilities/pipelined.ts";
import { DISCARD } from "../capabilities/promise.ts";
import type { RemotePeer } from "../capabilities/remote-peer.ts";
import type { RpcError } from "../errors.ts";
import type { ReceivedPayload } from "../payload.ts";
import { Question } from "./question.ts";
import { capabilityAt, sameTransform } from "./result-pipelines.ts";

/**
 * States: held (the answer that it stands for is open, or something is pipelined on it) → finished (Finish is out; the
 * id is free once the Return is here too).
 *
 * No results ever come that what is pipelined on it could resolve to, so calls go through the question for as long as
 * anybody holds such a capability: Finish waits for the last one. Invariant: each of `#pipelined` is held by somebody.
 */
export class TailQuestion extends Question {
  override readonly isTail = true;
  readonly #pipelined: TailPipelined[] = [];
  #isAnswerOpen = true;
  #isFinished = false;

  constructor(peer: RemotePeer) {
    super(peer, DISCARD);
  }

  override pipeline(transform: readonly number[]): Capability {
    const known = this.#pipelined.find((cap) => sameTransform(cap.transform, transform));
    if (known !== undefined) return known.addRef();
    const cap = new TailPipelined(this.peer, this, transform);
    this.#pipelined.push(cap);
    return cap;
  }

  /** The answer that this stands for is done. */
  override cancel(): void {
    this.#isAnswerOpen = false;
    this.#finishIfUnused();
  }

  /** Nobody holds `cap` any more. */
  drop(cap: TailPipelined): void {
    const index = this.#pipelined.indexOf(cap);
    if (index >= 0) this.#pipelined.splice(index, 1);
    this.#finishIfUnused();
  }

  /** The peer sent results all the same. */
  override settleResults(results: ReceivedPayload, needsFinish = false): void {
    this.#isFinished = true;
    for (const cap of this.#pipelined.splice(0)) cap.resolve(capabilityAt(results, cap.transform));
    super.settleResults(results, needsFinish);
  }

  override settleException(error: RpcError, needsFinish = false): void {
    this.#isFinished = true;
    for (const cap of this.#pipelined.splice(0)) cap.resolve(new BrokenCapability(error));
    super.settleException(error, needsFinish);
  }

  #finishIfUnused(): void {
    if (this.#isFinished || this.#isAnswerOpen || this.#pipelined.length > 0) return;
    this.#isFinished = true;
    this.abandon();
  }
}

/** Addresses the question for as long as it is held. */
class TailPipelined extends PipelinedCapability {
  readonly #question: TailQuestion;

  constructor(peer: RemotePeer, question: TailQuestion, transform: readonly number[]) {
    super(peer, question.id, transform);
    this.#question = question;
  }

  protected override dispose(): void {
    super.dispose();
    this.#question.drop(this);
  }
}
