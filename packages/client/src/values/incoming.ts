// hot path (bench: npm run bench). Values that arrive, and the objects that they mention.
import {
  type Capability,
  DISCARD,
  LocalCapability,
  type PayloadEncoder,
  type ReceivedPayload,
  type Server,
} from "@capstan/vat";
import {
  DecodeError,
  type External,
  ExternalKind,
  type HostObjectReader,
  type JsValueRef,
  readJsValue,
  SOURCE_FORWARD_TO_METHOD,
  SOURCE_ID_HIGH,
  SOURCE_ID_LOW,
  type ValueReader,
  writeCapabilityParams,
} from "@capstan/wire";
import { PushedStream } from "../streams/pushed-stream.ts";
import { pushedBehind, servePush } from "../streams/pusher.ts";
import { PushedSignal } from "../streams/signal.ts";
import { receiveWritable } from "../streams/writable.ts";
import { readBlob, readFile } from "./blob.ts";
import { readHeaders, readRequest, readResponse, readUrl } from "./fetch-objects.ts";
import * as Tag from "./host-tags.ts";
import { chunkEncoder } from "./outgoing.ts";
import type { Held, Realm } from "./realm.ts";

/** A stream or signal that came in a value. */
interface ReceivedStream {
  /** Gives it back unless somebody uses it. */
  giveBack(): void;
  /** Undefined for all but readable streams. */
  readonly pushed?: PushedStream;
}

const NO_EXTERNALS: readonly External[] = Object.freeze([]);

/** Reads values that arrived, and makes their objects. One for each value. */
export class IncomingObjects implements HostObjectReader {
  /** The stubs and promises made, in order: whoever owns the value disposes of them. */
  #stubs: (Disposable & object)[] | undefined = undefined;
  /** The streams and signals made: they are given back only where nobody uses them. */
  #streams: ReceivedStream[] | undefined = undefined;
  /** The signals made. */
  signals: AbortSignal[] | undefined = undefined;
  /** What holds bindings. */
  #others: Held[] | undefined = undefined;
  /** Until the value is read: whoever keeps the value's objects must not keep its message. */
  #payload: ReceivedPayload | undefined;
  readonly #realm: Realm;
  #externals: readonly External[];
  #next = 0;

  constructor(payload: ReceivedPayload, realm: Realm, externals: readonly External[] = NO_EXTERNALS) {
    this.#payload = payload;
    this.#realm = realm;
    this.#externals = externals;
  }

