// Plain messages through capnp-ts, the slow twin of the flat codec.
import * as capnp from "capnp-ts";
import * as Rpc from "capnp-ts/src/std/rpc.capnp.js";
import type {
  CapDescriptor,
  CapKind,
  Exception,
  ExceptionType,
  TargetKind,
} from "../../../packages/wire/src/rpc/messages.ts";
import type { Plain, PlainPayload } from "./plain.ts";

/** The message as capnp-ts writes it: in one segment, or in several where it is large and the arena says so. */
export function encodeOracle(message: Plain, arena?: capnp.Message["_capnp"]["arena"]): Uint8Array {
  const out = new capnp.Message(arena);
  writeMessage(out.initRoot(Rpc.Message), message);
  return new Uint8Array(out.toArrayBuffer());
}

/** What capnp-ts reads in a frame of one message. */
export function decodeOracle(frame: Uint8Array): Plain {
  return readMessage(new capnp.Message(frame, false).getRoot(Rpc.Message));
}

function writeMessage(root: Rpc.Message, message: Plain): void {
  switch (message.kind) {
    case 2: {
      const call = root.initCall();
      call.setQuestionId(message.questionId);
      call.setInterfaceId((BigInt(message.interfaceHigh) << 32n) | BigInt(message.interfaceLow));
      call.setMethodId(message.methodId);
      if (message.sendResultsTo === 1) call.initSendResultsTo().setYourself();
      call.setNoPromisePipelining(message.noPromisePipelining);
      call.setOnlyPromisePipeline(message.onlyPromisePipeline);
      writeTarget(call.initTarget(), message);
      writePayload(call.initParams(), message.params);
      return;
    }
    case 3: {
      const back = root.initReturn();
      back.setAnswerId(message.answerId);
      back.setReleaseParamCaps(message.releaseParamCaps);
      back.setNoFinishNeeded(message.noFinishNeeded);
      if (message.results !== undefined) writePayload(back.initResults(), message.results);
      else if (message.exception !== undefined) writeException(back.initException(), message.exception);
      else if (message.which === 2) back.setCanceled();
      else if (message.which === 3) back.setResultsSentElsewhere();
      else back.setTakeFromOtherQuestion(message.otherAnswer ?? 0);
      return;
    }
    case 4: {
      const finish = root.initFinish();
      finish.setQuestionId(message.questionId);
      finish.setReleaseResultCaps(message.releaseResultCaps);
      finish.setRequireEarlyCancellationWorkaround(message.requireEarlyCancellationWorkaround);
      return;
    }
    case 6: {
      const release = root.initRelease();
      release.setId(message.id);
      release.setReferenceCount(message.referenceCount);
      return;
    }
    case 8:
      root.initBootstrap().setQuestionId(message.questionId);
      return;
    case 1:
      writeException(root.initAbort(), message.exception);
      return;
    case 5: {
      const resolve = root.initResolve();
      resolve.setPromiseId(message.promiseId);
      if (message.cap !== undefined) writeCap(resolve.initCap(), message.cap);
      else writeException(resolve.initException(), message.exception as Exception);
      return;
    }
    case 13: {
      const disembargo = root.initDisembargo();
      writeTarget(disembargo.initTarget(), message);
      const context = disembargo.initContext();
      if (message.context === 0) context.setSenderLoopback(message.embargoId);
      else context.setReceiverLoopback(message.embargoId);
      return;
    }
    default:
      throw new Error(`no oracle for kind ${message.kind}`);
  }
}

interface PlainTarget {
  readonly targetKind: TargetKind;
  readonly targetId: number;
  readonly transform: readonly number[];
}

function writeTarget(target: Rpc.MessageTarget, { targetKind, targetId, transform }: PlainTarget): void {
  if (targetKind === 0) target.setImportedCap(targetId);
  else writeAnswer(target.initPromisedAnswer(), targetId, transform);
}

function writeAnswer(answer: Rpc.PromisedAnswer, id: number, transform: readonly number[]): void {
  answer.setQuestionId(id);
  if (transform.length === 0) return;
  const ops = answer.initTransform(transform.length);
  transform.forEach((index, i) => ops.get(i).setGetPointerField(index));
}

function writePayload(payload: Rpc.Payload, { content, capTable }: PlainPayload): void {
  if (content !== "") capnp.Struct.setText(0, content, payload);
  if (capTable.length === 0) return;
  const list = payload.initCapTable(capTable.length);
  capTable.forEach((cap, i) => writeCap(list.get(i), cap));
}

function writeCap(out: Rpc.CapDescriptor, { kind, id, transform }: CapDescriptor): void {
  if (kind === 0) out.setNone();
  else if (kind === 1) out.setSenderHosted(id);
  else if (kind === 2) out.setSenderPromise(id);
  else if (kind === 3) out.setReceiverHosted(id);
  else if (kind === 4) writeAnswer(out.initReceiverAnswer(), id, transform);
  else out.initThirdPartyHosted().setVineId(id);
}

