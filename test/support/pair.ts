// Two vats joined in memory, stepped message by message, with the smallest interface that shows everything: text in,
// text and one capability out.
import { expect } from "chai";
import {
  type Capability,
  Connection,
  type IncomingCall,
  LocalCapability,
  MemoryTransport,
  type PayloadEncoder,
  type PendingCall,
  type ReceivedPayload,
  RecordingTransport,
  RpcError,
  type Server,
  type TrafficListener,
} from "../../packages/vat/src/index.ts";
import {
  encodeUnimplemented,
  type LimitOptions,
  messageLength,
  readFlat,
  resolveLimits,
  SegmentWriter,
  setCapabilityPointer,
  setStructPointer,
  writeText,
} from "../../packages/wire/src/index.ts";

const LIMITS = resolveLimits();

/** What the tests' calls and results carry. */
export interface Note {
  readonly text: string;
  readonly cap?: Capability | undefined;
}

/** A struct of two pointers: Text, and a capability. */
export const noteEncoder: PayloadEncoder<Note> = {
  encode(out, note) {
    const { writer } = out;
    writer.ensure(16);
    const at = writer.length;
    writer.bytes.fill(0, at, at + 16);
    writer.length = at + 16;
    setStructPointer(writer.view, out.at, at, 0, 2);
    writeText(writer, at, note.text);
    if (note.cap !== undefined) setCapabilityPointer(writer.view, at + 8, out.addCapability(note.cap));
  },
};

/** Reads a note; the capability is a reference of the reader's own. */
export function readNote(payload: ReceivedPayload): Note {
  const { reader } = payload;
  reader.enterStruct(payload.content);
  const cap = payload.follow([1])?.addRef();
  reader.enterStruct(payload.content);
  return { text: reader.text(reader.pointer(0)), cap };
}

export const CAP = [1] as const;

/** The outcome of a call, as it stands. */
export class Outcome {
  result: Note | undefined;
  error: RpcError | undefined;
  handleResults(results: ReceivedPayload): void {
    this.result = readNote(results);
    results.release();
  }
  handleException(error: RpcError): void {
    this.error = error;
  }
}

export interface Started {
  readonly outcome: Outcome;
  readonly call: PendingCall;
}

/** Calls method `methodId` with a note. */
export function start(target: Capability, methodId: number, note: Note = { text: "" }): Started {
  const outcome = new Outcome();
  return { outcome, call: target.call(1, 2, methodId, noteEncoder, note, outcome) };
}

/** A server that keeps its calls until the test answers them, and logs what it was asked. */
export class Keeper implements Server {
  readonly log: string[] = [];
  readonly calls: { readonly call: IncomingCall; readonly note: Note }[] = [];
  released = 0;
  cancelled = 0;

  dispatch(call: IncomingCall): void {
    const note = readNote(call.params);
    this.log.push(note.text);
    call.onCancel = () => this.cancelled++;
    this.calls.push({ call, note });
  }

  release(): void {
    this.released++;
  }

  /** Answers the oldest call. */
  answer(note: Note = { text: "" }): void {
    const next = this.calls.shift();
    next?.note.cap?.release();
    next?.call.returnResults(noteEncoder, note);
  }

  fail(reason: string): void {
    const next = this.calls.shift();
    next?.note.cap?.release();
    next?.call.returnException(RpcError.failed(reason));
  }
}

export function local(server: Server): LocalCapability {
  return new LocalCapability(server, LIMITS);
}

const EMPTY = { questions: 0, answers: 0, imports: 0, exports: 0, embargoes: 0 };

/** Two vats; the right one offers `keeper` as its bootstrap capability. */
export class Pair {
  readonly keeper = new Keeper();
  readonly left: Connection;
  readonly right: Connection;
  readonly #ends: readonly [MemoryTransport, MemoryTransport];

  /**
   * @param options.bootstrap what the right vat offers instead.
   * @param options.listener hears what the left vat sends and receives.
   */
  constructor(
    options: { batched?: boolean; bootstrap?: Server; limits?: LimitOptions; listener?: TrafficListener } = {},
  ) {
    this.#ends = MemoryTransport.pair({ batched: options.batched ?? true, manual: true });
    const { limits, listener } = options;
    const [end] = this.#ends;
    this.left = new Connection(listener === undefined ? end : new RecordingTransport(end, listener), { limits });
    this.right = new Connection(this.#ends[1], { bootstrap: local(options.bootstrap ?? this.keeper), limits });
  }

  /** One frame to the right, as far as there is one. */
  toRight(): boolean {
    this.#ends[0].flush();
    return this.#ends[0].deliver();
  }

  toLeft(): boolean {
    this.#ends[1].flush();
    return this.#ends[1].deliver();
  }

  /** Sends what the left vat has to say back to it, message by message, as a peer does that knows none of it. */
  bounceToLeft(): void {
    this.#ends[0].flush();
    const writer = new SegmentWriter();
    for (const frame of this.#ends[0].inFlight.splice(0)) {
      for (let at = 0; at < frame.length; at += messageLength(frame, at, LIMITS)) {
        const bytes = frame.subarray(at, at + messageLength(frame, at, LIMITS));
        const flat = readFlat(bytes, LIMITS);
        encodeUnimplemented(writer, flat, flat.start);
      }
    }
    this.left.handleFrame(writer.take());
  }

  /** Until nothing moves any more. */
  settle(): void {
    for (let rounds = 0; rounds < 1000; rounds++) {
      const moved = this.toRight();
      if (!this.toLeft() && !moved) return;
    }
    throw new Error("the two vats never come to rest");
  }

  /** Both vats hold nothing of each other any more. */
  expectEmpty(): void {
    this.expectLeftEmpty();
    expect(this.right.tables).to.deep.equal(EMPTY);
  }

  expectLeftEmpty(): void {
    expect(this.left.tables).to.deep.equal(EMPTY);
  }
}
