// hot path (bench: npm run bench). Values on their way out, and the objects that they mention.
import { type Capability, DISCARD, type IncomingCall, type PayloadBuilder, type PayloadEncoder } from "@capstan/vat";
import {
  cloneError,
  EXTERNAL_PUSHER_ID_HIGH,
  EXTERNAL_PUSHER_ID_LOW,
  EXTERNAL_PUSHER_PUSH_ABORT_SIGNAL_METHOD,
  EXTERNAL_PUSHER_PUSH_BYTE_STREAM_METHOD,
  type External,
  ExternalKind,
  type ExternalsWriter,
  PushResults,
  type ValueWriter,
  writeNothing,
  writePushParams,
  writeValueParams,
} from "@capstan/wire";
import { isProxy } from "#platform";
import { pump } from "../streams/pump.ts";
import { pullWhenAborted } from "../streams/signal.ts";
import { SinkClient, type ValueChunk } from "../streams/sink-client.ts";
import { keepSender } from "../streams/unkept.ts";
import { coreOf, type SentPromise, type StubCore } from "../stubs/brand.ts";
import { type BlobGap, type KeptValue, UnreadBlobs, writeBlob } from "./blob.ts";
import { capabilityFor, type DisposerKeeper, onceSent, type SentDisposer } from "./by-reference.ts";
import { writeFetchObject } from "./fetch-objects.ts";
import * as Tag from "./host-tags.ts";
import type { Realm } from "./realm.ts";

/** Knows who takes pushed streams and signals. */
export interface PusherFinder {
  /** A new reference. */
  findPusher(): Capability;
  /** The call whose results give away what the value mentions. */
  readonly answered?: IncomingCall | undefined;
  /** Told of each signal that the value mentions. */
  handleSignal?(signal: AbortSignal): void;
}

/** A stream or signal that is pushed once the value is whole. */
export interface Push {
  readonly external: External;
  /** Pushes it; returns the capability to mention. The reference belongs to the caller. */
  start(pusher: Capability): Capability;
}

/** A property, or a peer's promise, that is read once the value is whole. */
interface Unread {
  /** Where its externals will be: here, and next. */
  readonly place: External;
  readonly send: () => SentPromise;
}

const PUSH_MENTIONED = Object.freeze([PushResults.mentioned]);
const PUSH_KEPT = Object.freeze([PushResults.kept]);

/** In a checkpoint: what counts the Blobs, above what counts the externals. */
const BLOB_STEP = 2 ** 31;

const NO_EXTERNAL: External = Object.freeze({ kind: ExternalKind.invalid, capIndex: -1 });
const NO_EXTERNALS: External[] = [];
Object.freeze(NO_EXTERNALS);

/** Writes the objects that the value codec does not know. One for each value. */
export class OutgoingObjects implements ExternalsWriter, DisposerKeeper {
  externals: External[] = NO_EXTERNALS;
  encoded: Uint8Array | undefined = undefined;
  readonly #out: PayloadBuilder;
  readonly #realm: Realm;
  readonly #lends: boolean;
  readonly #finder: PusherFinder | undefined;
  /** An object that is in the cap table already, at `knownIndex`. */
  readonly #known: unknown;
  readonly #knownIndex: number;
  #unread: Unread[] | undefined = undefined;
  #pushes: Push[] | undefined = undefined;
  #disposers: SentDisposer[] | undefined = undefined;
  /** The Blobs of the value, and where in its bytes theirs belong. */
  #blobs: BlobGap[] | undefined = undefined;
  #valueStart = 0;
  /** The stubs of our own that the value mentions. */
  sent: StubCore[] | undefined = undefined;

  /**
   * @param lends the sender keeps what it mentions; else the receiver takes it over.
   * @param finder undefined: streams and signals cannot be sent here.
   */
  constructor(
    out: PayloadBuilder,
    realm: Realm,
    lends: boolean,
    finder: PusherFinder | undefined,
    known?: unknown,
    knownIndex = -1,
  ) {
    this.#out = out;
    this.#realm = realm;
    this.#lends = lends;
    this.#finder = finder;
    this.#known = known;
    this.#knownIndex = knownIndex;
  }

