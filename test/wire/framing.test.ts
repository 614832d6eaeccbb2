import { expect } from "chai";
import { DecodeError } from "../../packages/wire/src/errors.ts";
import { FrameReader } from "../../packages/wire/src/framing.ts";
import { DEFAULT_LIMITS, resolveLimits } from "../../packages/wire/src/limits.ts";
import type { RpcMessage } from "../../packages/wire/src/rpc/messages.ts";
import { appendFlat, dirtyWriter, encodeFlat } from "./support/flat.ts";
import { decodeOne, type Plain, plainOf } from "./support/plain.ts";
import { frame, layOut, readTree } from "./support/tree.ts";
import { bytesOf, structAt, type Word } from "./support/words.ts";

const release = (id: number): Plain => ({ kind: 6, id, referenceCount: 1 });
const call: Plain = {
  kind: 2,
  questionId: 1,
  targetKind: 1,
  targetId: 2,
  transform: [3],
  interfaceHigh: 4,
  interfaceLow: 5,
  methodId: 6,
  sendResultsTo: 0,
  noPromisePipelining: false,
  onlyPromisePipeline: false,
  params: { content: "content", capTable: [{ kind: 1, id: 7, transform: [] }] },
};

function batchOf(messages: readonly Plain[]): Uint8Array {
  const w = dirtyWriter();
  for (const message of messages) appendFlat(w, message);
  return w.take();
}

function readAll(bytes: Uint8Array, batched = true, limits = DEFAULT_LIMITS): RpcMessage[] {
  const reader = new FrameReader(limits, { batched });
  reader.open(bytes);
  const messages: RpcMessage[] = [];
  for (let message = reader.next(); message !== undefined; message = reader.next()) messages.push(message);
  return messages;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe("FrameReader", () => {
  const messages = [release(1), call, release(2)];

  it("takes several messages out of one frame, in order", () => {
    expect(readAll(batchOf(messages)).map(plainOf)).to.deep.equal(messages);
  });

  it("takes one of several segments out from between others", () => {
    const scattered = layOut(readTree(encodeFlat(call), 8), 3, () => 1);
    const bytes = concat(encodeFlat(release(1)), scattered, encodeFlat(release(2)));
    expect(readAll(bytes).map(plainOf)).to.deep.equal(messages);
  });

  it("reads one frame after the other, also when one was not read to its end", () => {
    const reader = new FrameReader(DEFAULT_LIMITS, { batched: true });
    reader.open(batchOf(messages));
    reader.next();
    reader.open(batchOf([release(5)]));
    expect(plainOf(reader.next() as RpcMessage)).to.deep.equal(release(5));
    expect(reader.next()).to.equal(undefined);
    expect(reader.next()).to.equal(undefined);
  });

  it("reads frames at any place in memory, Buffers too", () => {
    const bytes = batchOf(messages);
    for (const offset of [1, 3, 4, 8]) {
      const around = Buffer.alloc(bytes.length + 16, 0xff);
      around.set(bytes, offset);
      const view = around.subarray(offset, offset + bytes.length);
      expect(readAll(view).map(plainOf)).to.deep.equal(messages);
      const call = readAll(view)[1];
      if (call?.kind !== 2) throw new Error("no call");
      expect(call.params.reader.bytes.constructor).to.equal(Uint8Array);
    }
  });

  it("gives each message a reader that spans just this message", () => {
    const [, second] = readAll(batchOf(messages));
    if (second?.kind !== 2) throw new Error("no call");
    const first = batchOf([release(1)]).length;
    expect(second.params.reader.start).to.equal(first + 8);
    expect(second.params.reader.end).to.equal(first + encodeFlat(call).length);
  });

  it("does not let one message lead into the next", () => {
    // The body would be the next message's header and root.
    const bytes = bytesOf([[0, 2], structAt(0, 1, 1), [4, 0], ...new Array<Word>(3).fill([0, 0])]);
    expect(() => readAll(bytes)).to.throw(DecodeError);
  });

  it("takes exactly one message where frames are not batched", () => {
    expect(readAll(encodeFlat(call), false).map(plainOf)).to.deep.equal([call]);
    expect(() => readAll(batchOf(messages), false)).to.throw(DecodeError);
  });

  it("gives the messages in front of a bad one, and nothing after it", () => {
    const reader = new FrameReader(DEFAULT_LIMITS, { batched: true });
    reader.open(concat(encodeFlat(release(1)), bytesOf([[0, 0]]), encodeFlat(release(2))));
    expect(plainOf(reader.next() as RpcMessage)).to.deep.equal(release(1));
    expect(() => reader.next()).to.throw(DecodeError);
    expect(reader.next()).to.equal(undefined);
  });

  it("refuses a frame that is cut off anywhere", () => {
    const scattered = layOut(readTree(encodeFlat(call), 8), 3, () => 1);
    for (const whole of [encodeFlat(call), scattered]) {
      for (let length = 0; length < whole.length; length++) {
        for (const batched of [true, false]) {
          expect(() => readAll(whole.subarray(0, length), batched), `at ${length}`).to.throw(DecodeError);
        }
      }
    }
  });

  describe("refuses", () => {
    const bad: { readonly [what: string]: Uint8Array } = {
      "an empty frame": new Uint8Array(0),
      "a frame not of whole words": new Uint8Array(12),
      "512 segments": frame(new Array<Uint8Array>(512).fill(bytesOf([[0, 0]]))),
      "as many segments as can be": bytesOf([
        [0xffff_ffff, 1],
        [0, 0],
        [0, 0],
      ]),
      "more segments than the frame has room for": bytesOf([
        [20, 0],
        [0, 0],
      ]),
      "a segment as long as can be": bytesOf([
        [0, 0xffff_ffff],
        [0, 0],
      ]),
      "segments as long as can be": bytesOf([
        [2, 0xffff_ffff],
        [0xffff_ffff, 0xffff_ffff],
        [0, 0],
      ]),
      "a segment over the end": bytesOf([
        [0, 2],
        [0, 0],
      ]),
    };
    for (const [what, bytes] of Object.entries(bad)) {
      it(what, () => {
        expect(() => readAll(bytes)).to.throw(DecodeError);
        expect(() => readAll(bytes, false)).to.throw(DecodeError);
      });
    }

    it("a frame over the limit", () => {
      const limits = resolveLimits({ maxFrameBytes: 1024 });
      const most = batchOf(Array.from({ length: 1024 / 40 }, (_, i) => release(i)));
      expect(readAll(most, true, limits).length).to.equal(25);
      const padded = concat(most, bytesOf(new Array<Word>(4).fill([0, 0])));
      expect(() => readAll(padded, true, limits)).to.throw(DecodeError, "more than is allowed");
    });
  });

  it("reads 511 segments", () => {
    const segments = new Array<Uint8Array>(510).fill(bytesOf([[0, 0]]));
    const message = frame([encodeFlat(release(9)).subarray(8), ...segments]);
    expect(plainOf(decodeOne(message))).to.deep.equal(release(9));
  });
});
