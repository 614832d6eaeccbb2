// A vat whose peer is the test itself: it sends what messages it likes, also wrong ones, and sees what comes back.
import { type Capability, Connection, MemoryTransport } from "../../packages/vat/src/index.ts";
import {
  type AnswerId,
  beginCall,
  beginReturn,
  type CapDescriptor,
  decodeMessage,
  type EmbargoId,
  type Exception,
  type ExportId,
  encodeDisembargo,
  encodeResolveCap,
  encodeResolveException,
  encodeReturnException,
  encodeReturnOther,
  encodeUnimplemented,
  FrameReader,
  finishPayload,
  type LimitOptions,
  type QuestionId,
  type RpcMessage,
  readFlat,
  resolveLimits,
  type SegmentWriter,
  setCapabilityPointer,
  setNoFinishNeeded,
  setStructPointer,
  writeText,
} from "../../packages/wire/src/index.ts";
import { Keeper, local } from "./pair.ts";
import { frame, senderHosted, senderPromise, type Write } from "./raw-messages.ts";

const LIMITS = resolveLimits();

export class RawPeer {
  /** What the vat offers as its bootstrap capability. */
  readonly keeper = new Keeper();
  readonly connection: Connection;
  readonly #peer: MemoryTransport;
  readonly #own: MemoryTransport;
  readonly #reader = new FrameReader(LIMITS, { batched: true });
  readonly #received: RpcMessage[] = [];

  /** @param offers false for a vat without a bootstrap capability. */
  constructor(limits: LimitOptions = {}, offers = true) {
    [this.#peer, this.#own] = MemoryTransport.pair({ manual: true });
    this.#peer.start({
      handleOpen: () => {},
      handleFrame: (frame) => {
        this.#reader.open(frame);
        for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next()) this.#received.push(next);
      },
      handleMalformed: () => {},
      handleClosed: () => {},
    });
    this.connection = new Connection(this.#own, { bootstrap: offers ? local(this.keeper) : undefined, limits });
  }

  /** Sends messages in one frame, and returns what the vat has to say. */
  send(...writes: Write[]): RpcMessage[] {
    return this.sendBytes(frame(...writes));
  }

  sendBytes(bytes: Uint8Array): RpcMessage[] {
    this.#peer.send(bytes);
    this.#peer.deliver();
    return this.receive();
  }

  /** What the vat has sent since. */
  receive(): RpcMessage[] {
    this.#own.flush();
    while (this.#own.deliver());
    return this.#received.splice(0);
  }

  /** The vat's own handle on what this peer offers: it asked, and got export `id` of the peer's. */
  offer(id: number, isPromise = false): Capability {
    const cap = this.connection.bootstrap();
    this.receive();
    this.send(returns(0, { content: "cap", caps: [isPromise ? senderPromise(id) : senderHosted(id)] }));
    return cap;
  }
}

interface PayloadOptions {
  /** A note with this text, or "cap" for the first capability alone. Nothing by default. */
  readonly text?: string;
  readonly content?: "cap";
  /** The cap table; a note holds the first of it. */
  readonly caps?: readonly CapDescriptor[];
}

interface CallOptions extends PayloadOptions {
  readonly transform?: readonly number[];
  /** 0 caller, 1 yourself, 2 third party. */
  readonly sendResultsTo?: number;
  /** Of `CallFlag`. */
  readonly flags?: number;
}

/** A call on export `target` of the vat's (kind 0), or on its answer `target` (kind 1). */
export function call(id: number, targetKind: 0 | 1, target: number, options: CallOptions = {}): Write {
  return (writer) => {
    const start = writer.length;
    const to = (options.sendResultsTo ?? 0) as 0;
    const { transform = [], flags = 0 } = options;
    const at = beginCall(writer, id as QuestionId, targetKind, target, transform, 1, 2, 0, to, flags);
    writePayload(writer, start, at, options);
  };
}

interface ReturnOptions extends PayloadOptions {
  readonly releaseParamCaps?: boolean;
  readonly noFinishNeeded?: boolean;
}

/** Results for question `id` of the vat's. */
export function returns(id: number, options: ReturnOptions = {}): Write {
  return (writer) => {
    const start = writer.length;
    const at = beginReturn(writer, id as AnswerId, options.releaseParamCaps ?? false);
    if (options.noFinishNeeded) setNoFinishNeeded(writer, at);
    writePayload(writer, start, at, options);
  };
}

export function returnsException(id: number, reason: string, releaseParamCaps = false): Write {
  return (writer) => encodeReturnException(writer, id as AnswerId, releaseParamCaps, exception(reason));
}

/** A Return with `which`: 2 canceled, 3 resultsSentElsewhere, 4 takeFromOtherQuestion, or what no vat knows. */
export function returnsOther(id: number, which: number, other?: number): Write {
  return (writer) => encodeReturnOther(writer, id as AnswerId, false, which as 2, other as QuestionId | undefined);
}

export function resolves(id: number, to: CapDescriptor | string): Write {
  if (typeof to === "string") return (writer) => encodeResolveException(writer, id as ExportId, exception(to));
  return (writer) => encodeResolveCap(writer, id as ExportId, to);
}

/** Context 0 is senderLoopback, 1 receiverLoopback. */
export function disembargo(kind: 0 | 1, target: number, context: number, id: number, transform: number[] = []): Write {
  return (writer) => encodeDisembargo(writer, kind, target, transform, context as 0, id as EmbargoId);
}

/** Another message, sent back as one that the peer does not know. */
export function unimplemented(original: Write): Write {
  return (writer) => {
    const flat = readFlat(frame(original), LIMITS);
    encodeUnimplemented(writer, flat, flat.start);
  };
}

/** One message, as a vat that receives it sees it. */
export function seen(write: Write): RpcMessage {
  return decodeMessage(readFlat(frame(write), LIMITS), LIMITS);
}

export function exception(reason: string): Exception {
  return { type: 0, reason, trace: "", details: [] };
}

function writePayload(writer: SegmentWriter, start: number, at: number, options: PayloadOptions): void {
  const caps = options.caps ?? [];
  if (options.content === "cap") setCapabilityPointer(writer.view, at, 0);
  else if (options.text !== undefined || caps.length > 0) {
    writer.ensure(16);
    const note = writer.length;
    writer.bytes.fill(0, note, note + 16);
    writer.length = note + 16;
    setStructPointer(writer.view, at, note, 0, 2);
    writeText(writer, note, options.text ?? "");
    if (caps.length > 0) setCapabilityPointer(writer.view, note + 8, 0);
  }
  finishPayload(writer, start, at, caps);
}
