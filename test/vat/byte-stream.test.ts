import { EventEmitter } from "node:events";
import { expect } from "chai";
import fc from "fast-check";
import { ByteStreamTransport } from "../../packages/vat/src/index.ts";
import {
  encodeFinish,
  FrameReader,
  type QuestionId,
  resolveLimits,
  SegmentWriter,
} from "../../packages/wire/src/index.ts";

const LIMITS = resolveLimits({ maxFrameBytes: 4096 });

/** A stream whose bytes arrive as the test says. */
class Bytes extends EventEmitter {
  readonly writableLength = 0;
  ended = false;
  write(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {
    this.ended = true;
  }
}

/** A transport over it, and what it handed on. */
function receiving() {
  const stream = new Bytes();
  const frames: Uint8Array[] = [];
  const malformed: string[] = [];
  const closed: string[] = [];
  const transport = new ByteStreamTransport(stream, LIMITS);
  transport.start({
    handleOpen: () => {},
    handleFrame: (frame) => frames.push(frame),
    handleMalformed: (reason) => {
      malformed.push(reason);
      transport.close(1002, reason);
    },
    handleClosed: (reason) => closed.push(reason),
  });
  return { stream, frames, malformed, closed };
}

/** The ids of Finish messages in frames, in order. */
function finished(frames: readonly Uint8Array[]): number[] {
  const reader = new FrameReader(LIMITS, { batched: true });
  const ids: number[] = [];
  for (const frame of frames) {
    reader.open(frame);
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      if (next.kind === 4) ids.push(next.questionId);
    }
  }
  return ids;
}

/** Finish messages with these ids; every third one has an empty second segment, and so a longer head. */
function messages(ids: readonly number[]): Uint8Array {
  const parts = ids.map((id, i) => {
    const writer = new SegmentWriter();
    encodeFinish(writer, id as QuestionId, false);
    const bytes = writer.take();
    if (i % 3 !== 0) return bytes;
    const longer = new Uint8Array(bytes.length + 8);
    const view = new DataView(longer.buffer);
    view.setUint32(0, 1, true);
    view.setUint32(4, (bytes.length - 8) / 8, true);
    longer.set(bytes.subarray(8), 16);
    return longer;
  });
  return Buffer.concat(parts);
}

describe("vat: messages over a stream of bytes", () => {
  it("puts messages together from whatever pieces they arrive in", () => {
    const ids = fc.array(fc.nat(1000), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(ids, fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }), (sent, sizes) => {
        const { stream, frames, malformed } = receiving();
        const bytes = messages(sent);
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] as number;
          // Not the same memory: whoever sends may use theirs again.
          stream.emit("data", Buffer.from(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(malformed).to.deep.equal([]);
        expect(finished(frames)).to.deep.equal(sent);
      }),
    );
  });

  it("hands on whole messages of one piece together, uncopied", () => {
    const { stream, frames } = receiving();
    const bytes = messages([1, 2, 3]);
    stream.emit("data", bytes);
    expect(frames).to.have.length(1);
    expect(frames[0]?.buffer).to.equal(bytes.buffer);
  });

  for (const [what, head] of Object.entries({
    "more segments than are allowed": [1_000_000, 0],
    "more bytes than are allowed": [0, 1_000_000],
  })) {
    it(`is told of a message of ${what} before it is there, and ends`, () => {
      const { stream, frames, malformed } = receiving();
      const bytes = new Uint8Array(new Uint32Array(head).buffer);
      stream.emit("data", bytes.subarray(0, 5));
      expect(malformed).to.deep.equal([]);
      stream.emit("data", bytes.subarray(5));
      expect(malformed).to.have.length(1);
      expect(stream.ended).to.equal(true);
      stream.emit("data", messages([1]));
      expect(frames).to.deep.equal([]);
    });
  }

  it("tells why it was lost", () => {
    const { stream, closed } = receiving();
    stream.emit("error", new Error("reset"));
    stream.emit("close");
    expect(closed).to.deep.equal(["The link was lost: reset"]);
  });
});
