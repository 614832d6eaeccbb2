// hot path (bench: npm run bench). A call that the peer made and we have not done with.
import type { AnswerId, ExportId, Limits } from "@capstan/wire";
import { BrokenCapability } from "../capabilities/broken.ts";
import type { CallOrigin, Capability, IncomingCall } from "../capabilities/capability.ts";
import { RpcError } from "../errors.ts";
import { encodeStandalone, type PayloadEncoder, type ReceivedPayload } from "../payload.ts";
import { capabilityAt, noCapability, ResultPipelines } from "./result-pipelines.ts";

/** What an answer needs of its connection. */
export interface AnswerPeer extends CallOrigin {
  readonly limits: Limits;
  /** Writes the Return and tells the answer with `handleSent`. Throws what `encoder` throws, with nothing sent. */
  sendResults<T>(answer: Answer, encoder: PayloadEncoder<T>, content: T): void;
  sendException(answer: Answer, error: RpcError): void;
  sendResultsElsewhere(answer: Answer): void;
  sendCancelled(answer: Answer): void;
}

/** Takes the outcome of a call whose results stayed here (`sendResultsTo.yourself`). */
export interface OutcomeTaker {
  settleResults(results: ReceivedPayload): void;
  settleException(error: RpcError): void;
}

/**
 * States:
 *   running    dispatched, not answered; calls pipelined on it wait
 *   returned   Return is out, the entry stays until Finish so that pipelined calls find their capabilities
 *   detached   out of the table before it was answered: Finish came, or the connection ended; the outcome goes nowhere
 *              but to what was pipelined on it
 *   done       out of the table, nothing held
 * Events: returnResults/returnException (running → returned, or → done where no Finish is needed; detached → done),
 * Finish (running → detached, returned → done), shutdown (running → detached, returned → done).
 * Invariant: in the table exactly while running or returned; results are held only while returned.
 */
export class Answer implements IncomingCall {
  readonly id: AnswerId;
  readonly interfaceHigh: number;
  readonly interfaceLow: number;
  readonly methodId: number;
  readonly params: ReceivedPayload;
  onCancel: (() => void) | undefined = undefined;
  /** True where the results stay here for a later takeFromOtherQuestion. */
  readonly keepsResults: boolean;
  readonly #peer: AnswerPeer;
  #state: "running" | "returned" | "detached" | "done" = "running";
  #pipelines: ResultPipelines | undefined = undefined;
  #outcome: ReceivedPayload | RpcError | undefined = undefined;
  #taker: OutcomeTaker | undefined = undefined;
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
  ) {
    this.#peer = peer;
    this.id = id;
    this.interfaceHigh = interfaceHigh;
    this.interfaceLow = interfaceLow;
    this.methodId = methodId;
    this.params = params;
    this.keepsResults = keepsResults;
  }

  get origin(): CallOrigin {
    return this.#peer;
  }

  /** The capability at `transform` of the results, now or once they are there. The reference belongs to the caller. */
  pipeline(transform: readonly number[]): Capability {
    const outcome = this.#outcome;
    if (outcome instanceof RpcError) return new BrokenCapability(outcome);
    if (outcome !== undefined) return capabilityAt(outcome, transform);
    if (this.#state !== "running") return noCapability();
    this.#pipelines ??= new ResultPipelines(this.#peer.limits);
    return this.#pipelines.get(transform);
  }

  returnResults<T>(encoder: PayloadEncoder<T>, content: T): void {
    if (this.#state === "running") {
      if (this.keepsResults) this.#keepResults(encodeStandalone(encoder, content, this.#peer.limits));
      else this.#peer.sendResults(this, encoder, content);
    } else if (this.#state === "detached") {
      if (this.#pipelines !== undefined) {
        const results = encodeStandalone(encoder, content, this.#peer.limits);
        this.#leave("done");
        this.#pipelines.resolve(results);
        results.release();
      } else this.#leave("done");
    }
  }

  returnException(error: RpcError): void {
    if (this.#state === "running") {
      this.#leave("returned");
      this.#outcome = error;
      if (this.keepsResults) this.#peer.sendResultsElsewhere(this);
      else this.#peer.sendException(this, error);
    } else if (this.#state === "detached") this.#leave("done");
    else return;
    this.#pipelines?.reject(error);
    this.#taker?.settleException(error);
  }

  /** The Return is out. `results` is undefined where it holds no capability, and the entry is gone then. */
  handleSent(results: ReceivedPayload | undefined, exports: readonly ExportId[]): void {
    this.#outcome = results;
    this.#resultExports = exports;
    this.#leave(results === undefined ? "done" : "returned");
    if (this.#pipelines === undefined) return;
    if (results === undefined) this.#pipelines.reject(noCapability().brokenReason);
    else this.#pipelines.resolve(results);
  }

  /** Finish came: the entry has left the table. Returns the references that a Finish with releaseResultCaps gives back. */
  handleFinish(): readonly ExportId[] {
    if (this.#state === "running") {
      this.detach(this.#pipelines !== undefined);
      this.#peer.sendCancelled(this);
      return [];
    }
    const outcome = this.#outcome;
    this.#outcome = undefined;
    this.#state = "done";
    if (outcome !== undefined && !(outcome instanceof RpcError)) outcome.release();
    return this.#resultExports;
  }

  /** The entry has left the table. Cancels the call, unless what was pipelined on it still `wantsOutcome`. */
  detach(wantsOutcome = false): void {
    if (this.#state === "returned") {
      this.handleFinish();
      return;
    }
    if (this.#state !== "running") return;
    this.#state = "detached";
    const onCancel = this.onCancel;
    this.onCancel = undefined;
    if (!wantsOutcome) onCancel?.();
  }

  /** The peer wants the outcome of this call as the answer to a question of ours (takeFromOtherQuestion). */
  handTo(taker: OutcomeTaker): void {
    const outcome = this.#outcome;
    if (outcome === undefined) this.#taker = taker;
    else if (outcome instanceof RpcError) taker.settleException(outcome);
    else taker.settleResults(outcome.share());
  }

  #keepResults(results: ReceivedPayload): void {
    this.#leave("returned");
    this.#outcome = results;
    this.#peer.sendResultsElsewhere(this);
    this.#pipelines?.resolve(results);
    this.#taker?.settleResults(results.share());
  }

  #leave(state: "returned" | "done"): void {
    this.#state = state;
    this.onCancel = undefined;
    this.params.release();
  }
}
