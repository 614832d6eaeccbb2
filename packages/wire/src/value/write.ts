// hot path (bench: npm run bench). JavaScript values to bytes: what V8's serializer writes, in its version 15.
import type { SegmentWriter } from "../segment/writer.ts";
import type { HostObjectWriter } from "./host.ts";
import type { ValueLimits } from "./limits.ts";
import { ValueWriter } from "./value-writer.ts";
import { writeRemnant } from "./write-errors.ts";

/** The writer that is not in use. A getter that writes another value meanwhile finds none, and makes one. */
let spare: ValueWriter | undefined;

/**
 * Writes `value` at `out.length` (which must be a multiple of 8) and leaves `out.length` behind its last byte.
 *
 * Getters of the value run meanwhile: they must not write to `out`. Whatever is thrown leaves `out.length` as it was:
 * DOMException named DataCloneError for what cannot be sent or is over a limit, and all that getters and `host` throw.
 */
export function writeValue(out: SegmentWriter, value: unknown, host: HostObjectWriter, limits: ValueLimits): void {
  const writer = spare ?? new ValueWriter();
  spare = undefined;
  try {
    writer.begin(out, host, limits);
    writer.writeValue(value);
    writer.finish();
  } finally {
    writer.reset();
    spare = writer;
  }
}

/** Like `writeValue` of an array with these elements and nothing else: a call's arguments. */
export function writeElements(
  out: SegmentWriter,
  elements: readonly unknown[],
  host: HostObjectWriter,
  limits: ValueLimits,
): void {
  const writer = spare ?? new ValueWriter();
  spare = undefined;
  try {
    writer.begin(out, host, limits);
    writer.writeElements(elements);
    writer.finish();
  } finally {
    writer.reset();
    spare = writer;
  }
}

/**
 * Like `writeValue` of something that was thrown: a plain object loses those of its properties that cannot be written.
 * Errors always do.
 */
export function writeThrown(out: SegmentWriter, value: object, host: HostObjectWriter, limits: ValueLimits): void {
  const writer = new ValueWriter();
  writer.isThrown = true;
  writer.begin(out, host, limits);
  if (Object.getPrototypeOf(value) === Object.prototype) writeRemnant(writer, value);
  else writer.writeValue(value);
  writer.finish();
}
