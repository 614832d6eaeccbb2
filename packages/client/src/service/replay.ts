// A body that can be sent once more, for a redirect, as long as it is small.

type Bytes = Uint8Array<ArrayBufferLike>;

/** Why a body is not sent once more. */
export const NOT_REPLAYABLE = "A body that is a stream cannot be sent once more for a redirect.";

/**
 * Keeps what was read of a stream. States: kept (all that was read is here) → too large (what was read is gone, and it
 * can only be read on) ; done at any time, when nobody will want it from the start again.
 */
export class ReplayableBody {
  readonly #reader: ReadableStreamDefaultReader<Bytes>;
  readonly #maxBytes: number;
  #kept: Bytes[] | undefined = [];
  /** Chunks and bytes that were read. */
  #count = 0;
  #size = 0;
  /** A read that goes on, for this opened stream or the one before. */
  #reading: Promise<Bytes | undefined> | undefined;
  #isDone = false;
  #cancelled: { readonly reason: unknown } | undefined;

  /** Takes over `source`. */
  constructor(source: ReadableStream<Bytes>, maxBytes: number) {
    this.#reader = source.getReader();
    this.#maxBytes = maxBytes;
  }

  get canReplay(): boolean {
    return this.#kept !== undefined;
  }

  /** The body from its start. What was opened before must not be read any more. */
  open(): ReadableStream<Bytes> {
    let next = 0;
    this.#cancelled = undefined;
    return new ReadableStream(
      {
        type: "bytes",
        pull: async (controller: ReadableByteStreamController) => {
          const chunk = await this.#chunk(next++);
          if (chunk !== undefined) controller.enqueue(new Uint8Array(chunk));
          else {
            controller.close();
            controller.byobRequest?.respond(0);
          }
        },
        cancel: (reason: unknown) => this.#handleCancel(reason),
      } as UnderlyingByteSource,
      { highWaterMark: 0 },
    );
  }

  /** Nobody will open it again. */
  finish(): void {
    this.#isDone = true;
    if (this.#cancelled !== undefined) this.#handleCancel(this.#cancelled.reason);
  }

  /** Undefined at the end. */
  async #chunk(index: number): Promise<Bytes | undefined> {
    while (this.#kept?.[index] === undefined && this.#reading !== undefined) await this.#reading;
    const kept = this.#kept?.[index];
    if (kept !== undefined) return kept;
    if (index !== this.#count) throw new TypeError(NOT_REPLAYABLE);
    this.#reading = this.#read();
    try {
      return await this.#reading;
    } finally {
      this.#reading = undefined;
    }
  }

  async #read(): Promise<Bytes | undefined> {
    let value: Bytes | undefined;
    do value = (await this.#reader.read()).value;
    while (value?.length === 0);
    if (value === undefined) return undefined;
    this.#count++;
    this.#size += value.length;
    if (this.#size > this.#maxBytes) this.#kept = undefined;
    if (!this.#isDone) this.#kept?.push(value);
    return value;
  }

  #handleCancel(reason: unknown): void {
    this.#cancelled = { reason };
    // Until then it may be wanted from the start again.
    if (this.#isDone || this.#kept === undefined) this.#reader.cancel(reason).catch(() => {});
  }
}
