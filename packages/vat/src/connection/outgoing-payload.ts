// hot path (bench: npm run bench). What a payload of ours names becomes entries of the tables; what calls may be pipelined on stays.
import {
  type CapDescriptor,
  CapKind,
  copyWithoutLists,
  type ExportId,
  type Limits,
  SegmentReader,
  SegmentWriter,
} from "@capstan/wire";
import { type DescriptorTables, describeCapability, pinCapability } from "../capabilities/descriptors.ts";
import { RpcError } from "../errors.ts";
import { type PayloadBuilder, ReceivedPayload } from "../payload.ts";

/** Results of more bytes than this are kept without their lists. */
const MAX_KEPT_WHOLE = 4096;
const KEPT_BYTES = 512;

/** What the functions here need of a connection. */
interface OutgoingTables extends DescriptorTables {
  readonly exports: DescriptorTables["exports"] & { release(id: ExportId, count: number): void };
}

/** One descriptor for each capability that was named, counted in the tables. Throws with nothing counted. */
export function describeAll(tables: OutgoingTables, builder: PayloadBuilder): CapDescriptor[] {
  const descriptors: CapDescriptor[] = [];
  try {
    for (const cap of builder.caps) descriptors.push(describeCapability(tables, cap));
  } catch (error) {
    for (const id of exportedIds(descriptors)) tables.exports.release(id, 1);
    throw error;
  }
  return descriptors;
}

/** Keeps results that calls may be pipelined on: a copy, because the outbox goes its own way. */
export function keepForPipelining(
  tables: OutgoingTables,
  builder: PayloadBuilder,
  start: number,
  at: number,
): ReceivedPayload {
  const { limits } = tables;
  const caps = builder.takeCaps();
  const pinned = caps.map((cap) => cap && pinCapability(tables, cap));
  for (const cap of caps) cap?.release();
  const { writer } = builder;
  if (writer.length - start <= MAX_KEPT_WHOLE) {
    const bytes = writer.bytes.slice(start, writer.length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new ReceivedPayload(new SegmentReader(bytes, view, 8, bytes.length, limits), at - start, pinned);
  }
  const whole = new SegmentReader(writer.bytes, writer.view, start + 8, writer.length, limits);
  const kept = new SegmentWriter(KEPT_BYTES);
  kept.view.setFloat64(0, 0);
  kept.length = 8;
  copyWithoutLists(whole, at, kept, 0);
  return new ReceivedPayload(new SegmentReader(kept.bytes, kept.view, 0, kept.length, limits), 0, pinned);
}

/** A frame of this message must be one that the peer takes. */
export function checkSize(bytes: number, { maxFrameBytes }: Limits): void {
  if (bytes <= maxFrameBytes) return;
  throw RpcError.failed(`A message of ${bytes} bytes is larger than a frame may be (${maxFrameBytes}).`);
}

/** The exports that descriptors of ours count a reference of. */
export function exportedIds(descriptors: readonly CapDescriptor[]): ExportId[] {
  const ids: ExportId[] = [];
  for (const { kind, id } of descriptors) {
    if (kind === CapKind.senderHosted || kind === CapKind.senderPromise) ids.push(id as ExportId);
  }
  return ids;
}
