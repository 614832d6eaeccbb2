// hot path (bench: npm run bench). A call that the peer made and we have not done with.
import { type AnswerId, DEFAULT_LIMITS, type ExportId, type Limits } from "@capstan/wire";
import { BrokenCapability } from "../capabilities/broken.ts";
import type { CallOrigin, Capability, IncomingCall, PendingCall } from "../capabilities/capability.ts";
import { ResultPipelines } from "../capabilities/promise.ts";
import { capabilityAt, noCapability } from "../capabilities/transform.ts";
import { ProtocolError, RpcError } from "../errors.ts";
import { emptyPayload, encodeStandalone, type PayloadEncoder, type ReceivedPayload } from "../payload.ts";

/** Params of a call that was answered: its message would else be held until Finish. */
const NO_PARAMS = emptyPayload(DEFAULT_LIMITS);

/** What an answer needs of its connection. */
export interface AnswerPeer extends CallOrigin {
  readonly limits: Limits;
  /** Bytes that count for `maxCallBytesInFlight`: calls that run, and results that stay here. */
  callBytes: number;
  /** Answers out of their table that still run, for what is pipelined on them. */
  readonly orphans: Set<Answer>;
  /**
   * Writes the Return and tells the answer with `handleSent`; with `handleUnsent` where the connection is over. Throws what
   * `encoder` throws, with nothing sent.
   */
  sendResults<T>(answer: Answer, encoder: PayloadEncoder<T>, content: T): void;
  sendException(answer: Answer, error: RpcError): void;
  sendResultsElsewhere(answer: Answer): void;
  sendCancelled(answer: Answer): void;
  /** The call runs no more; its message had `bytes`. */
  handleCallDone(bytes: number): void;
}

/** Takes the outcome of a call whose results stayed here (`sendResultsTo.yourself`). */
export interface OutcomeTaker {
  /** False where nobody waits for the outcome any more. */
  readonly isWaiting: boolean;
  settleResults(results: ReceivedPayload): void;
  settleException(error: RpcError): void;
}

/**
 * States:
 *   running    dispatched, not answered; calls pipelined on it wait
 *   returned   Return is out, the entry stays until Finish so that pipelined calls find their capabilities; those of a
 *              tail call are the peer's own, where `#onward` leads
 *   detached   out of the table before it was answered: Finish came, or the connection ended; the outcome goes nowhere
 *              but to what was pipelined on it, and to a question of ours that takes it
 *   done       out of the table, nothing held
 * Events: returnResults/returnException (running → returned, or → done where no Finish is needed; detached → done),
 * Finish (running → detached, returned → done), shutdown (running → detached, or → done where it is answered meanwhile;
 * returned → done).
 * A call whose results were taken by a question of ours has its Return out while it runs.
 * Invariant: in the table exactly while running or returned; results are held only while returned.
 */
export class Answer implements IncomingCall {
  readonly id: AnswerId;
  readonly interfaceHigh: number;
  readonly interfaceLow: number;
  readonly methodId: number;
  params: ReceivedPayload;
  /** True where the results stay here for a later takeFromOtherQuestion. */
  readonly keepsResults: boolean;
  readonly #peer: AnswerPeer;
  /** Whether the Return may give back what the params hold: where that is nothing. Capabilities go back one by one, when let go. */
  readonly releaseParamCaps: boolean;
  /** Bytes of the message that the call came in, counted as in flight until it is answered. */
  readonly #bytes: number;
  #onCancel: (() => void) | undefined = undefined;
  #isCancelled = false;
  #mustArrive = false;
  /** The call made in place of this one. */
  #onward: PendingCall | undefined = undefined;
  #state: "running" | "returned" | "detached" | "done" = "running";
  #pipelines: ResultPipelines | undefined = undefined;
  #outcome: ReceivedPayload | RpcError | undefined = undefined;
  #taker: OutcomeTaker | undefined = undefined;
  /** True once the peer was told that the results went elsewhere. */
  #isElsewhere = false;
  /** Bytes of results that stay here, counted as in flight until Finish. */
  #heldBytes = 0;
  /** References that the results handed to the peer. */
  #resultExports: readonly ExportId[] = [];

  constructor(
    peer: AnswerPeer,
    id: AnswerId,
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    params: ReceivedPayload,
    keepsResults: boolean,
    bytes: number,
  ) {
    this.#peer = peer;
    this.id = id;
    this.interfaceHigh = interfaceHigh;
    this.interfaceLow = interfaceLow;
    this.methodId = methodId;
    this.params = params;
    this.releaseParamCaps = params.capCount === 0;
    this.keepsResults = keepsResults;
    this.#bytes = bytes;
  }

