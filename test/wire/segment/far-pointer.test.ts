import { expect } from "chai";
import { PointerTarget, resolvePointer } from "../../../packages/wire/src/segment/far-pointer.ts";
import { bytesOf, capability, farTo, listAt, structAt, type Word } from "../support/words.ts";

/** Follows the first word of the first of two segments, which are one behind the other. */
function resolve(first: readonly Word[], second: readonly Word[] = []): PointerTarget | undefined {
  const bytes = bytesOf([...first, ...second]);
  const middle = 8 * first.length;
  const segments = { bytes, view: new DataView(bytes.buffer), starts: [0, middle], ends: [middle, bytes.length] };
  const target = new PointerTarget();
  return resolvePointer(segments, 0, 0, target) ? target : undefined;
}

describe("resolvePointer", () => {
  it("takes a near pointer as it is", () => {
    expect(resolve([structAt(2, 3, 4)])).to.include({ low: 8, high: 0x4_0003, segment: 0, at: 24 });
    expect(resolve([listAt(-3, 2, 5)])).to.include({ high: 42, segment: 0, at: -16 });
  });

  it("follows a far pointer to the pointer that it leads to, in its segment", () => {
    const second = [listAt(9, 2, 1), structAt(1, 3, 4)];
    expect(resolve([farTo(1, 1)], second)).to.include({ low: 4, high: 0x4_0003, segment: 1, at: 8 + 8 + 8 + 8 });
    expect(resolve([farTo(1, 0)], [capability(5)])).to.include({ low: 3, high: 5 });
  });

  it("follows a double far pointer to where its pad says, with the pad's idea of what is there", () => {
    const second = [farTo(0, 1), structAt(0, 3, 4)];
    expect(resolve([farTo(1, 0, true), structAt(0, 1, 1)], second)).to.include({
      low: 0,
      high: 0x4_0003,
      segment: 0,
      at: 8,
    });
  });

  it("refuses far pointers that lead to another one", () => {
    expect(resolve([farTo(1, 0)], [farTo(0, 0)])).to.equal(undefined);
    expect(resolve([farTo(0, 0)])).to.equal(undefined);
    expect(resolve([farTo(1, 0, true)], [farTo(0, 0), farTo(0, 0)])).to.equal(undefined);
    expect(resolve([farTo(1, 0, true)], [farTo(0, 0, true), structAt(0, 1, 0)])).to.equal(undefined);
  });

  it("refuses a double far pointer to anything that has no place", () => {
    expect(resolve([farTo(1, 0, true)], [farTo(0, 0), capability(5)])).to.equal(undefined);
    expect(resolve([farTo(1, 0, true)], [structAt(0, 1, 0), structAt(0, 1, 0)])).to.equal(undefined);
  });

  it("refuses far pointers into segments that are not there, and over their ends", () => {
    for (const pointer of [farTo(2, 0), farTo(0xffff_ffff, 0), farTo(1, 2), farTo(1, 1, true), farTo(1, 0x1fff_ffff)]) {
      expect(resolve([pointer], [structAt(0, 1, 0), structAt(0, 1, 0)])).to.equal(undefined);
    }
    expect(resolve([farTo(1, 0, true)], [farTo(2, 0), structAt(0, 1, 0)])).to.equal(undefined);
  });
});
