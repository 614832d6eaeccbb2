// Messages as plain data: what both codecs and the generators of the tests speak.
import fc from "fast-check";
import { FrameReader } from "../../../packages/wire/src/framing.ts";
import { DEFAULT_LIMITS, type Limits } from "../../../packages/wire/src/limits.ts";
import type {
  AbortMessage,
  BootstrapMessage,
  CallMessage,
  CapDescriptor,
  CapKind,
  DisembargoMessage,
  Exception,
  ExceptionType,
  FinishMessage,
  Payload,
  ReleaseMessage,
  ResolveMessage,
  ReturnMessage,
  RpcMessage,
  TargetKind,
  UnimplementedMessage,
} from "../../../packages/wire/src/rpc/messages.ts";

/** A payload whose content is a text, or null. */
export interface PlainPayload {
  readonly content: string;
  readonly capTable: readonly CapDescriptor[];
}

type PlainField<Key, Type> = Key extends "kind" | "targetKind"
  ? Type
  : Type extends Payload
    ? PlainPayload
    : Type extends number
      ? number
      : Type;

/** A message without branded ids and readers. */
type PlainOf<Message> = { readonly [Key in keyof Message]: PlainField<Key, Message[Key]> };

export type Plain =
  | PlainOf<CallMessage>
  | PlainOf<ReturnMessage>
  | PlainOf<FinishMessage>
  | PlainOf<ReleaseMessage>
  | PlainOf<ResolveMessage>
  | PlainOf<BootstrapMessage>
  | PlainOf<DisembargoMessage>
  | PlainOf<AbortMessage>
  | UnimplementedMessage
  | { readonly kind: -1; readonly which: number };

export type PlainCall = PlainOf<CallMessage>;
export type PlainReturn = PlainOf<ReturnMessage>;

/** What was decoded, as plain data. */
export function plainOf(message: RpcMessage): Plain {
  switch (message.kind) {
    case 2:
      return { ...message, params: plainPayload(message.params) };
    case 3:
      return { ...message, results: message.results === undefined ? undefined : plainPayload(message.results) };
    case -1:
      return { kind: -1, which: message.which };
    default:
      return message;
  }
}

function plainPayload({ reader, content, capTable }: Payload): PlainPayload {
  return { content: reader.text(content), capTable };
}

/** Decodes a frame of exactly one message. */
export function decodeOne(frame: Uint8Array, limits: Limits = DEFAULT_LIMITS): RpcMessage {
  const reader = new FrameReader(limits, { batched: false });
  reader.open(frame);
  const message = reader.next();
  if (message === undefined || reader.next() !== undefined) throw new Error("not one message");
  return message;
}

const u16 = fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 1, 0xffff));
const u32 = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(0, 1, 0x8000_0000, 0xffff_ffff));
const transform = fc.array(u16, { maxLength: 5 });
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.constantFrom("", "add", "é".repeat(40)),
);

export const capDescriptor: fc.Arbitrary<CapDescriptor> = fc
  .record({ kind: fc.integer({ min: 0, max: 4 }), id: u32, transform })
  .map((cap) => ({
    kind: cap.kind as CapKind,
    id: cap.kind === 0 ? 0 : cap.id,
    transform: cap.kind === 4 ? cap.transform : [],
  }));

const payload: fc.Arbitrary<PlainPayload> = fc.record({
  content: text,
  capTable: fc.array(capDescriptor, { maxLength: 4 }),
});

const target = fc
  .record({ targetKind: fc.integer({ min: 0, max: 1 }), targetId: u32, transform })
  .map((t) => ({ ...t, targetKind: t.targetKind as TargetKind, transform: t.targetKind === 1 ? t.transform : [] }));

/** Exceptions without details, which capnp-ts does not know. */
export const exception: fc.Arbitrary<Exception> = fc.record({
  type: fc.integer({ min: 0, max: 3 }).map((type) => type as ExceptionType),
  reason: text,
  trace: text,
  details: fc.constant([]),
});

export const call: fc.Arbitrary<PlainCall> = fc
  .record({
    questionId: u32,
    target,
    interfaceHigh: u32,
    interfaceLow: u32,
    methodId: u16,
    sendResultsTo: fc.integer({ min: 0, max: 1 }),
    noPromisePipelining: fc.boolean(),
    onlyPromisePipeline: fc.boolean(),
    params: payload,
  })
  .map(({ target: { targetKind, targetId, transform }, ...rest }) => ({
    kind: 2 as const,
    ...rest,
    targetKind,
    targetId,
    transform,
  }));

export const anyReturn: fc.Arbitrary<PlainReturn> = fc
  .record({
    answerId: u32,
    releaseParamCaps: fc.boolean(),
    noFinishNeeded: fc.boolean(),
    which: fc.integer({ min: 0, max: 4 }),
    results: payload,
    exception,
    otherAnswer: u32,
  })
  .map((r) => ({
    kind: 3 as const,
    ...r,
    noFinishNeeded: r.which === 0 && r.noFinishNeeded,
    results: r.which === 0 ? r.results : undefined,
    exception: r.which === 1 ? r.exception : undefined,
    otherAnswer: r.which === 4 ? r.otherAnswer : undefined,
  }));

/** Every kind of message that both codecs can write. */
export const anyMessage: fc.Arbitrary<Plain> = fc.oneof(
  call,
  anyReturn,
  fc.record({
    kind: fc.constant(4 as const),
    questionId: u32,
    releaseResultCaps: fc.boolean(),
    requireEarlyCancellationWorkaround: fc.boolean(),
  }),
  fc.record({ kind: fc.constant(6 as const), id: u32, referenceCount: u32 }),
  fc.record({ kind: fc.constant(8 as const), questionId: u32 }),
  fc.record({ kind: fc.constant(1 as const), exception }),
  fc
    .record({ promiseId: u32, cap: capDescriptor, exception, breaks: fc.boolean() })
    .map(({ promiseId, cap, exception, breaks }) => ({
      kind: 5 as const,
      promiseId,
      cap: breaks ? undefined : cap,
      exception: breaks ? exception : undefined,
    })),
  fc
    .record({ target, context: fc.integer({ min: 0, max: 1 }), embargoId: u32 })
    .map(({ target, context, embargoId }) => ({ kind: 13 as const, ...target, context, embargoId })),
);