  /** True until it is answered, or given up. */
  get isRunning(): boolean {
    return this.#state === "running";
  }

  /** How many capabilities its params and results hold. */
  get capCount(): number {
    const outcome = this.#outcome;
    return this.params.capCount + (outcome === undefined || outcome instanceof RpcError ? 0 : outcome.capCount);
  }

  get isPointless(): boolean {
    return this.#isCancelled && !this.#mustArrive;
  }

  get onCancel(): (() => void) | undefined {
    return this.#onCancel;
  }

  set onCancel(listener: (() => void) | undefined) {
    if (this.#isCancelled && this.#state === "detached" && listener !== undefined) queueMicrotask(listener);
    else this.#onCancel = listener;
  }

  get origin(): CallOrigin {
    return this.#peer;
  }

  /** The capability at `transform` of the results, now or once they are there. The reference belongs to the caller. */
  pipeline(transform: readonly number[]): Capability {
    const known = this.#pipelines?.known(transform);
    if (known !== undefined) return known;
    const outcome = this.#outcome;
    if (outcome instanceof RpcError) return new BrokenCapability(outcome);
    if (outcome !== undefined) return capabilityAt(outcome, transform);
    if (this.#state !== "running" && this.#onward === undefined) return noCapability();
    this.#pipelines ??= new ResultPipelines(this.#peer.limits, () => this.#cancelIfUnused(), this.#onward);
    return this.#pipelines.get(transform);
  }

  /** What the peer was told that it returned at `transform`. Borrowed; undefined where that is none, or not yet. */
  told(transform: readonly number[]): Capability | undefined {
    const outcome = this.#outcome;
    return outcome === undefined || outcome instanceof RpcError ? undefined : outcome.follow(transform)?.resolved;
  }

  forwardTo(onward: PendingCall): void {
    if (this.#state === "returned" || this.#state === "done") return;
    this.#onward = onward;
    this.onCancel = () => this.#cancelOnward(onward);
    this.#pipelines?.follow(onward);
  }

  /** What is cancelled tells nobody of its outcome: this is over at once. */
  #cancelOnward(onward: PendingCall): void {
    onward.cancel();
    this.returnException(RpcError.failed("The call was cancelled."));
  }

  /** `onward`, a call to the peer, answers this one: Return is out and says so. It is cancelled when this is finished. */
  handleTailCall(onward: PendingCall): void {
    this.#onward = onward;
    this.#pipelines?.follow(onward);
    this.#leave("returned");
  }

  returnResults<T>(encoder: PayloadEncoder<T>, content: T): void {
    if (this.#state === "running") {
      if (this.keepsResults) this.#keepResults(encodeStandalone(encoder, content, this.#peer.limits, true));
      else this.#peer.sendResults(this, encoder, content);
    } else if (this.#state === "detached") {
      if (this.#pipelines !== undefined || this.#taker !== undefined) {
        const results = encodeStandalone(encoder, content, this.#peer.limits);
        this.#pipelines?.resolve(results);
        this.#leave("done");
        this.#taker?.settleResults(results.share());
        results.release();
      } else this.#leave("done");
    }
  }

  returnException(error: RpcError): void {
    const pipelines = this.#pipelines;
    if (this.#state === "running") {
      this.#leave("returned");
      this.#outcome = error;
      if (this.keepsResults) this.#sendElsewhere();
      else this.#peer.sendException(this, error);
    } else if (this.#state === "detached") this.#leave("done");
    else return;
    pipelines?.reject(error);
    this.#taker?.settleException(error);
  }

  /** The Return is out. `results` is undefined where it holds no capability, and the entry is gone then. */
  handleSent(results: ReceivedPayload | undefined, exports: readonly ExportId[]): void {
    this.#outcome = results;
    this.#resultExports = exports;
    const pipelines = this.#pipelines;
    this.#leave(results === undefined ? "done" : "returned");
    if (pipelines === undefined) return;
    if (results === undefined) pipelines.reject(noCapability().brokenReason);
    else pipelines.resolve(results);
  }

  /** The connection ended before the Return was out: nobody hears of the results, and what is pipelined on them fails. */
  handleUnsent(reason: RpcError): void {
    const pipelines = this.#pipelines;
    this.#leave("done");
    pipelines?.reject(reason);
  }

  /**
   * Finish came: the entry has left the table. Returns the references that a Finish with releaseResultCaps gives back.
   *
   * @param mustArrive whether the caller counts on it that its call reaches the callee all the same.
   */
  handleFinish(mustArrive = false): readonly ExportId[] {
    if (this.#state === "running") {
      this.#mustArrive = mustArrive;
      this.detach();
      if (!this.#isElsewhere) this.#peer.sendCancelled(this);
      return [];
    }
    const outcome = this.#outcome;
    this.#outcome = undefined;
    this.#state = "done";
    this.#peer.callBytes -= this.#heldBytes;
    this.#letOnwardGo();
    if (outcome !== undefined && !(outcome instanceof RpcError)) outcome.release();
    return this.#resultExports;
  }

  /** The entry has left the table. Cancels the call, once nothing waits for its outcome that was pipelined on it. */
  detach(): void {
    if (this.#state === "returned") {
      this.handleFinish();
      return;
    }
    if (this.#state !== "running") return;
    this.#state = "detached";
    // Whoever holds what was pipelined on a call that was passed on keeps that one going.
    if (this.#onward !== undefined) this.#pipelines?.release();
    this.#cancelIfUnused();
    if (!this.#isCancelled) this.#peer.orphans.add(this);
  }

  /**
   * The connection ended. The call is cancelled, and what is pipelined on it fails: a peer could else have it wait for
   * itself, and run for ever.
   */
  abandon(reason: RpcError): void {
    if (this.#state === "running") this.#state = "detached";
    if (this.#state !== "detached") {
      this.detach();
      return;
    }
    const pipelines = this.#pipelines;
    if (this.#onward !== undefined) pipelines?.release();
    else pipelines?.reject(reason);
    this.#cancelIfUnused();
  }

  #cancelIfUnused(): void {
    if (this.#state !== "detached" || this.#isCancelled || this.#pipelines?.isAwaited === true) return;
    if (this.#taker?.isWaiting === true) return;
    const onCancel = this.#onCancel;
    this.#onCancel = undefined;
    this.#isCancelled = true;
    this.#peer.orphans.delete(this);
    onCancel?.();
  }

  /**
   * The peer wants the outcome of this call as the answer to a question of ours (takeFromOtherQuestion). The Return goes
   * out at once, because Cap'n Proto's own implementation finishes no call before that: it would never be cancelled.
   * Throws ProtocolError where the results do not stay here, or were taken before.
   */
  handTo(taker: OutcomeTaker): void {
    if (!this.keepsResults || this.#taker !== undefined) {
      throw new ProtocolError(
        "Return takes its results from a question that does not keep them, or they were taken already.",
      );
    }
    this.#taker = taker;
    const outcome = this.#outcome;
    if (outcome === undefined) this.#sendElsewhere();
    else if (outcome instanceof RpcError) taker.settleException(outcome);
    else taker.settleResults(outcome.share());
  }

  /** Nobody waits any more for the outcome that a question of ours took. */
  handleUntaken(): void {
    this.#cancelIfUnused();
  }

  #sendElsewhere(): void {
    if (this.#isElsewhere) return;
    this.#isElsewhere = true;
    this.#peer.sendResultsElsewhere(this);
  }

  /** Like calls, they count for the peer's bytes in flight, and a single one passes, however large. */
  #keepResults(results: ReceivedPayload): void {
    const peer = this.#peer;
    const bytes = results.reader.end - results.reader.start;
    const others = peer.callBytes - this.#bytes;
    if (others > 0 && others + bytes > peer.limits.maxCallBytesInFlight) {
      results.release();
      this.returnException(RpcError.overloaded("Too many results on this link wait to be taken."));
      return;
    }
    peer.callBytes += bytes;
    this.#heldBytes = bytes;
    this.#leave("returned");
    this.#outcome = results;
    this.#sendElsewhere();
    this.#pipelines?.resolve(results);
    this.#taker?.settleResults(results.share());
  }

  #leave(state: "returned" | "done"): void {
    if (this.#state === "detached") this.#peer.orphans.delete(this);
    this.#state = state;
    this.#onCancel = undefined;
    const { params } = this;
    this.params = NO_PARAMS;
    params.release();
    this.#peer.handleCallDone(this.#bytes);
    if (state === "done") this.#letOnwardGo();
  }

  #letOnwardGo(): void {
    const onward = this.#onward;
    if (onward === undefined) return;
    this.#onward = undefined;
    this.#pipelines?.release();
    this.#pipelines = undefined;
    // What a call that was passed on brought is here by now, and cancelling it does nothing. A tail call ends so.
    onward.cancel();
  }
}