function writeException(out: Rpc.Exception, { type, reason, trace }: Exception): void {
  out.setType(type);
  out.setReason(reason);
  if (trace !== "") out.setTrace(trace);
}

function readMessage(root: Rpc.Message): Plain {
  switch (root.which()) {
    case Rpc.Message.CALL: {
      const call = root.getCall();
      const id = call.getInterfaceId();
      return {
        kind: 2,
        questionId: call.getQuestionId(),
        ...readTarget(call.getTarget()),
        interfaceHigh: Number(id >> 32n),
        interfaceLow: Number(id & 0xffff_ffffn),
        methodId: call.getMethodId(),
        sendResultsTo: call.getSendResultsTo().which(),
        noPromisePipelining: call.getNoPromisePipelining(),
        onlyPromisePipeline: call.getOnlyPromisePipeline(),
        params: readPayload(call.getParams()),
      };
    }
    case Rpc.Message.RETURN: {
      const back = root.getReturn();
      const which = back.which();
      return {
        kind: 3,
        answerId: back.getAnswerId(),
        releaseParamCaps: back.getReleaseParamCaps(),
        noFinishNeeded: back.getNoFinishNeeded(),
        which,
        results: which === 0 ? readPayload(back.getResults()) : undefined,
        exception: which === 1 ? readException(back.getException()) : undefined,
        otherAnswer: which === 4 ? back.getTakeFromOtherQuestion() : undefined,
      };
    }
    case Rpc.Message.FINISH: {
      const finish = root.getFinish();
      return {
        kind: 4,
        questionId: finish.getQuestionId(),
        releaseResultCaps: finish.getReleaseResultCaps(),
        requireEarlyCancellationWorkaround: finish.getRequireEarlyCancellationWorkaround(),
      };
    }
    case Rpc.Message.RELEASE: {
      const release = root.getRelease();
      return { kind: 6, id: release.getId(), referenceCount: release.getReferenceCount() };
    }
    case Rpc.Message.BOOTSTRAP:
      return { kind: 8, questionId: root.getBootstrap().getQuestionId() };
    case Rpc.Message.ABORT:
      return { kind: 1, exception: readException(root.getAbort()) };
    case Rpc.Message.RESOLVE: {
      const resolve = root.getResolve();
      return {
        kind: 5,
        promiseId: resolve.getPromiseId(),
        cap: resolve.isCap() ? readCap(resolve.getCap()) : undefined,
        exception: resolve.isException() ? readException(resolve.getException()) : undefined,
      };
    }
    case Rpc.Message.DISEMBARGO: {
      const disembargo = root.getDisembargo();
      const context = disembargo.getContext();
      const embargoId = context.isSenderLoopback() ? context.getSenderLoopback() : context.getReceiverLoopback();
      return { kind: 13, ...readTarget(disembargo.getTarget()), context: context.which(), embargoId };
    }
    case Rpc.Message.UNIMPLEMENTED: {
      const original = root.getUnimplemented();
      const kind = original.which();
      return { kind: 0, original: { kind, questionId: undefined, cap: undefined } };
    }
    default:
      return { kind: -1, which: root.which() };
  }
}

function readTarget(target: Rpc.MessageTarget): PlainTarget {
  if (target.isImportedCap()) return { targetKind: 0, targetId: target.getImportedCap(), transform: [] };
  const answer = target.getPromisedAnswer();
  return { targetKind: 1, targetId: answer.getQuestionId(), transform: readTransform(answer) };
}

function readTransform(answer: Rpc.PromisedAnswer): number[] {
  return answer.getTransform().map((op) => op.getGetPointerField());
}

function readPayload(payload: Rpc.Payload): PlainPayload {
  return { content: capnp.Struct.getText(0, payload), capTable: payload.getCapTable().map(readCap) };
}

function readCap(cap: Rpc.CapDescriptor): CapDescriptor {
  const kind = cap.which() as number as CapKind;
  if (cap.getAttachedFd() !== 0xff) throw new Error("a file descriptor out of nowhere");
  if (kind === 4) {
    const answer = cap.getReceiverAnswer();
    return { kind, id: answer.getQuestionId(), transform: readTransform(answer) };
  }
  const id =
    kind === 1 ? cap.getSenderHosted() : kind === 2 ? cap.getSenderPromise() : kind === 3 ? cap.getReceiverHosted() : 0;
  return { kind, id, transform: [] };
}

function readException(exception: Rpc.Exception): Exception {
  const type = exception.getType() as number as ExceptionType;
  return { type, reason: exception.getReason(), trace: exception.getTrace(), details: [] };
}
