// Content of payloads, written behind a pointer of its own and read from there.

import type { External, ExternalsWriter } from "../../../packages/wire/src/js-rpc/js-value.ts";
import { DEFAULT_LIMITS } from "../../../packages/wire/src/limits.ts";
import { SegmentReader } from "../../../packages/wire/src/segment/reader.ts";
import type { SegmentWriter } from "../../../packages/wire/src/segment/writer.ts";
import type { HostObjectReader } from "../../../packages/wire/src/value/host.ts";
import { dirtyWriter } from "./flat.ts";

/** Writes content with its pointer at 0, and returns a reader of it. @param packed whether it is laid out to be packed. */
export function contentOf(write: (out: SegmentWriter, at: number) => void, packed = false): SegmentReader {
  const out = dirtyWriter(packed);
  out.ensure(8);
  out.view.setFloat64(0, 0);
  out.length = 8;
  write(out, 0);
  out.align();
  const bytes = out.take();
  return new SegmentReader(
    bytes,
    new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
    0,
    bytes.length,
    DEFAULT_LIMITS,
  );
}

/** The bytes that a reader spans. */
export function bytesIn(reader: SegmentReader): Uint8Array {
  return reader.bytes.slice(reader.start, reader.end);
}

/** Stands for a capability in values: each one leaves an external. */
export class Target {
  readonly external: External;

  constructor(external: External) {
    this.external = external;
  }
}

/** Writes targets as host objects under tag 64. */
export function targetWriter(): ExternalsWriter {
  const externals: External[] = [];
  return {
    externals,
    writeHostObject(out, object) {
      if (!(object instanceof Target)) return false;
      out.writeHostTag(64);
      externals.push(object.external);
      return true;
    },
  };
}

/** Reads targets back, one external each. */
export function targetReader(externals: readonly External[]): HostObjectReader {
  let next = 0;
  return {
    readHostObject(_input, tag) {
      if (tag !== 64) throw new Error(`tag ${tag}`);
      return new Target(externals[next++] as External);
    },
  };
}
