// hot path (bench: npm run bench). The four tables of one connection, and everything that is sent from them.
import {
  type AnswerId,
  beginCall,
  beginReturn,
  type CapDescriptor,
  DisembargoContext,
  type EmbargoId,
  type ExportId,
  encodeBootstrap,
  encodeDisembargo,
  encodeFinish,
  encodeRelease,
  encodeResolveCap,
  encodeResolveException,
  encodeReturnException,
  encodeReturnOther,
  finishPayload,
  type ImportId,
  type Limits,
  type Payload,
  type QuestionId,
  ReturnKind,
  type SegmentWriter,
  SendResultsTo,
  setNoFinishNeeded,
  type TargetKind,
} from "@capstan/wire";
import { BrokenCapability, FailedCall } from "../capabilities/broken.ts";
import type { Capability, IncomingCall, PendingCall, ReturnSink } from "../capabilities/capability.ts";
import {
  type DescriptorTables,
  describeCapability,
  pinCapability,
  receiveCapability,
} from "../capabilities/descriptors.ts";
import type { ImportedCapability } from "../capabilities/imported.ts";
import { DISCARD, PromiseCapability } from "../capabilities/promise.ts";
import { RemoteCapability } from "../capabilities/remote.ts";
import { RpcError } from "../errors.ts";
import { type PayloadEncoder, ReceivedPayload } from "../payload.ts";
import { Answer, type AnswerPeer } from "../tables/answer.ts";
import { Exports } from "../tables/exports.ts";
import { LocalTable } from "../tables/local-table.ts";
import { Question } from "../tables/question.ts";
import { RemoteTable } from "../tables/remote-table.ts";
import type { Outbox } from "./outbox.ts";
import { checkSize, describeAll, exceptionToSend, exportedIds, keepForPipelining } from "./outgoing-payload.ts";

const NO_DESCRIPTORS: readonly CapDescriptor[] = Object.freeze([]);
const NO_TRANSFORM: readonly number[] = Object.freeze([]);
const NO_EXPORTS: readonly ExportId[] = Object.freeze([]);

/** A reference whose callers wait until the old path to it is empty. */
export interface Embargo {
  readonly promise: PromiseCapability;
  readonly target: Capability;
}

/** One connection's tables. Handlers read and change them; capabilities reach them as their `RemotePeer`. */
export class ConnectionState implements DescriptorTables, AnswerPeer {
  readonly limits: Limits;
  readonly outbox: Outbox;
  /** What the peer gets for Bootstrap; a reference owned by the connection. */
  readonly bootstrap: Capability | undefined;
  readonly questions = new LocalTable<QuestionId, Question>();
  readonly answers = new RemoteTable<AnswerId, Answer>();
  readonly orphans = new Set<Answer>();
  readonly imports = new RemoteTable<ImportId, ImportedCapability>();
  readonly exports: Exports;
  readonly embargoes = new LocalTable<EmbargoId, Embargo>();
  /** Disembargoes of the peer's that go back once a promise has resolved. */
  waitingDisembargoes = 0;
  readonly closeListeners = new Set<(error: RpcError) => void>();
  closedReason: RpcError | undefined = undefined;
  /** The peer's calls that run, whether it still waits for them or not; the bytes of those, and of results that stay here. */
  runningCalls = 0;
  callBytes = 0;

  constructor(limits: Limits, outbox: Outbox, bootstrap: Capability | undefined) {
    this.limits = limits;
    this.outbox = outbox;
    this.bootstrap = bootstrap;
    this.exports = new Exports(
      limits,
      (cap) => pinCapability(this, cap),
      (id, cap) => this.#sendResolve(id, cap),
    );
  }

  // Calls that we make

