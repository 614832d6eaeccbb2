// Blobs as values. Their bytes are not at hand when a message is written: it is written again once they are.
import type { ValueReader, ValueWriter } from "@capstan/wire";
import * as Tag from "./host-tags.ts";

/** Bytes of Blobs that a message waits for. */
const bytesOf = new WeakMap<Blob, Uint8Array>();

/** Thrown while a message is written. Whoever writes it waits for `read` and begins anew. */
export class UnreadBlob extends Error {
  readonly #blob: Blob;

  constructor(blob: Blob) {
    super("A Blob has not been read yet.");
    this.#blob = blob;
  }

  /** Reads the bytes. Rejects where they cannot be read. */
  async read(): Promise<void> {
    bytesOf.set(this.#blob, new Uint8Array(await this.#blob.arrayBuffer()));
  }
}

/** Throws UnreadBlob where its bytes are not at hand. */
export function writeBlob(out: ValueWriter, blob: Blob): void {
  const bytes = bytesOf.get(blob);
  if (bytes === undefined) throw new UnreadBlob(blob);
  out.writeHostTag(Tag.BLOB);
  out.writeString(blob.type);
  out.writeBytes(bytes);
}

export function readBlob(input: ValueReader): Blob {
  const type = input.readString();
  return new Blob([input.readBytes()], { type });
}
