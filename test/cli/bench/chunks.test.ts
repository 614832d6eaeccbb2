import { expect } from "chai";
import { chunkStream, countBytes, makeChunk, STREAM_CHUNK } from "../../../packages/cli/src/bench/chunks.ts";
import { packFrame } from "../../../packages/wire/src/index.ts";

describe("cli: the streams of bench", () => {
  it("have as many bytes as they should, in chunks that share no memory", async () => {
    expect(await countBytes(chunkStream(3))).to.equal(3 * STREAM_CHUNK);
    const buffers = new Set<ArrayBufferLike>();
    for await (const chunk of chunkStream(3)) buffers.add(chunk.buffer);
    expect(buffers.size).to.equal(3);
  });

  it("have content that packing makes no shorter", () => {
    expect(packFrame(makeChunk())).to.have.length.above(STREAM_CHUNK);
  });
});
