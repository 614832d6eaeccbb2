// hot path (bench: npm run bench). What a payload of ours names becomes entries of the tables; what calls may be pipelined on stays.
import {
  type CapDescriptor,
  CapKind,
  copyWithoutLists,
  type Exception,
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

/** What one descriptor takes at most, without its transform. */
const DESCRIPTOR_BYTES = 48;
/** The same for a message around its exception. */
const ENVELOPE_BYTES = 256;
const DETAIL_BYTES = 32;
/** One character as UTF-8: what a peer sent that is none takes three bytes where it was one. */
const CHARACTER_BYTES = 3;
/** Bytes of a list. */
const MAX_TEXT_BYTES = 2 ** 29 - 1;

/** What the functions here need of a connection. */
interface OutgoingTables extends DescriptorTables {
  readonly exports: DescriptorTables["exports"] & { release(id: ExportId, count: number): void };
}

/**
 * One descriptor for each capability that was named, counted in the tables. Throws with nothing counted, also where they make
 * the message that began at `start` too large.
 */
export function describeAll(tables: OutgoingTables, builder: PayloadBuilder, start: number): CapDescriptor[] {
  const descriptors: CapDescriptor[] = [];
  try {
    let bytes = builder.writer.length - start;
    for (const cap of builder.caps) {
      const descriptor = describeCapability(tables, cap);
      descriptors.push(descriptor);
      bytes += DESCRIPTOR_BYTES + 8 * descriptor.transform.length;
    }
    checkSize(bytes, tables.limits);
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

/**
 * An error as it goes on the wire: as much of it as one frame has room for, the reason first, then details that fit whole,
 * then the trace. It may come from elsewhere, where there was more room.
 */
export function exceptionToSend(error: RpcError, { maxFrameBytes }: Limits): Exception {
  const whole = error.toException();
  const { type, reason, trace, details } = whole;
  let room = Math.min(maxFrameBytes, MAX_TEXT_BYTES) - ENVELOPE_BYTES;
  if (details.length === 0 && CHARACTER_BYTES * (reason.length + trace.length) <= room) return whole;
  const cut = (text: string): string => {
    const kept = text.slice(0, Math.max(0, Math.floor(room / CHARACTER_BYTES)));
    room -= CHARACTER_BYTES * kept.length;
    return kept;
  };
  const sentReason = cut(reason);
  const sentDetails = details.filter(({ data }) => {
    const bytes = DETAIL_BYTES + data.length;
    if (bytes > room) return false;
    room -= bytes;
    return true;
  });
  return { type, reason: sentReason, trace: cut(trace), details: sentDetails };
}

/** The exports that descriptors of ours count a reference of. */
export function exportedIds(descriptors: readonly CapDescriptor[]): ExportId[] {
  const ids: ExportId[] = [];
  for (const { kind, id } of descriptors) {
    if (kind === CapKind.senderHosted || kind === CapKind.senderPromise) ids.push(id as ExportId);
  }
  return ids;
}
