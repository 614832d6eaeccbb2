// The messages of rpc.capnp (level 1) as the receiver sees them after decoding.
import type { SegmentReader } from "../segment/reader.ts";
import type { AnswerId, EmbargoId, ExportId, ImportId, QuestionId } from "./ids.ts";

/** Discriminants of `Message`. */
export const MessageKind = {
  unimplemented: 0,
  abort: 1,
  call: 2,
  return: 3,
  finish: 4,
  resolve: 5,
  release: 6,
  bootstrap: 8,
  disembargo: 13,
} as const;

/** Discriminants of `MessageTarget`. */
export const TargetKind = { importedCap: 0, promisedAnswer: 1 } as const;
export type TargetKind = (typeof TargetKind)[keyof typeof TargetKind];

/** Discriminants of `Call.sendResultsTo`. */
export const SendResultsTo = { caller: 0, yourself: 1, thirdParty: 2 } as const;

/** Discriminants of `Return`. */
export const ReturnKind = {
  results: 0,
  exception: 1,
  canceled: 2,
  resultsSentElsewhere: 3,
  takeFromOtherQuestion: 4,
  acceptFromThirdParty: 5,
} as const;

/** Discriminants of `CapDescriptor`. */
export const CapKind = {
  none: 0,
  senderHosted: 1,
  senderPromise: 2,
  receiverHosted: 3,
  receiverAnswer: 4,
  thirdPartyHosted: 5,
} as const;
export type CapKind = (typeof CapKind)[keyof typeof CapKind];

/** Discriminants of `Disembargo.context`. */
export const DisembargoContext = { senderLoopback: 0, receiverLoopback: 1, accept: 2, provide: 3 } as const;

/**
 * Stands for every transform that leads nowhere, whatever it is applied to: one over the limit, or with a step that
 * only a newer version knows. No struct has a pointer field of this number.
 */
export const UNFOLLOWABLE: readonly number[] = Object.freeze([-1]);

/** `Exception.Type`. */
export const ExceptionType = { failed: 0, overloaded: 1, disconnected: 2, unimplemented: 3 } as const;
export type ExceptionType = (typeof ExceptionType)[keyof typeof ExceptionType];

/** One piece of machine-readable detail of an exception. */
export interface ExceptionDetail {
  /** 64-bit id of the kind of detail. */
  readonly id: bigint;
  readonly data: Uint8Array;
}

export interface Exception {
  readonly type: ExceptionType;
  readonly reason: string;
  /** Stack trace at the sender, "" where it sent none. */
  readonly trace: string;
  readonly details: readonly ExceptionDetail[];
}

/**
 * One entry of a cap table. `id` is in the receiver's view after decoding: senderHosted and senderPromise carry an
 * ImportId, receiverHosted an ExportId, receiverAnswer an AnswerId with its transform; the encoder takes the
 * sender's view (ExportId, ExportId, ImportId, QuestionId). thirdPartyHosted carries its vine as an ImportId.
 */
export interface CapDescriptor {
  /** From a newer peer also a number that CapKind does not have; `id` is then 0. */
  readonly kind: CapKind;
  readonly id: number;
  /** Pointer fields to follow from the answer's content, or `UNFOLLOWABLE`; empty unless `kind` is receiverAnswer. */
  readonly transform: readonly number[];
}

/**
 * Content and capabilities of a call's params or results. `reader` spans exactly the message that it came in and
 * stays valid as long as it is referenced: the frame is not reused.
 */
export interface Payload {
  readonly reader: SegmentReader;
  /** Position of the content pointer in `reader`, or -1 where there is none. */
  readonly content: number;
  readonly capTable: readonly CapDescriptor[];
}

export interface CallMessage {
  readonly kind: 2;
  readonly questionId: AnswerId;
  /** From a newer peer also a number that TargetKind does not have; id and transform are then empty. */
  readonly targetKind: TargetKind;
  /** ExportId or AnswerId, as `targetKind` says. */
  readonly targetId: number;
  /** Pointer fields to follow from the answer's content, or `UNFOLLOWABLE`. */
  readonly transform: readonly number[];
  /** Upper and lower half of the interface id, unsigned. */
  readonly interfaceHigh: number;
  readonly interfaceLow: number;
  readonly methodId: number;
  readonly sendResultsTo: number;
  readonly noPromisePipelining: boolean;
  readonly onlyPromisePipeline: boolean;
  readonly params: Payload;
}

export interface ReturnMessage {
  readonly kind: 3;
  readonly answerId: QuestionId;
  readonly releaseParamCaps: boolean;
  readonly noFinishNeeded: boolean;
  /** A value of `ReturnKind`, or a larger number from a newer peer. */
  readonly which: number;
  /** Set when `which` is results. */
  readonly results: Payload | undefined;
  /** Set when `which` is exception. */
  readonly exception: Exception | undefined;
  /** Set when `which` is takeFromOtherQuestion: a call that the peer made to us. */
  readonly otherAnswer: AnswerId | undefined;
}

export interface FinishMessage {
  readonly kind: 4;
  readonly questionId: AnswerId;
  readonly releaseResultCaps: boolean;
  readonly requireEarlyCancellationWorkaround: boolean;
}

export interface ResolveMessage {
  readonly kind: 5;
  readonly promiseId: ImportId;
  /** The capability it resolved to, or undefined where it broke. */
  readonly cap: CapDescriptor | undefined;
  readonly exception: Exception | undefined;
}

export interface ReleaseMessage {
  readonly kind: 6;
  readonly id: ExportId;
  readonly referenceCount: number;
}

export interface BootstrapMessage {
  readonly kind: 8;
  readonly questionId: AnswerId;
}

export interface DisembargoMessage {
  readonly kind: 13;
  readonly targetKind: TargetKind;
  /** ExportId or AnswerId, as `targetKind` says. */
  readonly targetId: number;
  readonly transform: readonly number[];
  /** A value of `DisembargoContext`. */
  readonly context: number;
  /** For senderLoopback the peer's id, to be sent back; for receiverLoopback ours. */
  readonly embargoId: EmbargoId;
}

export interface AbortMessage {
  readonly kind: 1;
  readonly exception: Exception;
}

/** The peer did not know a message of ours: it sends it back. */
export interface UnimplementedMessage {
  readonly kind: 0;
  /** The message as we sent it (so ids are in *our* view of a sender), or undefined where it cannot be read. */
  readonly original: EchoedMessage | undefined;
}

/** What we need of a message of ours that came back as unimplemented. */
export interface EchoedMessage {
  /** A value of `MessageKind`, or another discriminant. */
  readonly kind: number;
  /** The question that it asked: set for call and bootstrap. It will get no other answer. */
  readonly questionId: QuestionId | undefined;
  /** What a promise resolved to: set for resolve. The peer did not take the reference. */
  readonly cap: CapDescriptor | undefined;
}

/** A kind that this level does not know (provide, accept, join, obsolete or newer ones): to be sent back. */
export interface UnknownMessage {
  readonly kind: -1;
  /** The discriminant as it came. */
  readonly which: number;
  /** Position of the root pointer of the whole message in `reader`. */
  readonly root: number;
  readonly reader: SegmentReader;
}

export type RpcMessage =
  | UnimplementedMessage
  | AbortMessage
  | CallMessage
  | ReturnMessage
  | FinishMessage
  | ResolveMessage
  | ReleaseMessage
  | BootstrapMessage
  | DisembargoMessage
  | UnknownMessage;
