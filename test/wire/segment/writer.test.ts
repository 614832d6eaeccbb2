import { expect } from "chai";
import { SegmentWriter } from "../../../packages/wire/src/segment/writer.ts";

describe("SegmentWriter", () => {
  it("holds no buffer once freed, and can be written to again", () => {
    const writer = new SegmentWriter(1024);
    writer.ensure(64);
    writer.length += 64;
    writer.free();
    expect([writer.bytes.length, writer.start, writer.length, writer.pending]).to.deep.equal([0, 0, 0, 0]);
    writer.ensure(8);
    writer.bytes.fill(7, 0, 8);
    writer.length = 8;
    expect([...writer.take()]).to.deep.equal([7, 7, 7, 7, 7, 7, 7, 7]);
  });
});
