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
  readonly calls: string[] = [];
  pause(): void {
    this.calls.push("pause");
  }
  resume(): void {
    this.calls.push("resume");
  }
  destroy(): void {
    this.calls.push("destroy");
    this.emit("destroyed");
  }
  end(): void {
    this.ended = true;
  }
}

/** A transport over it, and what it handed on. */
function receiving(limits = LIMITS, closingMs?: number) {
  const stream = new Bytes();
  const frames: Uint8Array[] = [];
  const malformed: string[] = [];
  const closed: string[] = [];
  const transport = new ByteStreamTransport(stream, limits, undefined, closingMs);
  transport.start({
    handleOpen: () => {},
    handleFrame: (frame) => frames.push(frame),
    handleMalformed: (reason) => {
      malformed.push(reason);
      transport.close(1002, reason);
    },
    handleClosed: (reason) => closed.push(reason),
  });
  return { stream, transport, frames, malformed, closed };
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

  it("hands on no more bytes together than a frame may have", () => {
    const { stream, frames, malformed } = receiving();
    const sent = Array.from({ length: 500 }, (_, i) => i);
    stream.emit("data", messages(sent));
    expect(malformed).to.deep.equal([]);
    expect(finished(frames)).to.deep.equal(sent);
    expect(frames.length).to.be.greaterThan(1);
    for (const frame of frames) expect(frame.length).to.be.at.most(4096);
  });

  it("hands on what came before a head that is not right", () => {
    const { stream, frames, malformed } = receiving();
    stream.emit("data", Buffer.concat([messages([1, 2]), new Uint8Array(8).fill(255)]));
    expect(finished(frames)).to.deep.equal([1, 2]);
    expect(malformed).to.have.length(1);
  });

  it("sets little memory aside for a message of which only the head has come", () => {
    const limits = resolveLimits();
    const { stream, frames } = receiving(limits);
    const size = 8 * 1024 * 1024;
    const bytes = new Uint8Array(size);
    new DataView(bytes.buffer).setUint32(4, (size - 8) / 8, true);
    const before = process.memoryUsage().arrayBuffers;
    stream.emit("data", bytes.subarray(0, 8));
    expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(1024 * 1024);
    bytes[size - 1] = 7;
    for (let at = 8; at < size; at += 60_000) stream.emit("data", bytes.subarray(at, at + 60_000));
    expect(frames).to.have.length(1);
    expect(Buffer.compare(frames[0] as Uint8Array, bytes)).to.equal(0);
    expect(frames[0]?.buffer.byteLength).to.equal(size);
  });

  it("is read no further while it is held", () => {
    const { stream, transport } = receiving();
    transport.hold(true);
    transport.hold(false);
    expect(stream.calls).to.deep.equal(["pause", "resume"]);
  });

  it("closes both directions where the peer does not close its own in time", async () => {
    const { stream, transport } = receiving(LIMITS, 1);
    const destroyed = new Promise((done) => stream.once("destroyed", done));
    transport.close(1000, "enough");
    expect(stream.ended).to.equal(true);
    expect(stream.calls).to.deep.equal([]);
    await destroyed;
    const other = receiving(LIMITS, 1);
    other.transport.close(1000, "enough");
    other.stream.emit("close");
    await new Promise((done) => setTimeout(done, 5));
    expect(other.stream.calls).to.deep.equal([]);
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
