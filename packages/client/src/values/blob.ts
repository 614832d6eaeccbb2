// Blobs as values. Their bytes are not at hand when a message is written: what was written is kept, and sent with them.
import type { Capability, PayloadBuilder } from "@capstan/vat";
import type { External, ValueReader, ValueWriter } from "@capstan/wire";
import type { StubCore } from "../stubs/brand.ts";
import type { SentDisposer } from "./by-reference.ts";
import * as Tag from "./host-tags.ts";
import type { Push } from "./outgoing.ts";

/** A Blob in a value, and where its bytes belong: counted from the value's first byte. */
export interface BlobGap {
  readonly blob: Blob;
  readonly at: number;
}

/** What the objects of a value left behind when it was written. */
export interface WrittenObjects {
  /** Borrowed: `KeptValue` takes references of its own. */
  readonly caps: readonly (Capability | undefined)[];
  readonly externals: External[];
  readonly pushes: Push[] | undefined;
  readonly sent: StubCore[] | undefined;
  readonly disposers: readonly SentDisposer[] | undefined;
}

/** A value that was written once and waits to be sent. Owns references until `release`. */
export class KeptValue {
  readonly bytes: Uint8Array;
  readonly objects: WrittenObjects;

  constructor(bytes: Uint8Array, objects: WrittenObjects) {
    this.bytes = bytes;
    this.objects = objects;
  }

  /** Names its capabilities in a message, in their order. */
  addCapabilities(out: PayloadBuilder): void {
    for (const cap of this.objects.caps) {
      if (cap === undefined) out.addNull();
      else out.addCapability(cap);
    }
  }

  release(): void {
    for (const cap of this.objects.caps) cap?.release();
  }
}

/**
 * Thrown once a value that holds Blobs is written, with nothing sent. Whoever catches it waits for `read` and sends what
 * that gives: getters ran, and objects were served, this once. Owns references until then, so it must not be dropped.
 */
export class UnreadBlobs extends Error {
  readonly #bytes: Uint8Array;
  readonly #gaps: readonly BlobGap[];
  readonly #objects: WrittenObjects;

  /** @param bytes the value without the Blobs' bytes. */
  constructor(bytes: Uint8Array, gaps: readonly BlobGap[], objects: WrittenObjects) {
    super("Blobs have not been read yet.");
    this.#bytes = bytes;
    this.#gaps = gaps;
    this.#objects = objects;
    for (const cap of objects.caps) cap?.addRef();
  }

  /** The whole value, which is the caller's to release. Where a Blob cannot be read it rejects, and all is given back. */
  async read(): Promise<KeptValue> {
    try {
      const contents = await Promise.all(this.#gaps.map(({ blob }) => blob.arrayBuffer()));
      return new KeptValue(this.#fill(contents), this.#objects);
    } catch (error) {
      for (const cap of this.#objects.caps) cap?.release();
      throw error;
    }
  }

  #fill(contents: readonly ArrayBuffer[]): Uint8Array {
    const pieces: Uint8Array[] = [];
    let from = 0;
    this.#gaps.forEach(({ at }, index) => {
      const content = new Uint8Array(contents[index] ?? new ArrayBuffer(0));
      pieces.push(this.#bytes.subarray(from, at), varint(content.length), content);
      from = at;
    });
    pieces.push(this.#bytes.subarray(from));
    const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

/** Writes all of it but its bytes; returns where those belong. */
export function writeBlob(out: ValueWriter, blob: Blob): BlobGap {
  const isFile = blob instanceof File;
  out.writeHostTag(isFile ? Tag.FILE : Tag.BLOB);
  if (isFile) {
    out.writeString(blob.name);
    out.writeDouble(blob.lastModified);
  }
  out.writeString(blob.type);
  return { blob, at: out.size };
}

export function readBlob(input: ValueReader): Blob {
  const type = input.readString();
  return new Blob([input.readBytes()], { type });
}

export function readFile(input: ValueReader): File {
  const name = input.readString();
  const lastModified = input.readDouble();
  const type = input.readString();
  return new File([input.readBytes()], name, { type, lastModified });
}

function varint(value: number): Uint8Array {
  const bytes = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
