// The two directions of a socket. Each can be ended from here, also while a reader or writer of the user's holds its stream.

import { bytesOf } from "../streams/bytes.ts";

type Bytes = Uint8Array<ArrayBufferLike>;

const CLOSED = "This socket was closed.";
const NO_BYTES = "A socket takes bytes alone: an ArrayBuffer, or a view of one.";

/** What comes in. States: open → dropped (what still comes is read and forgotten) | let go → over. */
export class SocketIncoming {
  readonly readable: ReadableStream<Bytes>;
  /** Resolves when the other end has ended, rejects with what broke it. */
  readonly ended: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Bytes>;
  readonly #opened: Promise<unknown>;
  #controller: ReadableByteStreamController | undefined;
  #isOpen = true;
  #isCancelled = false;

  /** Takes over `source`. Where `opened` rejects, that is what broke it, and its owner calls `fail`. */
  constructor(source: ReadableStream<Bytes>, opened: Promise<unknown>) {
    this.#opened = opened;
    this.#reader = source.getReader();
    this.ended = this.#reader.closed;
    this.ended.catch(() => {});
    const bytes: UnderlyingByteSource = {
      type: "bytes",
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: (reason) => {
        this.#isOpen = false;
        this.#isCancelled = true;
        return this.#reader.cancel(reason);
      },
    };
    // One chunk is read ahead, so that the other end's end is seen though nobody reads.
    this.readable = new ReadableStream(bytes, { highWaterMark: 1 });
  }

  /** Whether the user cancelled it: where it has ended then, the other end has not. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** The user wants no more. What comes is let pass, so that the other end can close in order. */
  drop(): void {
    if (!this.#isOpen) return;
    this.letGo();
    void this.#drain();
  }

  /** The stream ends here, and nothing more is read of its source. */
  letGo(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#controller?.close();
    // A read into the reader's own buffer waits for more.
    this.#controller?.byobRequest?.respond(0);
  }

  fail(error: unknown): void {
    if (this.#isOpen) this.#controller?.error(error);
    this.#isOpen = false;
    this.#reader.cancel(error).catch(() => {});
  }

  async #pull(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (!this.#isOpen) return;
        const bytes = bytesOf(value);
        if (done) this.letGo();
        else if (bytes === undefined) this.fail(new TypeError(NO_BYTES));
        // A byte stream refuses empty chunks.
        else if (bytes.length === 0) continue;
        else this.#controller?.enqueue(bytes as Uint8Array<ArrayBuffer>);
        return;
      }
    } catch (error) {
      await this.#opened.catch(() => {});
      if (this.#isOpen) this.#controller?.error(error);
      this.#isOpen = false;
    }
  }

  async #drain(): Promise<void> {
    try {
      while (!(await this.#reader.read()).done);
    } catch {
      // Nobody asks any more.
    }
  }
}

/** What goes out. States: open → ending (what was written goes, nothing more is taken) → ended. */
export class SocketOutgoing {
  readonly writable: WritableStream<Bytes>;
  /** Resolves when all of it has gone and the sink is closed, rejects with what broke it. */
  readonly ended: Promise<void>;
  readonly #writer: WritableStreamDefaultWriter<Bytes>;
  readonly #opened: Promise<unknown>;
  #controller: WritableStreamDefaultController | undefined;
  /** Chunks that were written and have not gone. */
  #queued = 0;
  #isEnding = false;
  #handleFlushed: (() => void) | undefined;

  /** Takes over `sink`. Where `opened` rejects, that is what broke it, and its owner calls `fail`. */
  constructor(sink: WritableStream<Bytes>, opened: Promise<unknown>) {
    this.#opened = opened;
    this.#writer = sink.getWriter();
    this.ended = this.#writer.closed;
    this.writable = new WritableStream<Bytes>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        write: (chunk) => this.#write(chunk),
        close: () => (this.#isEnding ? undefined : this.#finish()),
        abort: (reason) => this.#writer.abort(reason),
      },
      // Asked for each chunk as it is written: nothing else tells how many wait.
      { highWaterMark: 1, size: () => this.#count() },
    );
    this.ended.catch(async (error) => {
      await opened.catch(() => {});
      this.#controller?.error(error);
    });
  }

  /** Whether nothing waits to go. */
  get isIdle(): boolean {
    return this.#queued === 0;
  }

  /** The other end takes no more: what was written goes; a writer that is held finds later chunks refused. */
  async end(): Promise<void> {
    if (this.#isEnding) return;
    await this.#flush();
    await this.#finish();
  }

  /** Ends it for whoever holds a writer too. */
  async close(): Promise<void> {
    await this.end();
    this.#controller?.error(new TypeError(CLOSED));
  }

  /** Takes nothing more, and leaves the sink open. Resolves when what was written has gone. */
  async letGo(): Promise<void> {
    await this.#flush();
    this.#controller?.error(new TypeError(CLOSED));
  }

  fail(error: unknown): void {
    this.#controller?.error(error);
    this.#writer.abort(error).catch(() => {});
  }

  #count(): number {
    if (!this.#isEnding) this.#queued++;
    return 1;
  }

  async #write(chunk: Bytes): Promise<void> {
    if (this.#queued === 0) throw new TypeError(CLOSED);
    try {
      await this.#writer.write(this.#checked(chunk));
    } catch (error) {
      await this.#opened;
      throw error;
    } finally {
      this.#queued--;
      if (this.#queued === 0) this.#handleFlushed?.();
    }
  }

  /** A stream whose sink refused a chunk takes nothing more: the other end must not wait for it. */
  #checked(chunk: unknown): Bytes {
    const bytes = bytesOf(chunk);
    if (bytes !== undefined) return bytes;
    const error = new TypeError(NO_BYTES);
    this.#writer.abort(error).catch(() => {});
    throw error;
  }

  async #flush(): Promise<void> {
    this.#isEnding = true;
    if (this.#queued === 0) return;
    const flushed = new Promise<void>((resolve) => {
      this.#handleFlushed = resolve;
    });
    // A sink that breaks takes none of the rest.
    await Promise.race([flushed, this.ended.catch(() => {})]);
  }

  async #finish(): Promise<void> {
    this.#isEnding = true;
    await this.#writer.close();
  }
}
