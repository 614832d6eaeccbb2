// Messages that are well-formed, and mean what nobody asked for.
import {
  type AnswerId,
  beginReturn,
  type CapDescriptor,
  type EmbargoId,
  type ExportId,
  encodeDisembargo,
  encodeResolveCap,
  encodeReturnException,
  encodeReturnOther,
  finishPayload,
} from "../../../packages/wire/src/index.ts";
import {
  bootstrap,
  call,
  echoed,
  finish,
  frame,
  noteContent,
  receiverAnswer,
  receiverHosted,
  release,
  senderHosted,
  senderPromise,
  type Write,
} from "../../support/raw-messages.ts";
import type { Random } from "./random.ts";

const IDS = 8;

/** One message with ids that may be in use. */
export function hostileMessage(random: Random): Uint8Array {
  const id = random.below(IDS);
  const other = random.below(IDS);
  const transform = random.once(2) ? [1] : [];
  const to = random.once(2) ? { exported: other } : { question: other, transform };
  const caps = random.once(2) ? [] : [descriptor(random)];
  const releases = random.once(2);
  const makers: readonly (() => Write)[] = [
    () => bootstrap(id),
    () => call(id, to, { caps, content: noteContent(), sendResultsTo: releases ? 1 : 0 }),
    () => call(100 + id, to, { caps, content: noteContent(), sendResultsTo: releases ? 1 : 0 }),
    () => finish(id, releases),
    () => release(id, 1 + random.below(2)),
    () => resolve(id, random),
    () => disembargo(random.once(2) ? 0 : 1, id, transform, random.once(2) ? 0 : 1, other),
    () => returnOther(id, releases, random.of([2, 3, 4] as const), other),
    () => returnException(id, releases),
    () => returnResults(id, releases, random),
    () => echoed(call(id, to, { caps, content: noteContent() })),
    () => echoed(resolve(id, random)),
  ];
  return frame(random.of(makers)());
}

function descriptor(random: Random): CapDescriptor {
  const id = random.below(IDS);
  return random.of([
    senderHosted(id),
    senderPromise(id),
    receiverHosted(id),
    receiverAnswer(id, random.once(2) ? [1] : []),
  ]);
}

function resolve(id: number, random: Random): Write {
  const cap = descriptor(random);
  return (writer) => encodeResolveCap(writer, id as ExportId, cap);
}

function disembargo(kind: 0 | 1, id: number, transform: number[], context: 0 | 1, embargo: number): Write {
  return (writer) => encodeDisembargo(writer, kind, id, transform, context, embargo as EmbargoId);
}

function returnOther(id: number, releases: boolean, which: 2 | 3 | 4, other: number): Write {
  return (writer) => encodeReturnOther(writer, id as AnswerId, releases, which, other as never);
}

function returnException(id: number, releases: boolean): Write {
  const exception = { type: 0, reason: "no", trace: "", details: [] } as const;
  return (writer) => encodeReturnException(writer, id as AnswerId, releases, exception);
}

function returnResults(id: number, releases: boolean, random: Random): Write {
  const cap = descriptor(random);
  return (writer) => {
    const start = writer.length;
    const at = beginReturn(writer, id as AnswerId, releases);
    noteContent()(writer, at);
    finishPayload(writer, start, at, [cap]);
  };
}
