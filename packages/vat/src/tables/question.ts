// hot path (bench: npm run bench). A call that we made and the peer has not answered.
import type { ExportId, QuestionId } from "@capstan/wire";
import { BrokenCapability } from "../capabilities/broken.ts";
import type { Capability, PendingCall, ReturnSink } from "../capabilities/capability.ts";
import { PipelinedCapability } from "../capabilities/pipelined.ts";
import { Places } from "../capabilities/places.ts";
import type { RemotePeer } from "../capabilities/remote-peer.ts";
import { capabilityAt } from "../capabilities/transform.ts";
import { RpcError } from "../errors.ts";
import type { ReceivedPayload } from "../payload.ts";

const NO_EXPORTS: readonly ExportId[] = Object.freeze([]);
const TOLD = RpcError.failed("The results of the call were handed over.");

/**
 * States:
 *   sent        the Call is out; capabilities may be pipelined on it
 *   abandoned   Finish is out before the Return came; whatever still arrives is dropped
 *   taking      the Return said that its outcome is that of a call of the peer's to us, which has none yet
 *   settled     the outcome came (or the connection ended); the id is free
 * Events: Return (sent → settled or taking, abandoned → settled), outcome (taking → settled), shutdown (any → settled);
 * cancel, once nothing that is pipelined on it is held any more (sent → abandoned, taking → settled).
 * Invariant: in the table exactly while not settled, or pinned, whether the peer wants a Finish or not: calls of its own may
 * still go on to this id. After settling every pipelined capability is resolved.
 *
 * A tail call has no results to resolve to: what is pipelined on it goes through the question for as long as it is held.
 * It is cancelled when the answer that it stands for is done, whether it was answered or not.
 */
export class Question implements PendingCall {
  id = 0 as QuestionId;
  /** References that the params handed to the peer, which a Return may give back for us (`releaseParamCaps`). */
  paramExports: readonly ExportId[] = NO_EXPORTS;
  /** True once a Return came; another one breaks the rules. */
  returned = false;
  /** True for a tail call: it answers a call of the peer's, which keeps the results. */
  readonly isTail: boolean;
  /** Told when the call is given up while its outcome is to be that of another call. */
  onUntaken: (() => void) | undefined = undefined;
  readonly #peer: RemotePeer;
  #sink: ReturnSink | undefined;
  /** Each is held by somebody else. */
  #pipelined: Places<PipelinedCapability> | undefined = undefined;
  /** True once the call was cancelled. */
  #isUnwanted = false;
  #abandoned = false;
  #pins = 0;
  /** Settled, but for the last pin. */
  #isEndDue = false;
  #needsFinish = false;
  /** Set once settled, until the sink has been told: late pipelines resolve against it. */
  #outcome: ReceivedPayload | RpcError | undefined = undefined;

  constructor(peer: RemotePeer, sink: ReturnSink, isTail = false) {
    this.#peer = peer;
    this.#sink = sink;
    this.isTail = isTail;
  }

  get abandoned(): boolean {
    return this.#abandoned;
  }

  pipeline(transform: readonly number[]): Capability {
    const outcome = this.#outcome;
    if (outcome instanceof RpcError) return new BrokenCapability(outcome);
    if (outcome !== undefined) return capabilityAt(outcome, transform);
    if (this.#abandoned) return new BrokenCapability(RpcError.failed("The call was cancelled."));
    // One for each place, so that calls made through it keep their order across its resolution.
    const known = this.#pipelined?.get(transform);
    if (known !== undefined) return known.addRef();
    const cap = new PipelinedCapability(this.#peer, this, transform);
    (this.#pipelined ??= new Places()).add(cap);
    return cap;
  }

  cancel(): void {
    this.#sink = undefined;
    this.#isUnwanted = true;
    this.#abandonIfUnused();
  }

  /** Nobody holds `cap` any more. */
  drop(cap: PipelinedCapability): void {
    if (this.#pipelined?.delete(cap) === true) this.#abandonIfUnused();
  }

  /** Calls of the peer's still go on to what is pipelined on it. */
  pin(): void {
    this.#pins++;
  }

  unpin(): void {
    this.#pins--;
    if (this.#pins === 0 && this.#isEndDue) this.#end(this.#needsFinish);
  }

  /** The peer may forget the call, and the id be taken again: both wait until nothing is pinned. */
  #end(needsFinish: boolean): void {
    if (this.#pins > 0) {
      this.#isEndDue = true;
      this.#needsFinish = needsFinish;
      return;
    }
    if (needsFinish) this.#peer.finishQuestion(this.id, false);
    this.#peer.forgetQuestion(this.id);
  }

  /** Ends the question once nobody wants its outcome, and nothing is pipelined on it that needs its results. */
  #abandonIfUnused(): void {
    if (!this.#isUnwanted || this.#abandoned || this.#outcome !== undefined) return;
    if (this.#pipelined !== undefined && this.#pipelined.size > 0) return;
    this.#abandoned = true;
    this.#peer.finishQuestion(this.id, true);
    if (this.returned) this.#peer.forgetQuestion(this.id);
    this.onUntaken?.();
  }

  /**
   * The peer answered. Takes over the results. Finish goes out before the sink is told, because the sink may make a call
   * that takes the id again.
   *
   * @param isTaken whether they are those of a call of the peer's to us.
   */
  settleResults(results: ReceivedPayload, needsFinish = false, isTaken = false): void {
    this.#outcome = results;
    this.#resolvePipelined((cap) => capabilityAt(results, cap.transform), isTaken);
    this.#end(needsFinish);
    const sink = this.#sink;
    this.#sink = undefined;
    if (sink === undefined) results.release();
    else sink.handleResults(results);
    // What was pipelined on the call may be held for long, and holds the question: not the results' message.
    this.#outcome = TOLD;
  }

  /** The call failed, here or there. */
  settleException(error: RpcError, needsFinish = false): void {
    this.#outcome = error;
    this.#resolvePipelined(() => new BrokenCapability(error), false);
    this.#end(needsFinish);
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.handleException(error);
  }

  #resolvePipelined(target: (cap: PipelinedCapability) => Capability, isTaken: boolean): void {
    const pipelined = this.#pipelined;
    if (pipelined === undefined) return;
    this.#pipelined = undefined;
    for (const cap of pipelined.values()) cap.resolve(target(cap), isTaken);
  }
}
