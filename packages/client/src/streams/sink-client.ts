// The sending end of a stream: writes go out as long as the window has room, without waiting for answers.
import {
  type Capability,
  FlowWindow,
  fixedWindow,
  type PayloadEncoder,
  type PendingCall,
  type ReceivedPayload,
  type ReturnSink,
  type RpcError,
} from "@capstan/vat";
import {
  BYTE_STREAM_END_METHOD,
  BYTE_STREAM_ID_HIGH,
  BYTE_STREAM_ID_LOW,
  BYTE_STREAM_WRITE_METHOD,
  ExceptionType,
  type Limits,
  VALUE_SINK_ABORT_METHOD,
  VALUE_SINK_ID_HIGH,
  VALUE_SINK_ID_LOW,
  VALUE_SINK_WRITE_METHOD,
  WATCHED_CLOSED_METHOD,
  WATCHED_ID_HIGH,
  WATCHED_ID_LOW,
  writeBytesParams,
  writeNothing,
} from "@capstan/wire";
import { fromException } from "../errors.ts";
import { type KeptValue, UnreadBlobs } from "../values/blob.ts";
import { bytesOf } from "./bytes.ts";
import { WRITE_OVERHEAD } from "./sink-server.ts";

/** A chunk that is no bytes, and what it took: the encoder says. */
export class ValueChunk {
  readonly value: unknown;
  /** Takes the streams and signals that the value holds; borrowed. Undefined: it must hold none, and no Blobs. */
  readonly pusher: Capability | undefined;
  /** The value as it was written before; borrowed. */
  readonly kept: KeptValue | undefined;
  /** Bytes of the message; filled by the encoder. */
  size = 0;

  constructor(value: unknown, pusher?: Capability, kept?: KeptValue) {
    this.value = value;
    this.pusher = pusher;
    this.kept = kept;
  }

  findPusher(): Capability {
    if (this.pusher === undefined) throw new TypeError("Nobody takes the streams of this value.");
    return this.pusher.addRef();
  }
}

/** Pieces of larger chunks of bytes: a window of few pieces still keeps both ends busy. */
const MAX_PIECE = 128 * 1024;

/** What a writer hears that outlived its reference to the stream. */
export const WRITABLE_LOST =
  "WritableStream received over RPC was disconnected because the remote execution context has ended.";

const bytesEncoder: PayloadEncoder<Uint8Array> = {
  encode: (out, bytes) => writeBytesParams(out.writer, out.at, bytes),
};
const nothingEncoder: PayloadEncoder<undefined> = { encode: (out) => writeNothing(out.writer, out.at) };

/**
 * States: open → ended (`end` is out) → closed (the reference is given back); broken at any time, with the reason why the
 * reader takes nothing more.
 */
export class SinkClient {
  readonly #sink: Capability;
  readonly #limits: Limits;
  readonly #bytesOnly: boolean;
  readonly #valueEncoder: PayloadEncoder<ValueChunk>;
  readonly #onBroken: (reason: unknown) => void;
  #watch: { cancel(): void } | undefined;
  readonly #window: FlowWindow;
  #broken: { readonly reason: unknown } | undefined;
  #closed = false;
  /** Writes that the reader has not answered. */
  readonly #unanswered = new Set<WriteReturn>();
  /** Tells whoever waits for the end that it will not come. */
  #failEnd: ((reason: unknown) => void) | undefined;