  sendCall<T>(
    targetKind: TargetKind,
    targetId: number,
    transform: readonly number[],
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    encoder: PayloadEncoder<T>,
    content: T,
    sink: ReturnSink,
  ): PendingCall {
    const refusal = this.closedReason ?? this.#overload();
    if (refusal !== undefined) return new FailedCall(refusal, sink);
    const question = new Question(this, sink);
    this.#ask(
      question,
      SendResultsTo.caller,
      targetKind,
      targetId,
      transform,
      interfaceHigh,
      interfaceLow,
      methodId,
      encoder,
      content,
    );
    return question;
  }

  canTailCall(call: IncomingCall): boolean {
    return (
      call instanceof Answer &&
      call.origin === this &&
      call.isRunning &&
      !call.keepsResults &&
      this.closedReason === undefined &&
      this.#overload() === undefined
    );
  }

  sendTailCall<T>(
    call: IncomingCall,
    targetKind: TargetKind,
    targetId: number,
    transform: readonly number[],
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    encoder: PayloadEncoder<T>,
    content: T,
  ): void {
    const answer = call as Answer;
    const question = new Question(this, DISCARD, true);
    this.#ask(
      question,
      SendResultsTo.yourself,
      targetKind,
      targetId,
      transform,
      interfaceHigh,
      interfaceLow,
      methodId,
      encoder,
      content,
    );
    const which = ReturnKind.takeFromOtherQuestion;
    this.send((writer) => encodeReturnOther(writer, answer.id, answer.releaseParamCaps, which, question.id));
    answer.handleTailCall(question);
  }

  /** Enters a question and writes its Call. Throws what `encoder` throws, with nothing sent and no table changed. */
  #ask<T>(
    question: Question,
    sendResultsTo: 0 | 1,
    targetKind: TargetKind,
    targetId: number,
    transform: readonly number[],
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    encoder: PayloadEncoder<T>,
    content: T,
  ): void {
    question.id = this.questions.allocate(question);
    const builder = this.outbox.begin();
    const writer = builder.writer;
    const start = writer.length;
    try {
      const at = beginCall(
        writer,
        question.id,
        targetKind,
        targetId,
        transform,
        interfaceHigh,
        interfaceLow,
        methodId,
        sendResultsTo,
        0,
      );
      builder.at = at;
      encoder.encode(builder, content);
      if (this.closedReason !== undefined) {
        // A getter of the value's closed the connection, which has told the question.
        this.outbox.rollback(builder, start);
        return;
      }
      checkSize(writer.length - start, this.limits);
      if (builder.caps.length === 0) finishPayload(writer, start, at, NO_DESCRIPTORS);
      else {
        const descriptors = describeAll(this, builder, start);
        finishPayload(writer, start, at, descriptors);
        question.paramExports = exportedIds(descriptors);
        builder.releaseCaps();
      }
    } catch (error) {
      this.questions.take(question.id);
      this.outbox.rollback(builder, start);
      throw error;
    }
    this.outbox.commit(builder, true);
  }

  peerBootstrap(): Capability {
    if (this.closedReason !== undefined) return new BrokenCapability(this.closedReason);
    const question = new Question(this, DISCARD);
    question.id = this.questions.allocate(question);
    this.send((writer) => encodeBootstrap(writer, question.id), true);
    return question.pipeline(NO_TRANSFORM);
  }

  finishQuestion(id: QuestionId, releaseResultCaps: boolean): void {
    this.send((writer) => encodeFinish(writer, id, releaseResultCaps));
  }

  forgetQuestion(id: QuestionId): void {
    this.questions.take(id);
  }

  // Calls that the peer makes

  handleCallDone(bytes: number): void {
    this.runningCalls--;
    this.callBytes -= bytes;
  }

  sendResults<T>(answer: Answer, encoder: PayloadEncoder<T>, content: T): void {
    const builder = this.outbox.begin();
    const writer = builder.writer;
    const start = writer.length;
    let results: ReceivedPayload | undefined;
    let exports = NO_EXPORTS;
    try {
      const at = beginReturn(writer, answer.id, answer.releaseParamCaps);
      builder.at = at;
      encoder.encode(builder, content);
      if (this.closedReason !== undefined) {
        // Before, or by a getter of the value's. The end may take turns: the answer hears of it from here first.
        this.outbox.rollback(builder, start);
        answer.handleUnsent(this.closedReason);
        return;
      }
      checkSize(writer.length - start, this.limits);
      if (builder.caps.length === 0) {
        setNoFinishNeeded(writer, at);
        finishPayload(writer, start, at, NO_DESCRIPTORS);
      } else {
        const descriptors = describeAll(this, builder, start);
        finishPayload(writer, start, at, descriptors);
        exports = exportedIds(descriptors);
        results = keepForPipelining(this, builder, start, at);
      }
    } catch (error) {
      this.outbox.rollback(builder, start);
      throw error;
    }
    if (results === undefined) this.answers.take(answer.id);
    this.outbox.commit(builder);
    answer.handleSent(results, exports);
  }

  sendException(answer: Answer, error: RpcError): void {
    const exception = exceptionToSend(error, this.limits);
    this.send((writer) => encodeReturnException(writer, answer.id, answer.releaseParamCaps, exception));
  }

  sendResultsElsewhere(answer: Answer): void {
    this.send((writer) =>
      encodeReturnOther(writer, answer.id, answer.releaseParamCaps, ReturnKind.resultsSentElsewhere),
    );
  }

  sendCancelled(answer: Answer): void {
    this.send((writer) => encodeReturnOther(writer, answer.id, answer.releaseParamCaps, ReturnKind.canceled));
  }

  /** Takes the references that a payload of the peer's carries. The result belongs to the caller. */
  receive(payload: Payload): ReceivedPayload {
    const table = payload.capTable;
    if (table.length === 0) return new ReceivedPayload(payload.reader, payload.content);
    const caps: (Capability | undefined)[] = [];
    try {
      for (const descriptor of table) caps.push(receiveCapability(this, descriptor));
    } catch (error) {
      for (const cap of caps) cap?.release();
      throw error;
    }
    return new ReceivedPayload(payload.reader, payload.content, caps);
  }

  // References

  releaseImport(id: ImportId, count: number): void {
    if (this.imports.take(id) === undefined) return;
    this.send((writer) => encodeRelease(writer, id, count));
  }

  reaches(target: Capability): boolean {
    const end = target.resolved;
    return end instanceof RemoteCapability && end.peer === this;
  }

  embargo(targetKind: TargetKind, targetId: number, transform: readonly number[], target: Capability): Capability {
    const promise = new PromiseCapability(this.limits);
    const id = this.embargoes.allocate({ promise: promise.addRef(), target });
    const context = DisembargoContext.senderLoopback;
    this.send((writer) => encodeDisembargo(writer, targetKind, targetId, transform, context, id));
    return promise;
  }

  whenClosed(listener: (error: RpcError) => void): () => void {
    const own = (error: RpcError): void => listener(error);
    if (this.closedReason !== undefined) {
      const reason = this.closedReason;
      let wanted = true;
      queueMicrotask(() => {
        if (wanted) own(reason);
      });
      return () => {
        wanted = false;
      };
    }
    this.closeListeners.add(own);
    return () => this.closeListeners.delete(own);
  }

  /** Writes one message that runs no user code. Dropped once the connection is over. */
  send(write: (writer: SegmentWriter) => void, isCall = false): void {
    if (this.closedReason !== undefined) return;
    const builder = this.outbox.begin();
    const start = builder.writer.length;
    try {
      write(builder.writer);
    } catch (error) {
      this.outbox.rollback(builder, start);
      throw error;
    }
    this.outbox.commit(builder, isCall);
  }

  #sendResolve(id: ExportId, cap: Capability): void {
    const error = cap.brokenReason;
    if (error !== undefined) {
      this.send((writer) => encodeResolveException(writer, id, exceptionToSend(error, this.limits)));
      return;
    }
    let descriptor: CapDescriptor;
    try {
      descriptor = describeCapability(this, cap);
    } catch (failure) {
      // Over the quota of exports.
      const exception = exceptionToSend(RpcError.from(failure), this.limits);
      this.send((writer) => encodeResolveException(writer, id, exception));
      return;
    }
    this.send((writer) => encodeResolveCap(writer, id, descriptor));
  }

  #overload(): RpcError | undefined {
    if (this.questions.size >= this.limits.maxQuestions) {
      return RpcError.overloaded(`${this.limits.maxQuestions} calls on this link wait for their answers.`);
    }
    const bound = this.outbox.isOpen ? this.limits.maxBufferedBytes : this.limits.maxQueuedBytes;
    if (this.outbox.pendingBytes <= bound) return undefined;
    return RpcError.overloaded(`More than ${bound} bytes wait to be sent on this link.`);
  }
}
