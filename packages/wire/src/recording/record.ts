// Records of what passed over links, as a recording holds them (schemas/recording.capnp).
import { DecodeError } from "../errors.ts";
import {
  RECORD_CLOSED_POINTER,
  RECORD_DATA_WORDS,
  RECORD_IS_CLOSED,
  RECORD_IS_MADE,
  RECORD_IS_OPENED,
  RECORD_IS_RECEIVED,
  RECORD_IS_SENT,
  RECORD_LINK,
  RECORD_MADE_POINTER,
  RECORD_MICROSECONDS,
  RECORD_OPENED_BATCHED_BIT,
  RECORD_OPENED_PACKED_BIT,
  RECORD_POINTERS,
  RECORD_SENT_POINTER,
  RECORD_WHICH,
} from "../gen/recording.ts";
import { resolveLimits } from "../limits.ts";
import { ElementSize, setListPointer, setStructPointer } from "../segment/pointers.ts";
import { SegmentReader } from "../segment/reader.ts";
import { writeText } from "../segment/text.ts";
import type { SegmentWriter } from "../segment/writer.ts";

/** The first line of a recording. A newer layout that older readers would misread has another number. */
export const RECORDING_HEADER = "capstan recording 1\n";

/** Something that happened on a link, as the end that recorded it saw it. */
export type LinkEvent =
  /** The link is about to be opened, or was accepted. `peer` names the other end for people. */
  | { readonly kind: "made"; readonly peer: string }
  /** `batched`: whether a frame may hold several messages. `packed`: whether frames are packed on their way; here they are not. */
  | { readonly kind: "opened"; readonly batched: boolean; readonly packed: boolean }
  | { readonly kind: "sent"; readonly frame: Uint8Array }
  | { readonly kind: "received"; readonly frame: Uint8Array }
  /** The last one of its link. */
  | { readonly kind: "closed"; readonly reason: string };

/** When and where it happened. */
export interface LinkRecord {
  /** Since the recording began; an integer. */
  readonly microseconds: number;
  /** Links are counted from 1. */
  readonly link: number;
  readonly event: LinkEvent;
}

const WHICH = {
  made: RECORD_IS_MADE,
  opened: RECORD_IS_OPENED,
  sent: RECORD_IS_SENT,
  received: RECORD_IS_RECEIVED,
  closed: RECORD_IS_CLOSED,
} as const;

/** Bytes of one record; no frame may be as long. */
const MAX_RECORD_BYTES = 2 ** 29;
const LIMITS = resolveLimits({ maxMessageWords: MAX_RECORD_BYTES / 8 });

/** Appends one record, framed. The frame in it is copied. */
export function writeRecord(out: SegmentWriter, { microseconds, link, event }: LinkRecord): void {
  const start = out.length;
  const data = start + 16;
  const pointer = data + 8 * RECORD_DATA_WORDS;
  const size = 16 + 8 * (RECORD_DATA_WORDS + RECORD_POINTERS);
  out.ensure(size);
  out.bytes.fill(0, start, start + size);
  out.length = start + size;
  setStructPointer(out.view, start + 8, data, RECORD_DATA_WORDS, RECORD_POINTERS);
  out.view.setBigUint64(data + RECORD_MICROSECONDS, BigInt(microseconds), true);
  out.view.setUint32(data + RECORD_LINK, link, true);
  out.view.setUint16(data + RECORD_WHICH, WHICH[event.kind], true);
  if (event.kind === "opened") {
    if (event.batched) setBit(out.bytes, data, RECORD_OPENED_BATCHED_BIT);
    if (event.packed) setBit(out.bytes, data, RECORD_OPENED_PACKED_BIT);
  } else if (event.kind === "made") writeText(out, pointer + 8 * RECORD_MADE_POINTER, event.peer);
  else if (event.kind === "closed") writeText(out, pointer + 8 * RECORD_CLOSED_POINTER, event.reason);
  else writeFrame(out, pointer + 8 * RECORD_SENT_POINTER, event.frame);
  out.align();
  out.view.setUint32(start + 4, (out.length - start) / 8 - 1, true);
}

