// hot path (bench: npm run bench). Content and capabilities of params and results, on their way out and as received.
import {
  copyPointer,
  type Limits,
  type Payload,
  SegmentReader,
  SegmentWriter,
  setCapabilityPointer,
} from "@capstan/wire";
import type { Capability } from "./capabilities/capability.ts";

/**
 * Writes the content of a payload. Implementations are made once and reused for every message, so that a call
 * allocates no closure. `encode` may run user code (getters), and may throw: then nothing was sent.
 */
export interface PayloadEncoder<T> {
  /** Writes content at `out.writer.length` and points the pointer at `out.at` to it. */
  encode(out: PayloadBuilder, content: T): void;
}

/** A payload that is being written. */
export class PayloadBuilder {
  readonly writer: SegmentWriter;
  /** Position of the content pointer, zeroed. */
  at = 0;
  /** Capabilities named so far, in the order of the cap table; each one a reference that the builder owns. */
  caps: (Capability | undefined)[] = [];

  constructor(writer: SegmentWriter) {
    this.writer = writer;
  }

  /** Adds `cap` to the cap table and returns its index. Borrows: the builder takes a reference of its own. */
  addCapability(cap: Capability): number {
    return this.caps.push(cap.addRef()) - 1;
  }

  /** Adds a null entry to the cap table: one that a forwarded payload has, whose indexes must not shift. */
  addNull(): void {
    this.caps.push(undefined);
  }

  /** Hands over the references collected so far. */
  takeCaps(): (Capability | undefined)[] {
    const caps = this.caps;
    this.caps = [];
    return caps;
  }

  releaseCaps(): void {
    if (this.caps.length === 0) return;
    for (const cap of this.takeCaps()) cap?.release();
  }
}

const NO_CAPS: Capability[] = [];
Object.freeze(NO_CAPS);

/** Params or results that this vat holds: one flat message and the capabilities that it names. */
export class ReceivedPayload {
  readonly reader: SegmentReader;
  /** Position of the content pointer in `reader`, or -1 where there is no content. */
  readonly content: number;
  /** One reference each, owned by this payload until `release`. A null entry of the cap table is undefined. */
  #caps: readonly (Capability | undefined)[];

  constructor(reader: SegmentReader, content: number, caps: readonly (Capability | undefined)[] = NO_CAPS) {
    this.reader = reader;
    this.content = content;
    this.#caps = caps;
  }

  /** How many entries the cap table has. */
  get capCount(): number {
    return this.#caps.length;
  }

  /** The capability at `index`, borrowed; undefined for a null entry, an index past the table, or after `release`. */
  cap(index: number): Capability | undefined {
    return this.#caps[index];
  }

  /** The same content with references of its own. */
  share(): ReceivedPayload {
    for (const cap of this.#caps) cap?.addRef();
    return new ReceivedPayload(this.reader, this.content, this.#caps);
  }

  /** Gives the references back. Idempotent; the bytes stay readable. */
  release(): void {
    const caps = this.#caps;
    if (caps.length === 0) return;
    this.#caps = NO_CAPS;
    for (const cap of caps) cap?.release();
  }

  /**
   * The capability that a promised answer's transform leads to: pointer field by pointer field from the content.
   * Borrowed; undefined where the way ends at something else.
   */
  follow(transform: readonly number[]): Capability | undefined {
    const index = this.reader.capabilityIndex(this.reader.follow(this.content, transform));
    return index < 0 ? undefined : this.#caps[index];
  }
}

/**
 * The same payload in bytes of its own, where what it came in is more than twice as long: a frame of many messages is held
 * as a whole by each of them.
 */
export function inOwnBytes(payload: Payload, limits: Limits): Payload {
  const { reader, content, capTable } = payload;
  const length = reader.end - reader.start;
  if (reader.bytes.buffer.byteLength <= 2 * length) return payload;
  const bytes = reader.bytes.slice(reader.start, reader.end);
  const copy = new SegmentReader(bytes, new DataView(bytes.buffer), 0, length, limits);
  copy.budget = reader.budget;
  return { reader: copy, content: content < 0 ? content : content - reader.start, capTable };
}

const LOCAL_BYTES = 512;

/**
 * Encodes into a message of its own, for a call that does not leave this vat, or not yet. Owns the references.
 *
 * @param isKept whether it will stay for long: then what is not needed of the buffer is given back.
 */
export function encodeStandalone<T>(
  encoder: PayloadEncoder<T>,
  content: T,
  limits: Limits,
  isKept = false,
): ReceivedPayload {
  const builder = new PayloadBuilder(new SegmentWriter(LOCAL_BYTES));
  const writer = builder.writer;
  writer.view.setFloat64(0, 0);
  writer.length = 8;
  try {
    encoder.encode(builder, content);
  } catch (error) {
    builder.releaseCaps();
    throw error;
  }
  writer.align();
  const caps = builder.caps.length === 0 ? NO_CAPS : builder.takeCaps();
  const bytes = isKept ? writer.bytes.slice(0, writer.length) : writer.bytes;
  const view = isKept ? new DataView(bytes.buffer) : writer.view;
  return new ReceivedPayload(new SegmentReader(bytes, view, 0, writer.length, limits), 0, caps);
}

/** Writes a payload that this vat holds into another message: a forwarded call, or a forwarded result. Borrows it. */
export const forwardEncoder: PayloadEncoder<ReceivedPayload> = {
  encode(out, payload) {
    for (let index = 0; index < payload.capCount; index++) {
      const cap = payload.cap(index);
      if (cap !== undefined) out.addCapability(cap);
      else out.addNull();
    }
    if (payload.content >= 0) copyPointer(payload.reader, payload.content, out.writer, out.at);
  },
};

/** Content that is one capability and nothing else, as Bootstrap returns it. Borrows it. */
export const capabilityEncoder: PayloadEncoder<Capability> = {
  encode(out, cap) {
    setCapabilityPointer(out.writer.view, out.at, out.addCapability(cap));
  },
};

/** No content, no capabilities. */
export function emptyPayload(limits: Limits): ReceivedPayload {
  const bytes = new Uint8Array(8);
  return new ReceivedPayload(new SegmentReader(bytes, new DataView(bytes.buffer), 0, 8, limits), -1);
}
