// Ways in which frames go wrong.
import type { Random } from "./random.ts";

/** Halves of words that tend to hurt. */
const EVIL = [0, 1, 2, 3, 4, 5, 7, 8, 0x40, 0x7f, 0xffff, 0x1_0000, 0x1_0001, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
/** Ids lie close to each other. */
const SMALL = 24;
const MAX_BYTES = 16 * 1024;

type Mutation = (frame: Uint8Array, random: Random, corpus: readonly Uint8Array[]) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  setHalves,
  setIds,
  setIds,
  bendPointers,
  bendPointers,
  truncate,
  splice,
  repeatMessages,
  exchangeWords,
];

/** The frame, changed in one way or several. The original stays as it is. */
export function mutate(original: Uint8Array, random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  let frame: Uint8Array = original.slice();
  for (let times = 1 + random.below(3); times > 0; times--) {
    if (frame.length >= 16) frame = random.of(MUTATIONS)(frame, random, corpus);
  }
  return frame.length > MAX_BYTES ? frame.slice(0, MAX_BYTES) : frame;
}

function flipBits(frame: Uint8Array, random: Random): Uint8Array {
  for (let times = 1 + random.below(8); times > 0; times--) {
    const at = random.below(frame.length);
    frame[at] = (frame[at] as number) ^ (1 << random.below(8));
  }
  return frame;
}

function setHalves(frame: Uint8Array, random: Random): Uint8Array {
  const value = random.once(3) ? random.next() : random.of(EVIL);
  return setHalf(frame, 4 * random.below(frame.length >> 2), value);
}

/** Small numbers become other small ones: ids, kinds, counts. */
function setIds(frame: Uint8Array, random: Random): Uint8Array {
  const view = viewOf(frame);
  for (let tries = 0; tries < 16; tries++) {
    const at = 2 * random.below(frame.length >> 1);
    if (view.getUint16(at, true) >= SMALL) continue;
    view.setUint16(at, random.below(SMALL), true);
    break;
  }
  return frame;
}

/** Words that look like pointers lead elsewhere, to something larger, or to something of another kind. */
function bendPointers(frame: Uint8Array, random: Random): Uint8Array {
  const view = viewOf(frame);
  for (let tries = 0; tries < 16; tries++) {
    const at = 8 * random.below(frame.length >> 3);
    const low = view.getInt32(at, true);
    const high = view.getUint32(at + 4, true);
    if (high === 0 || Math.abs(low >> 2) > frame.length >> 3) continue;
    switch (random.below(5)) {
      case 0:
        return setHalf(frame, at, ((random.below(64) - 32) << 2) | (low & 3));
      case 1:
        return setHalf(frame, at, (low & ~3) | random.below(4));
      case 2:
        return setHalf(frame, at + 4, (random.below(8) << 16) | random.below(8));
      case 3:
        return setHalf(frame, at + 4, (high & 7) | (random.next() << 3));
      default:
        setHalf(frame, at, 0);
        return setHalf(frame, at + 4, 0);
    }
  }
  return frame;
}

function truncate(frame: Uint8Array, random: Random): Uint8Array {
  const length = random.once(4) ? random.below(frame.length) : 8 * random.below(frame.length >> 3);
  const cut = frame.slice(0, length);
  // A message as short as it says is read further than one that is not.
  if (random.once(2) && length >= 16) setHalf(cut, 4, (length >> 3) - 1);
  return cut;
}

function splice(frame: Uint8Array, random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  const other = random.of(corpus);
  const head = frame.subarray(0, 8 * random.below(1 + (frame.length >> 3)));
  return Buffer.concat([head, other.subarray(8 * random.below(1 + (other.length >> 3)))]).slice();
}

/** A message of the frame comes twice, is left out, or comes after the next one. */
function repeatMessages(frame: Uint8Array, random: Random): Uint8Array {
  const messages = splitFrame(frame);
  const index = random.below(messages.length);
  const message = messages[index] as Uint8Array;
  if (random.once(2)) messages.splice(random.below(messages.length + 1), 0, message);
  else {
    messages.splice(index, 1);
    if (random.once(2)) messages.splice(random.below(messages.length + 1), 0, message);
  }
  return new Uint8Array(Buffer.concat(messages));
}

function exchangeWords(frame: Uint8Array, random: Random): Uint8Array {
  const words = frame.length >> 3;
  const from = 8 * random.below(words);
  frame.copyWithin(8 * random.below(words), from, from + 8);
  return frame;
}

/** The messages of a frame, as far as they follow each other. */
export function splitFrame(frame: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  const view = viewOf(frame);
  for (let at = 0; at < frame.length; ) {
    const size = at + 8 <= frame.length && view.getUint32(at, true) === 0 ? 8 + 8 * view.getUint32(at + 4, true) : 0;
    const end = size === 0 || at + size > frame.length ? frame.length : at + size;
    messages.push(frame.subarray(at, end));
    at = end;
  }
  return messages;
}

function setHalf(frame: Uint8Array, at: number, value: number): Uint8Array {
  viewOf(frame).setUint32(at, value >>> 0, true);
  return frame;
}

function viewOf(frame: Uint8Array): DataView {
  return new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
}