function setBit(bytes: Uint8Array, data: number, bit: number): void {
  const at = data + (bit >> 3);
  bytes[at] = (bytes[at] as number) | (1 << (bit & 7));
}

function writeFrame(out: SegmentWriter, pointerAt: number, frame: Uint8Array): void {
  const at = out.length;
  out.ensure(frame.length);
  out.bytes.set(frame, at);
  setListPointer(out.view, pointerAt, at, ElementSize.byte, frame.length);
  out.length = at + frame.length;
}

/** Takes records out of a recording that comes in pieces. Holds no more than a piece and one record. */
export class RecordReader {
  /** What makes no whole record yet. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Held bytes with which it can go on. */
  #wantedBytes = RECORDING_HEADER.length;
  #hasHeader = false;

  /** Bytes of a record that is not whole, or of a first line: at the end of a recording, of what was cut off. */
  get restBytes(): number {
    return this.#heldBytes;
  }

  /** Whether the first line was there. */
  get hasHeader(): boolean {
    return this.#hasHeader;
  }

  /** The records that `piece` makes whole; to be taken all. Throws DecodeError for what is no recording. */
  *read(piece: Uint8Array): Generator<LinkRecord> {
    this.#hold(piece);
    if (this.#heldBytes < this.#wantedBytes) return;
    let bytes = this.#takeHeld();
    if (!this.#hasHeader) {
      checkHeader(bytes);
      this.#hasHeader = true;
      bytes = bytes.subarray(RECORDING_HEADER.length);
    }
    for (;;) {
      this.#wantedBytes = bytes.length < 8 ? 8 : lengthOf(bytes);
      if (bytes.length < this.#wantedBytes) break;
      const record = bytes.subarray(0, this.#wantedBytes);
      bytes = bytes.subarray(this.#wantedBytes);
      yield decodeRecord(record);
    }
    this.#hold(bytes);
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  #takeHeld(): Uint8Array {
    const bytes = new Uint8Array(this.#heldBytes);
    let at = 0;
    for (const piece of this.#held) {
      bytes.set(piece, at);
      at += piece.length;
    }
    this.#held = [];
    this.#heldBytes = 0;
    return bytes;
  }
}

function checkHeader(bytes: Uint8Array): void {
  for (let i = 0; i < RECORDING_HEADER.length; i++) {
    if (bytes[i] !== RECORDING_HEADER.charCodeAt(i)) throw new DecodeError("this is no recording of version 1");
  }
}

/** Bytes of the record that `bytes` begins with. */
function lengthOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = 8 + 8 * view.getUint32(4, true);
  if (view.getUint32(0, true) !== 0 || length > MAX_RECORD_BYTES) throw new DecodeError("a record that cannot be one");
  return length;
}

function decodeRecord(bytes: Uint8Array): LinkRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = new SegmentReader(bytes, view, 8, bytes.length, LIMITS);
  if (bytes.length < 16) throw new DecodeError("a record without a root");
  reader.enterStruct(reader.start);
  return {
    microseconds: Number(reader.u64(RECORD_MICROSECONDS)),
    link: reader.u32(RECORD_LINK),
    event: decodeEvent(reader),
  };
}

function decodeEvent(reader: SegmentReader): LinkEvent {
  const which = reader.u16(RECORD_WHICH);
  switch (which) {
    case RECORD_IS_MADE:
      return { kind: "made", peer: reader.text(reader.pointer(RECORD_MADE_POINTER)) };
    case RECORD_IS_OPENED:
      return {
        kind: "opened",
        batched: reader.bit(RECORD_OPENED_BATCHED_BIT),
        packed: reader.bit(RECORD_OPENED_PACKED_BIT),
      };
    case RECORD_IS_SENT:
    case RECORD_IS_RECEIVED:
      reader.blob(reader.pointer(RECORD_SENT_POINTER));
      return {
        kind: which === RECORD_IS_SENT ? "sent" : "received",
        frame: reader.bytes.slice(reader.blobStart, reader.blobEnd),
      };
    case RECORD_IS_CLOSED:
      return { kind: "closed", reason: reader.text(reader.pointer(RECORD_CLOSED_POINTER)) };
    default:
      throw new DecodeError(`a record of unknown kind ${which}`);
  }
}
