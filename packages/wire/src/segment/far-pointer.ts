// Follows one pointer of a message of any number of segments: far pointers lead from one segment to another.
import { PointerKind } from "./pointers.ts";

/** A message as it came: its segments are `bytes[starts[i]..ends[i])`. */
export interface MessageSegments {
  readonly bytes: Uint8Array;
  /** Views all of `bytes`. */
  readonly view: DataView;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Where a pointer leads. */
export class PointerTarget {
  /** The two halves of the pointer that says what is there, which is never a far one. */
  low = 0;
  high = 0;
  segment = 0;
  /** Position of what is there. Not checked against the segment. */
  at = 0;
}

/**
 * Follows the pointer at `pointerAt` in `segment`, over at most two hops. False where a far pointer is not right: that
 * is all that can be wrong here.
 */
export function resolvePointer(from: MessageSegments, segment: number, pointerAt: number, to: PointerTarget): boolean {
  const low = from.view.getInt32(pointerAt, true);
  if ((low & 3) !== PointerKind.far) return near(from, segment, pointerAt, to);
  const padSegment = from.view.getUint32(pointerAt + 4, true);
  const pad = position(from, padSegment, low);
  const isDouble = (low & 4) !== 0;
  if (pad < 0 || pad + (isDouble ? 16 : 8) > (from.ends[padSegment] as number)) return false;
  if (!isDouble) return near(from, padSegment, pad, to) && (to.low & 3) !== PointerKind.far;
  // The pad of a double far pointer: where the object starts, and a pointer that says what it is.
  const start = from.view.getInt32(pad, true);
  to.segment = from.view.getUint32(pad + 4, true);
  to.at = position(from, to.segment, start);
  to.low = from.view.getInt32(pad + 8, true);
  to.high = from.view.getUint32(pad + 12, true);
  return to.at >= 0 && (start & 7) === PointerKind.far && (to.low & 3) < PointerKind.far;
}

function near(from: MessageSegments, segment: number, pointerAt: number, to: PointerTarget): boolean {
  to.low = from.view.getInt32(pointerAt, true);
  to.high = from.view.getUint32(pointerAt + 4, true);
  to.segment = segment;
  to.at = pointerAt + 8 + (to.low & ~3) * 2;
  return true;
}

/** The position that the lower half of a far pointer names in `segment`, or -1. */
function position(from: MessageSegments, segment: number, low: number): number {
  const start = from.starts[segment];
  return start === undefined ? -1 : start + (low >>> 3) * 8;
}
