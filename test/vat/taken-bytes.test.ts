// Whose memory the bytes are that somebody takes out of a message.
import { expect } from "chai";
import { ReceivedPayload } from "../../packages/vat/src/index.ts";
import { resolveLimits, SegmentReader } from "../../packages/wire/src/index.ts";

const limits = resolveLimits();

/** A frame of 256 bytes within `memory` bytes, and a message from `start` to `end` in it. */
function message(start: number, end: number, memory = 256, at = 0): { frame: Uint8Array; payload: ReceivedPayload } {
  const frame = new Uint8Array(memory).subarray(at, at + 256);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  return { frame, payload: new ReceivedPayload(new SegmentReader(frame, view, start, end, limits), -1) };
}

describe("vat: bytes taken out of a message", () => {
  it("are its own memory where it is alone in its frame, and they are most of it", () => {
    const { frame, payload } = message(8, 256);
    const bytes = frame.subarray(100, 228);
    expect(payload.takeBytes(bytes)).to.equal(bytes);
  });

  for (const [what, made] of [
    ["another message follows", message(8, 248)],
    ["another message came before", message(16, 256)],
    ["the frame is not all of its memory", message(8, 256, 264)],
    ["something else is in front of the frame in its memory", message(8, 256, 264, 8)],
  ] as const) {
    it(`are a copy where ${what}`, () => {
      const { frame, payload } = made;
      frame.fill(7, 20, 220);
      const bytes = payload.takeBytes(frame.subarray(20, 220));
      expect(bytes.buffer).not.to.equal(frame.buffer);
      expect(bytes).to.deep.equal(new Uint8Array(200).fill(7));
    });
  }

  it("are a copy where they would keep much more alive than themselves", () => {
    const { frame, payload } = message(8, 256);
    expect(payload.takeBytes(frame.subarray(100, 227)).buffer.byteLength).to.equal(127);
  });
});
