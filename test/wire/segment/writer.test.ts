import { expect } from "chai";
import fc from "fast-check";
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

  /** Writes `count` bytes `value`, a few at first, as messages are written. */
  function write(writer: SegmentWriter, count: number, value: number): void {
    for (const size of [8, count - 8]) {
      writer.ensure(size);
      writer.bytes.fill(value, writer.length, writer.length + size);
      writer.length += size;
    }
  }

  it("never writes to what was taken, until it was given back", () => {
    const step = fc.record({ sizes: fc.array(fc.nat(500), { maxLength: 4 }), gives: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const writer = new SegmentWriter(1024);
        const held: { readonly bytes: Uint8Array; readonly copy: readonly number[] }[] = [];
        let value = 0;
        for (const { sizes, gives } of steps) {
          const expected: number[] = [];
          for (const size of sizes) {
            value = (value + 1) & 0xff;
            write(writer, 16 + 8 * size, value);
            for (let i = 0; i < 16 + 8 * size; i++) expected.push(value);
          }
          expect(writer.pending).to.equal(expected.length);
          const { ownsBuffer } = writer;
          const bytes = writer.take();
          expect([...bytes]).to.deep.equal(expected);
          if (ownsBuffer && gives) writer.recycle(bytes);
          else held.push({ bytes, copy: expected });
        }
        for (const { bytes, copy } of held) expect([...bytes]).to.deep.equal(copy);
      }),
      { numRuns: 200 },
    );
  });

  it("writes large messages into the buffer that came back, and small ones on into its slab", () => {
    const writer = new SegmentWriter(1024);
    write(writer, 64, 1);
    writer.take();
    const slab = writer.bytes.buffer;
    write(writer, 4096, 2);
    expect(writer.ownsBuffer).to.equal(true);
    const large = writer.take();
    expect(writer.ownsBuffer).to.equal(false);
    expect(writer.bytes.buffer).to.equal(slab);
    write(writer, 64, 3);
    expect(writer.take().buffer).to.equal(slab);
    writer.recycle(large);
    write(writer, 4000, 4);
    expect(writer.take().buffer).to.equal(large.buffer);
    write(writer, 4000, 5);
    expect(writer.take().buffer).not.to.equal(large.buffer);
  });

  it("keeps no buffer that comes back once freed", () => {
    const writer = new SegmentWriter(1024);
    write(writer, 4096, 1);
    const large = writer.take();
    writer.free();
    writer.recycle(large);
    write(writer, 4096, 2);
    expect(writer.take().buffer).not.to.equal(large.buffer);
  });
});
