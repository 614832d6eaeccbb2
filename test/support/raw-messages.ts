// Single messages as a peer may write them by hand, right or wrong.
import {
  beginCall,
  type CapDescriptor,
  encodeBootstrap,
  encodeFinish,
  encodeRelease,
  encodeUnimplemented,
  finishPayload,
  type ImportId,
  type QuestionId,
  resolveLimits,
  SegmentReader,
  SegmentWriter,
  setCapabilityPointer,
  setStructPointer,
} from "../../packages/wire/src/index.ts";

/** Appends one message. */
export type Write = (writer: SegmentWriter) => void;

/** Where a call goes: an export of the receiver's, or a place in the results of a question. */
export type To = { readonly exported: number } | { readonly question: number; readonly transform?: readonly number[] };

export const question = (id: number): QuestionId => id as QuestionId;

export const bootstrap =
  (id: number): Write =>
  (writer) =>
    encodeBootstrap(writer, question(id));

export const finish =
  (id: number, releaseResultCaps = true, requireEarlyCancellationWorkaround = false): Write =>
  (writer) =>
    encodeFinish(writer, question(id), releaseResultCaps, requireEarlyCancellationWorkaround);

/** Gives back `count` references to an export of the receiver's. */
export const release =
  (id: number, count = 1): Write =>
  (writer) =>
    encodeRelease(writer, id as ImportId, count);

export interface RawCall {
  /** Upper and lower half of the interface's id. Default 1 and 2. */
  readonly interfaceId?: readonly [high: number, low: number];
  readonly methodId?: number;
  readonly caps?: readonly CapDescriptor[];
  readonly sendResultsTo?: 0 | 1;
  /** Writes the content at the writer's end, and points the pointer at `at` to it. Default: no content. */
  readonly content?: (writer: SegmentWriter, at: number) => void;
}

export function call(id: number, to: To, options: RawCall = {}): Write {
  return (writer) => {
    const start = writer.length;
    const [high, low] = options.interfaceId ?? [1, 2];
    const [kind, target, transform] =
      "exported" in to ? ([0, to.exported, []] as const) : ([1, to.question, to.transform ?? []] as const);
    const { methodId = 0, sendResultsTo = 0 } = options;
    const at = beginCall(writer, question(id), kind, target, transform, high, low, methodId, sendResultsTo, 0);
    options.content?.(writer, at);
    finishPayload(writer, start, at, options.caps ?? []);
  };
}

/** One frame. */
export function frame(...writes: readonly Write[]): Uint8Array {
  const writer = new SegmentWriter();
  for (const write of writes) write(writer);
  return writer.take();
}

export const senderHosted = (id: number): CapDescriptor => ({ kind: 1, id, transform: [] });
export const senderPromise = (id: number): CapDescriptor => ({ kind: 2, id, transform: [] });
export const receiverHosted = (id: number): CapDescriptor => ({ kind: 3, id, transform: [] });
export const receiverAnswer = (id: number, transform: readonly number[] = []): CapDescriptor => ({
  kind: 4,
  id,
  transform,
});

/** Content of a call as the vats of `pair.ts` read it: no text, and capability `index` of the cap table. */
export const noteContent =
  (index = 0) =>
  (writer: SegmentWriter, at: number): void => {
    writer.ensure(16);
    const content = writer.length;
    writer.bytes.fill(0, content, content + 16);
    writer.length = content + 16;
    setStructPointer(writer.view, at, content, 0, 2);
    setCapabilityPointer(writer.view, content + 8, index);
  };

/** The message as a peer sends it back that does not know it. */
export function echoed(write: Write): Write {
  const bytes = frame(write);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = new SegmentReader(bytes, view, 8, bytes.length, resolveLimits());
  return (writer) => encodeUnimplemented(writer, reader, 8);
}