  /**
   * Takes over the reference to `sink`.
   *
   * @param bytesOnly every chunk must be bytes, whose boundaries mean nothing; else chunks are values and stay whole.
   * @param onBroken runs once if the reader gives up, or is lost, before the stream was closed here.
   */
  constructor(
    sink: Capability,
    limits: Limits,
    bytesOnly: boolean,
    valueEncoder: PayloadEncoder<ValueChunk>,
    onBroken: (reason: unknown) => void,
  ) {
    this.#sink = sink;
    this.#limits = limits;
    this.#bytesOnly = bytesOnly;
    this.#valueEncoder = valueEncoder;
    this.#onBroken = onBroken;
    this.#window = new FlowWindow(fixedWindow(limits.streamWindowBytes));
    this.#watch = this.#call(WATCHED_ID_HIGH, WATCHED_ID_LOW, WATCHED_CLOSED_METHOD, nothingEncoder, undefined, {
      handleResults: (results) => results.release(),
      // Foreign peers do not offer it: they break at the next write.
      handleException: (error) => {
        if (error.type !== ExceptionType.unimplemented) this.#break(error);
      },
    });
  }

  /** Writes a chunk; the promise resolves when there is room for the next. Throws, or rejects, once the reader gave up. */
  async write(chunk: unknown): Promise<void> {
    const bytes = this.#bytesOnly ? bytesOf(chunk) : pieceOf(chunk);
    if (bytes === undefined) {
      if (this.#bytesOnly) throw new TypeError("A stream of bytes has a chunk that is none.");
      await this.#writeRead(chunk);
      await this.#window.whenRoom();
      return;
    }
    // Of a stream of bytes an empty chunk is nothing; of any other it is a chunk.
    if (bytes.length === 0 && this.#bytesOnly) return;
    let at = 0;
    do {
      this.#writeBytes(bytes.subarray(at, at + MAX_PIECE));
      at += MAX_PIECE;
      await this.#window.whenRoom();
    } while (at < bytes.length);
  }

  /** Ends the stream; resolves when the reader has all of it. */
  async end(): Promise<void> {
    this.#check();
    await new Promise<void>((resolve, reject) => {
      this.#failEnd = reject;
      this.#call(BYTE_STREAM_ID_HIGH, BYTE_STREAM_ID_LOW, BYTE_STREAM_END_METHOD, nothingEncoder, undefined, {
        handleResults: (results) => {
          results.release();
          resolve();
        },
        handleException: (error) => reject(this.#break(error)),
      });
    });
  }

  /** Gives up: the reader gets `reason`. A reason that cannot be sent is sent as an error of its text. */
  abort(reason: unknown): void {
    if (this.#broken !== undefined || this.#closed) return;
    const sink: ReturnSink = { handleResults: (results) => results.release(), handleException: () => {} };
    const send = (value: unknown): void =>
      void this.#call(
        VALUE_SINK_ID_HIGH,
        VALUE_SINK_ID_LOW,
        VALUE_SINK_ABORT_METHOD,
        this.#valueEncoder,
        new ValueChunk(value),
        sink,
      );
    try {
      send(reason);
    } catch {
      send(new Error(String(reason)));
    }
  }

  /** Gives the reference back. Without `end` or `abort` before it the reader takes the writer for lost. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // Nothing may follow on a reference that was given back: a write that waits for room must not go on.
    this.#window.fail(new Error(WRITABLE_LOST));
    this.#watch?.cancel();
    this.#watch = undefined;
    for (const { call } of this.#unanswered) call?.cancel();
    this.#unanswered.clear();
    this.#sink.release();
  }

  #writeBytes(bytes: Uint8Array): void {
    this.#check();
    const written = new WriteReturn(this);
    this.#await(
      written,
      this.#call(BYTE_STREAM_ID_HIGH, BYTE_STREAM_ID_LOW, BYTE_STREAM_WRITE_METHOD, bytesEncoder, bytes, written),
    );
    written.answered = this.#window.send(bytes.length + WRITE_OVERHEAD);
  }

  #await(written: WriteReturn, call: PendingCall): void {
    written.call = call;
    this.#unanswered.add(written);
  }

  async #writeRead(value: unknown): Promise<void> {
    let unread: UnreadBlobs;
    try {
      return this.#writeValue(value);
    } catch (error) {
      if (!(error instanceof UnreadBlobs)) throw error;
      unread = error;
    }
    const kept = await unread.read();
    try {
      this.#writeValue(value, kept);
    } finally {
      kept.release();
    }
  }

  #writeValue(value: unknown, kept?: KeptValue): void {
    this.#check();
    const chunk = new ValueChunk(value, this.#sink, kept);
    const written = new WriteReturn(this);
    this.#await(
      written,
      this.#call(VALUE_SINK_ID_HIGH, VALUE_SINK_ID_LOW, VALUE_SINK_WRITE_METHOD, this.#valueEncoder, chunk, written),
    );
    written.answered = this.#window.send(chunk.size + WRITE_OVERHEAD);
  }

  /** A write was answered. */
  handleAnswered(written: WriteReturn): void {
    this.#unanswered.delete(written);
  }

  /** It failed. */
  handleFailed(error: RpcError): void {
    this.#break(error);
  }

  #check(): void {
    if (this.#broken !== undefined) throw this.#broken.reason;
    if (this.#closed) throw new Error(WRITABLE_LOST);
  }

  /** Returns the reason that counts: that of the first failure. */
  #break(error: RpcError): unknown {
    if (this.#broken === undefined) {
      this.#broken = { reason: fromException(error, this.#limits) };
      this.#window.fail(this.#broken.reason);
      this.#failEnd?.(this.#broken.reason);
      if (!this.#closed) this.#onBroken(this.#broken.reason);
    }
    return this.#broken.reason;
  }

  #call<T>(
    high: number,
    low: number,
    method: number,
    encoder: PayloadEncoder<T>,
    content: T,
    sink: ReturnSink,
  ): PendingCall {
    return this.#sink.call(high, low, method, encoder, content, sink);
  }
}

/** Takes the answer to one write. */
class WriteReturn implements ReturnSink {
  /** Tells the window; set once the write is out. */
  answered: () => void = () => {};
  call: PendingCall | undefined = undefined;
  readonly #client: SinkClient;

  constructor(client: SinkClient) {
    this.#client = client;
  }

  handleResults(results: ReceivedPayload): void {
    results.release();
    this.#client.handleAnswered(this);
    this.answered();
  }

  handleException(error: RpcError): void {
    this.#client.handleAnswered(this);
    this.#client.handleFailed(error);
  }
}

/** A value that goes as bytes and arrives the same. */
function pieceOf(chunk: unknown): Uint8Array | undefined {
  return chunk instanceof Uint8Array && chunk.length <= MAX_PIECE ? chunk : undefined;
}