  /** The value was written before, and waited for its Blobs: it goes as it was. Borrows `kept`. */
  resume(kept: KeptValue): void {
    const { externals, pushes, sent, disposers } = kept.objects;
    this.encoded = kept.bytes;
    kept.addCapabilities(this.#out);
    this.externals = externals;
    this.#pushes = pushes;
    this.sent = sent;
    if (disposers !== undefined) this.#disposers = [...disposers];
  }

  keepDisposer(disposer: SentDisposer): void {
    (this.#disposers ??= []).push(disposer);
  }

  isProxy(object: object): boolean {
    return isProxy(object);
  }

  writeHostObject(out: ValueWriter, object: object): boolean {
    const core = coreOf(object);
    if (core?.send !== undefined && object !== this.#known) {
      out.writeHostTag(Tag.PROMISE);
      const send = core.send.bind(core, this.#lends);
      if (core.isUnread === true) this.#readLater(send);
      else this.#addPromise(send());
      return true;
    }
    let capIndex = this.#knownIndex;
    if (capIndex < 0 || object !== this.#known) {
      const cap = capabilityFor(this.#realm, object, this.#lends, this, this.#finder?.answered);
      if (cap === undefined) return this.#writeOther(out, object);
      capIndex = this.#out.addCapability(cap);
      cap.release();
    }
    const isService = core?.isService === true;
    out.writeHostTag(isService ? Tag.SERVICE : Tag.STUB);
    this.#add({ kind: ExternalKind.rpcTarget, capIndex });
    // A service stays usable where it is.
    if (core !== undefined && !isService) (this.sent ??= []).push(core);
    return true;
  }

  checkpoint(): number {
    return this.externals.length + (this.#blobs?.length ?? 0) * BLOB_STEP;
  }

  /** The references stay in the cap table, unnamed: the receiver gives them back. */
  rollback(checkpoint: number): void {
    const externals = checkpoint % BLOB_STEP;
    if (this.externals.length > externals) this.externals.length = externals;
    if (this.#blobs !== undefined) this.#blobs.length = (checkpoint - externals) / BLOB_STEP;
  }

  /**
   * Reads properties and peers' promises, and pushes what has to be pushed. Nothing that the value holds can fail any more.
   *
   * @throws UnreadBlobs where the value holds Blobs, once.
   */
  complete(): void {
    // Ahead of the calls that must wait for the Blobs.
    if (this.#unread !== undefined) for (const unread of this.#unread) this.#startRead(unread);
    if (this.#blobs !== undefined && this.#blobs.length > 0) throw this.#keep(this.#blobs);
    if (this.#pushes !== undefined) this.#startPushes();
    if (this.#disposers !== undefined) for (const disposer of this.#disposers) disposer.handleSent();
  }

  #keep(blobs: readonly BlobGap[]): UnreadBlobs {
    const { writer, caps } = this.#out;
    return new UnreadBlobs(writer.bytes.slice(this.#valueStart, writer.length), blobs, {
      // Those before are named by the message, not by the value.
      caps: caps.slice(this.#knownIndex + 1),
      externals: this.externals,
      pushes: this.#pushes,
      sent: this.sent,
      disposers: this.#disposers,
    });
  }

  #startPushes(): void {
    if (this.#pushes === undefined) return;
    // Those that are still mentioned: what held the others was dropped.
    const pushes = this.#pushes.filter(({ external }) => this.externals.includes(external));
    const pusher = this.#finder?.findPusher();
    if (pusher === undefined) return;
    for (const { external, start } of pushes) {
      const cap = start(pusher);
      external.capIndex = this.#out.addCapability(cap);
      cap.release();
    }
    pusher.release();
  }

  #writeOther(out: ValueWriter, object: object): boolean {
    if (object instanceof ReadableStream) this.#writeReadable(out, object);
    else if (object instanceof WritableStream) this.#writeWritable(out, object);
    else if (object instanceof AbortSignal) this.#writeSignal(out, object);
    else if (object instanceof Blob) this.#writeBlob(out, object);
    else return writeFetchObject(out, object);
    return true;
  }

  #addPromise({ promise, pipeline, release }: SentPromise): void {
    for (const external of this.#namePromise(promise, pipeline, onceSent(release, this))) this.#add(external);
  }

  #readLater(send: () => SentPromise): void {
    const place: External = { kind: ExternalKind.invalid, capIndex: -1 };
    (this.#unread ??= []).push({ place, send });
    this.#add(place);
    this.#add(NO_EXTERNAL);
  }

  /** The call is made for this message: what it brings is given back also where that is not sent. */
  #startRead({ place, send }: Unread): void {
    const at = this.externals.indexOf(place);
    // What held it was dropped.
    if (at < 0) return;
    const { promise, pipeline, release } = send();
    this.externals.splice(at, 2, ...this.#namePromise(promise, pipeline, release));
  }

  /** The externals of a promise: who knows its value, and where that is. Takes over the reference. */
  #namePromise(
    promise: Promise<unknown>,
    pipeline: Capability | undefined,
    release: (() => void) | undefined,
  ): [External, External] {
    const value = this.#name(this.#realm.servePromise(promise, release));
    return [value, pipeline === undefined ? NO_EXTERNAL : this.#name(pipeline)];
  }

  #writeReadable(out: ValueWriter, stream: ReadableStream<unknown>): void {
    if (stream.locked) throw new TypeError("The ReadableStream has been locked to a reader.");
    const isBytes = isByteStream(stream);
    out.writeHostTag(isBytes ? Tag.READABLE_STREAM : Tag.VALUE_STREAM);
    this.#push(ExternalKind.readableStream, (pusher) => pushStream(pusher, stream, isBytes, this.#realm));
  }

  #writeWritable(out: ValueWriter, stream: WritableStream<unknown>): void {
    if (stream.locked) throw new TypeError("The WritableStream has been locked to a writer.");
    out.writeHostTag(Tag.WRITABLE_STREAM);
    // Locks it, and so is put off like a push until nothing can fail.
    this.#push(ExternalKind.writableStream, () => this.#realm.serveWritable(stream));
  }

  #writeBlob(out: ValueWriter, blob: Blob): void {
    if (this.#finder === undefined) throw cloneError("A Blob could not be cloned here.");
    const gap = writeBlob(out, blob);
    this.#valueStart = out.position - gap.at;
    (this.#blobs ??= []).push(gap);
  }

  #writeSignal(out: ValueWriter, signal: AbortSignal): void {
    out.writeHostTag(Tag.ABORT_SIGNAL);
    this.#finder?.handleSignal?.(signal);
    this.#push(ExternalKind.abortSignal, (pusher) => pushSignal(pusher, signal, this.#realm));
  }

  #push(kind: number, start: (pusher: Capability) => Capability): void {
    if (this.#finder === undefined) throw cloneError("An abort's reason cannot hold streams or signals.");
    const external: External = { kind, capIndex: -1 };
    this.#add(external);
    (this.#pushes ??= []).push({ external, start });
  }

  #add(external: External): void {
    if (this.externals === NO_EXTERNALS) this.externals = [];
    this.externals.push(external);
  }

  /** Takes over the reference. */
  #name(cap: Capability): External {
    const capIndex = this.#out.addCapability(cap);
    cap.release();
    return { kind: ExternalKind.rpcTarget, capIndex };
  }
}

/** Whether a reader may bring its own buffers: only streams of bytes let it. Leaves the stream unlocked. */
function isByteStream(stream: ReadableStream<unknown>): boolean {
  try {
    stream.getReader({ mode: "byob" }).releaseLock();
    return true;
  } catch {
    return false;
  }
}

const pushStreamEncoder: PayloadEncoder<undefined> = {
  encode: (out) => writePushParams(out.writer, out.at, undefined),
};
const nothingEncoder: PayloadEncoder<undefined> = { encode: (out) => writeNothing(out.writer, out.at) };

/** Starts to push `stream`; returns what to mention. */
function pushStream(pusher: Capability, stream: ReadableStream<unknown>, isBytes: boolean, realm: Realm): Capability {
  const reader = stream.getReader();
  const [mentioned, sink] = push(pusher, EXTERNAL_PUSHER_PUSH_BYTE_STREAM_METHOD, pushStreamEncoder);
  const cancel = (reason: unknown): void => {
    realm.run(() => reader.cancel(reason)).catch(() => {});
  };
  const client = new SinkClient(sink, realm.limits, isBytes, chunkEncoder(realm), cancel);
  const release = keepSender(realm, stream, (reason) => {
    client.abort(reason);
    client.close();
    cancel(reason);
  });
  void pump(reader, client, release);
  return mentioned;
}

function pushSignal(pusher: Capability, signal: AbortSignal, realm: Realm): Capability {
  const [mentioned, trigger] = push(pusher, EXTERNAL_PUSHER_PUSH_ABORT_SIGNAL_METHOD, nothingEncoder);
  pullWhenAborted(signal, trigger, chunkEncoder(realm));
  return mentioned;
}

/** Makes a push; returns what to mention and what to keep, both new references. */
function push(pusher: Capability, method: number, encoder: PayloadEncoder<undefined>): [Capability, Capability] {
  const call = pusher.call(EXTERNAL_PUSHER_ID_HIGH, EXTERNAL_PUSHER_ID_LOW, method, encoder, undefined, DISCARD);
  return [call.pipeline(PUSH_MENTIONED), call.pipeline(PUSH_KEPT)];
}

/** Writes chunks, and reasons, as values of `realm`. */
export function chunkEncoder(realm: Realm): PayloadEncoder<ValueChunk> {
  return {
    encode(out, chunk) {
      const start = out.writer.length;
      const host = new OutgoingObjects(out, realm, true, chunk.pusher === undefined ? undefined : chunk);
      if (chunk.kept !== undefined) host.resume(chunk.kept);
      writeValueParams(out.writer, out.at, chunk.value, host, realm.limits);
      chunk.size = out.writer.length - start;
    },
  };
}
