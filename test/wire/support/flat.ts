// Plain messages through the flat encoder.
import {
  beginCall,
  beginReturn,
  encodeAbort,
  encodeBootstrap,
  encodeDisembargo,
  encodeFinish,
  encodeRelease,
  encodeResolveCap,
  encodeResolveException,
  encodeReturnException,
  encodeReturnOther,
  finishPayload,
  setNoFinishNeeded,
} from "../../../packages/wire/src/rpc/encode.ts";
import type { AnswerId, EmbargoId, ExportId, ImportId, QuestionId } from "../../../packages/wire/src/rpc/ids.ts";
import type { Exception } from "../../../packages/wire/src/rpc/messages.ts";
import { writeText } from "../../../packages/wire/src/segment/text.ts";
import { SegmentWriter } from "../../../packages/wire/src/segment/writer.ts";
import type { Plain, PlainPayload, PlainReturn } from "./plain.ts";

/** A writer with no more room than was asked for, all of it full of rubbish. */
class DirtyWriter extends SegmentWriter {
  constructor() {
    super(0);
  }

  override ensure(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const bytes = new Uint8Array(this.length + count).fill(0xa5);
    bytes.set(this.bytes);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}

/** @param packed whether it lays things out to be packed. */
export function dirtyWriter(packed = false): SegmentWriter {
  const writer = new DirtyWriter();
  writer.packed = packed;
  return writer;
}

/** Appends the message, which must be one that is in the encoder's power. */
export function appendFlat(w: SegmentWriter, message: Plain): void {
  switch (message.kind) {
    case 2: {
      const start = w.length;
      const flags = (message.noPromisePipelining ? 1 : 0) | (message.onlyPromisePipeline ? 2 : 0);
      const at = beginCall(
        w,
        message.questionId as QuestionId,
        message.targetKind,
        message.targetId,
        message.transform,
        message.interfaceHigh,
        message.interfaceLow,
        message.methodId,
        message.sendResultsTo as 0 | 1,
        flags,
      );
      endPayload(w, start, at, message.params);
      return;
    }
    case 3:
      appendReturn(w, message);
      return;
    case 4:
      encodeFinish(
        w,
        message.questionId as QuestionId,
        message.releaseResultCaps,
        message.requireEarlyCancellationWorkaround,
      );
      return;
    case 6:
      encodeRelease(w, message.id as ImportId, message.referenceCount);
      return;
    case 8:
      encodeBootstrap(w, message.questionId as QuestionId);
      return;
    case 1:
      encodeAbort(w, message.exception);
      return;
    case 5:
      if (message.cap !== undefined) encodeResolveCap(w, message.promiseId as ExportId, message.cap);
      else encodeResolveException(w, message.promiseId as ExportId, message.exception as Exception);
      return;
    case 13: {
      const { targetKind, targetId, transform, context, embargoId } = message;
      encodeDisembargo(w, targetKind, targetId, transform, context as 0 | 1, embargoId as EmbargoId);
      return;
    }
    default:
      throw new Error(`no encoder for kind ${message.kind}`);
  }
}

/** The message as a frame of its own. @param packed whether it is laid out to be packed. */
export function encodeFlat(message: Plain, packed = false): Uint8Array {
  const w = dirtyWriter(packed);
  appendFlat(w, message);
  return w.take();
}

function appendReturn(w: SegmentWriter, message: PlainReturn): void {
  const id = message.answerId as AnswerId;
  if (message.results !== undefined) {
    const start = w.length;
    const at = beginReturn(w, id, message.releaseParamCaps);
    if (message.noFinishNeeded) setNoFinishNeeded(w, at);
    endPayload(w, start, at, message.results);
  } else if (message.exception !== undefined) {
    encodeReturnException(w, id, message.releaseParamCaps, message.exception);
  } else {
    encodeReturnOther(
      w,
      id,
      message.releaseParamCaps,
      message.which as 2 | 3 | 4,
      message.otherAnswer as QuestionId | undefined,
    );
  }
}

function endPayload(w: SegmentWriter, start: number, at: number, payload: PlainPayload): void {
  if (payload.content !== "") writeText(w, at, payload.content);
  finishPayload(w, start, at, payload.capTable);
}