  /** Reads `ref`, once. Where it throws, what was made until then is given back. */
  read(ref: JsValueRef): unknown {
    try {
      return readJsValue(ref, this, this.#realm.limits);
    } catch (error) {
      this.discard();
      throw error;
    } finally {
      this.#payload = undefined;
      this.#externals = NO_EXTERNALS;
    }
  }

  readHostObject(input: ValueReader, tag: number): object {
    switch (tag) {
      case Tag.STUB:
        return this.#own(this.#realm.stubFor(this.#take(ExternalKind.rpcTarget).addRef()));
      case Tag.SERVICE:
        return this.#readService();
      case Tag.PROMISE: {
        const value = this.#take(ExternalKind.rpcTarget);
        return this.#own(this.#realm.promiseFor(value.addRef(), this.#capability(ExternalKind.rpcTarget)?.addRef()));
      }
      case Tag.READABLE_STREAM:
      case Tag.VALUE_STREAM:
        return this.#readReadable(tag === Tag.READABLE_STREAM);
      case Tag.WRITABLE_STREAM:
        return this.#readWritable();
      case Tag.ABORT_SIGNAL:
        return this.#readSignal();
      case Tag.HEADERS:
        return readHeaders(input);
      case Tag.REQUEST:
        return readRequest(input);
      case Tag.RESPONSE:
      case Tag.ENCODED_RESPONSE:
        return readResponse(input, this.#realm, tag === Tag.ENCODED_RESPONSE);
      case Tag.BLOB:
        return readBlob(input);
      case Tag.FILE:
        return readFile(input);
      case Tag.URL_OBJECT:
        return readUrl(input);
      default:
        throw new DecodeError(`a value holds a host object of unknown kind ${tag}`);
    }
  }

  /** Whether there are stubs to dispose of. */
  get holdsStubs(): boolean {
    return this.#stubs !== undefined || this.#others !== undefined;
  }

  /** Whether there are streams or signals to give back. */
  get holdsStreams(): boolean {
    return this.#streams !== undefined;
  }

  /** Disposes of the stubs, and gives back the streams that nobody has locked and the signals. */
  discard(): void {
    this.dispose();
    const streams = this.#streams;
    this.#streams = undefined;
    if (streams !== undefined) for (const stream of streams) stream.giveBack();
  }

  /** Breaks the readable streams with the signal's reason if it aborts before they are over. */
  breakStreamsWith(signal: AbortSignal): void {
    for (const { pushed } of this.#streams ?? []) pushed?.breakWith(signal);
  }

  /** @param keepsOthers whether bindings, which nobody can duplicate, stay until their realm ends. Default false. */
  dispose(keepsOthers = false): void {
    const stubs = this.#stubs;
    this.#stubs = undefined;
    if (stubs !== undefined) for (const stub of stubs) stub[Symbol.dispose]();
    if (keepsOthers || this.#others === undefined) return;
    for (const other of this.#others.splice(0)) other.dispose();
  }

  #own(stub: Disposable & object): object {
    (this.#stubs ??= []).push(stub);
    return stub;
  }

  #readService(): object {
    const { binding, held } = this.#realm.bindingFor(this.#take(ExternalKind.rpcTarget).addRef());
    (this.#others ??= []).push(held);
    return binding;
  }

  #readReadable(isBytes: boolean): ReadableStream<unknown> {
    const source = this.#take(ExternalKind.readableStream);
    const realm = this.#realm;
    const pushed = pushedBehind(source) ?? forwarded(source, new PushedStream(realm.limits, servePush), realm);
    if (!(pushed instanceof PushedStream)) throw new DecodeError("a value mentions a stream that is none");
    const held: Held = { dispose: () => pushed.drop() };
    const stream = pushed.take(
      isBytes,
      (payload, ref) => readAs(realm, payload, ref),
      () => realm.handleHeld?.(held, false),
    );
    if (stream === undefined) throw new DecodeError("a value mentions a stream that was mentioned before");
    realm.handleHeld?.(held, true);
    const giveBack = (): void => {
      if (!stream.locked) pushed.drop();
    };
    (this.#streams ??= []).push({ giveBack, pushed });
    return stream;
  }

  #readWritable(): WritableStream<unknown> {
    const realm = this.#realm;
    const sink = this.#take(ExternalKind.writableStream).addRef();
    const { stream, dispose } = receiveWritable(sink, realm.limits, chunkEncoder(realm), () =>
      realm.handleHeld?.(held, false),
    );
    const held: Held = { dispose };
    realm.handleHeld?.(held, true);
    const giveBack = (): void => {
      if (stream.locked) return;
      dispose();
      realm.handleHeld?.(held, false);
    };
    (this.#streams ??= []).push({ giveBack });
    return stream;
  }

  #readSignal(): AbortSignal {
    const source = this.#take(ExternalKind.abortSignal);
    const realm = this.#realm;
    const pushed = pushedBehind(source) ?? forwarded(source, new PushedSignal(realm.limits), realm);
    if (!(pushed instanceof PushedSignal)) throw new DecodeError("a value mentions a signal that is none");
    const signal = pushed.take((listen) => realm.run(listen));
    const held: Held = { dispose: () => pushed.drop(), abandon: () => pushed.abandon() };
    realm.handleHeld?.(held, true);
    const giveBack = (): void => {
      pushed.drop();
      realm.handleHeld?.(held, false);
    };
    (this.#streams ??= []).push({ giveBack });
    (this.signals ??= []).push(signal);
    return signal;
  }

  /** The next external's capability, borrowed. Throws where it is of another kind, or missing. */
  #take(kind: number): Capability {
    const cap = this.#capability(kind);
    if (cap === undefined) throw new DecodeError("a value mentions an object that did not come with it");
    return cap;
  }

  #capability(kind: number): Capability | undefined {
    const external = this.#externals[this.#next++];
    return external?.kind === kind ? this.#payload?.cap(external.capIndex) : undefined;
  }
}

/** A value that came in `payload`, its objects made for `realm`; nobody disposes of them but their user. */
export function readAs(realm: Realm, payload: ReceivedPayload, ref: JsValueRef): unknown {
  return new IncomingObjects(payload, realm, ref.externals).read(ref);
}

/** What was pushed to another vat, and reached us through it, is asked to come here. */
function forwarded<T extends Server>(source: Capability, here: T, { limits }: Realm): T {
  const end = new LocalCapability(here, limits);
  source.call(SOURCE_ID_HIGH, SOURCE_ID_LOW, SOURCE_FORWARD_TO_METHOD, capabilityParams, end, DISCARD);
  end.release();
  return here;
}

const capabilityParams: PayloadEncoder<Capability> = {
  encode: (out, cap) => writeCapabilityParams(out.writer, out.at, out.addCapability(cap)),
};
