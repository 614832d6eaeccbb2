import { expect } from "chai";
import fc from "fast-check";
import { DecodeError } from "../../../packages/wire/src/errors.ts";
import { DEFAULT_LIMITS, resolveLimits } from "../../../packages/wire/src/limits.ts";
import { copyPointer, copyTolerantly, copyWithoutLists, flatten } from "../../../packages/wire/src/segment/copy.ts";
import { SegmentReader } from "../../../packages/wire/src/segment/reader.ts";
import type { SegmentWriter } from "../../../packages/wire/src/segment/writer.ts";
import { dirtyWriter } from "../support/flat.ts";
import { anyTree, chooser, layOut, readTree, struct, type Tree } from "../support/tree.ts";
import { bytesOf, capability, farTo, listAt, NULL, readerOf, structAt, type Word } from "../support/words.ts";

/** Copies what the root of `reader` leads to behind a pointer of its own, and returns the writer. */
function copyOf(reader: SegmentReader, copy: typeof copyPointer = copyPointer): SegmentWriter {
  const to = dirtyWriter();
  to.ensure(16);
  to.bytes.fill(0, 0, 16);
  to.length = 16;
  copy(reader, reader.start, to, 8);
  return to;
}

/** The segments of a frame. */
function segmentsOf(frame: Uint8Array) {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const count = view.getUint32(0, true) + 1;
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 8 * Math.ceil((1 + count) / 2);
  for (let i = 0; i < count; i++) {
    starts.push(at);
    at += 8 * view.getUint32(4 + 4 * i, true);
    ends.push(at);
  }
  return { bytes: frame, view, starts, ends };
}

/** Makes the segments flat. */
function flattened(segments: readonly (readonly Word[])[], limits = DEFAULT_LIMITS): SegmentReader {
  const parts = segments.map(bytesOf);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  const starts: number[] = [];
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    starts.push(at);
    at += part.length;
  }
  const ends = parts.map((part, i) => (starts[i] as number) + part.length);
  return flatten({ bytes, view: new DataView(bytes.buffer), starts, ends }, limits);
}

/** A chain of structs, each with one pointer to the next. */
function chain(length: number): Tree {
  let tree: Tree = { kind: "null" };
  for (let i = 0; i < length; i++) tree = struct(0, 0, [tree]);
  return tree;
}

describe("copying into one clean segment", () => {
  it("keeps any content, from any layout over any segments", () => {
    fc.assert(
      fc.property(
        anyTree,
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (tree, count, picks) => {
          const reader = flatten(segmentsOf(layOut(tree, count, chooser(picks))), DEFAULT_LIMITS);
          expect(readTree(reader.bytes, reader.start)).to.deep.equal(tree);
          const to = copyOf(reader);
          expect(readTree(to.bytes, 8)).to.deep.equal(tree);
          expect(to.length % 8).to.equal(0);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("leaves no room unused and nothing of the writer's old memory", () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        const frame = layOut(tree, 1, () => 0);
        const segments = segmentsOf(frame);
        const [start, end] = [segments.starts[0] as number, segments.ends[0] as number];
        const to = copyOf(new SegmentReader(frame, segments.view, start, end, DEFAULT_LIMITS));
        // The arena lays objects out in the order in which they are copied, but points before it fills.
        expect(to.length - 16).to.equal(end - start - 8);
      }),
      { numRuns: 200 },
    );
  });

  it("clears what lies between the last element and the next word", () => {
    const reader = readerOf([listAt(0, 1, 3), [0xffff_ffff, 0xffff_ffff]]);
    const to = copyOf(reader);
    expect([...to.bytes.subarray(16, 24)]).to.deep.equal([7, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("copies nothing for a pointer that is missing", () => {
    const reader = readerOf([NULL]);
    const to = dirtyWriter();
    copyPointer(reader, -1, to, 0);
    expect(to.length).to.equal(0);
  });

  it("without lists keeps structs and capabilities, and nothing else", () => {
    const withoutLists = (tree: Tree): Tree => {
      if (tree.kind === "struct") return { ...tree, pointers: tree.pointers.map(withoutLists) };
      return tree.kind === "null" || tree.kind === "capability" ? tree : { kind: "null" };
    };
    fc.assert(
      fc.property(anyTree, (tree) => {
        const reader = flatten(segmentsOf(layOut(tree, 1, () => 0)), DEFAULT_LIMITS);
        expect(readTree(copyOf(reader, copyWithoutLists).bytes, 8)).to.deep.equal(withoutLists(tree));
      }),
      { numRuns: 400 },
    );
  });

  describe("is refused", () => {
    const bad: { readonly [what: string]: readonly Word[] } = {
      "for a struct over the end": [structAt(0, 2, 0), NULL],
      "for a struct before the start": [structAt(-2, 1, 0), NULL],
      "for a list over the end": [listAt(0, 2, 9), NULL],
      "for a list of pointers over the end": [listAt(0, 6, 2), NULL],
      "for a list of the greatest length": [[1, 0xffff_fffd], NULL],
      "for more elements than words": [listAt(0, 7, 1), [2 << 2, 1], NULL],
      "for a list of structs whose tag is none": [listAt(0, 7, 1), [(1 << 2) | 1, 1], NULL],
      "for a pointer of unknown kind": [structAt(0, 0, 1), [7, 0]],
      "for a struct that leads back to itself": [structAt(0, 0, 1), structAt(-1, 0, 1)],
      "for a list that leads back to itself": [listAt(0, 6, 1), listAt(-1, 6, 1)],
      "for more elements without a size than anyone can read": [listAt(0, 0, 2 ** 29 - 1)],
      "for more structs without a size than anyone can read": [listAt(0, 7, 0), [0xffff_fffc, 0]],
      "for a far pointer to itself": [farTo(0, 0)],
      "for a far pointer to another one": [farTo(0, 1), farTo(0, 2), structAt(0, 1, 0), NULL],
      "for a double far pointer to itself": [farTo(0, 0, true), NULL],
      "for a double far pointer over the end": [farTo(0, 1, true), farTo(0, 0)],
      "for a double far pointer that is one three times": [farTo(0, 1, true), farTo(0, 1, true), structAt(0, 1, 0)],
      "for a far pointer into a segment that is not there": [farTo(1, 0)],
      "for a far pointer into the last segment there could be": [farTo(0xffff_ffff, 0)],
      "for a far pointer over the end": [farTo(0, 1)],
      "for a far pointer as far as can be": [farTo(0, 0x1fff_ffff), NULL],
      "for a double far pointer to content over the end": [farTo(0, 1, true), farTo(0, 900), structAt(0, 1, 0)],
    };
    for (const [what, words] of Object.entries(bad)) {
      it(`${what}, and stays so in a message made flat`, () => {
        expect(() => copyOf(readerOf(words))).to.throw(DecodeError);
        const reader = flattened([words]);
        expect(() => copyOf(reader), "flattened").to.throw(DecodeError);
      });
    }

    it("for nesting over the limit, which is counted in pointers", () => {
      const limits = resolveLimits({ maxNesting: 10 });
      for (const [depth, fits] of [
        [10, true],
        [11, false],
      ] as const) {
        const frame = layOut(chain(depth), 1, () => 0);
        const reader = new SegmentReader(frame, new DataView(frame.buffer), 8, frame.length, limits);
        if (fits) expect(readTree(copyOf(reader).bytes, 8)).to.deep.equal(chain(depth));
        else expect(() => copyOf(reader)).to.throw(DecodeError, "nesting");
      }
    });

    it("for an object that many lead to, before it fills the memory", () => {
      // Each struct leads to the next one eight times: 8^20 structs in 180 words.
      const words: Word[] = [structAt(0, 0, 8)];
      for (let level = 0; level < 20; level++) {
        for (let i = 0; i < 8; i++) words.push(structAt(7 - i, 0, 8));
      }
      for (let i = 0; i < 8; i++) words.push(NULL);
      expect(() => copyOf(readerOf(words))).to.throw(DecodeError, "longer");
      expect(flattened([words]).end).to.be.lessThan(8 * (8 * words.length + 1100));
    });

    it("for a long list that many lead to", () => {
      const words: Word[] = [listAt(0, 6, 1000)];
      for (let i = 0; i < 1000; i++) words.push(listAt(999 - i, 5, 500));
      for (let i = 0; i < 500; i++) words.push([i, i]);
      expect(() => copyOf(readerOf(words))).to.throw(DecodeError, "longer");
      expect(flattened([words]).end).to.be.lessThan(8 * (8 * words.length + 1100));
    });
  });

  it("takes nothing but pointers where none of them is shared, and little where many are", () => {
    const empty: Word = [-4, 0];
    const count = 5000;
    const plain = readerOf([listAt(0, 6, count), ...new Array<Word>(count).fill(empty)]);
    expect(copyOf(plain).length).to.equal(8 * (count + 2));
    const shared: Word[] = [listAt(0, 6, count)];
    for (let i = 0; i < count; i++) shared.push(listAt(count - 1 - i, 6, 7));
    shared.push(...new Array<Word>(7).fill(empty));
    expect(() => copyOf(readerOf(shared))).to.throw(DecodeError, "longer");
    expect(flattened([shared]).end).to.be.lessThan(8 * 3 * count);
  });

  it("takes from the reader's budget what it visits", () => {
    const reader = readerOf(
      [structAt(0, 9, 0), ...new Array<Word>(9).fill(NULL)],
      resolveLimits({ maxMessageWords: 128 }),
    );
    const before = reader.budget;
    copyOf(reader);
    // Nine words, and a pointer that is followed.
    expect(before - reader.budget).to.equal(9 + 7);
    for (let i = 1; i < 8; i++) copyOf(reader);
    expect(() => copyOf(reader)).to.throw(DecodeError);
  });

  describe("with tolerance", () => {
    it("leaves out what is not right, and keeps the rest", () => {
      const to = copyOf(
        readerOf([structAt(0, 0, 3), structAt(99, 1, 0), capability(4), structAt(0, 1, 0), [6, 6]]),
        copyTolerantly,
      );
      const rest = { kind: "struct", data: [6, 0, 0, 0, 6, 0, 0, 0], pointers: [] };
      expect(readTree(to.bytes, 8)).to.deep.equal({
        kind: "struct",
        data: [],
        pointers: [{ kind: "null" }, { kind: "capability", index: 4 }, rest],
      });
    });

    it("never becomes longer than the message", () => {
      const words: Word[] = [structAt(0, 0, 20)];
      for (let i = 0; i < 20; i++) words.push(structAt(19 - i, 5, 0));
      for (let i = 0; i < 5; i++) words.push(NULL);
      expect(copyOf(readerOf(words), copyTolerantly).length - 16).to.be.at.most(8 * words.length);
    });

    it("keeps any content that is right", () => {
      fc.assert(
        fc.property(anyTree, (tree) => {
          const frame = layOut(tree, 1, () => 0);
          const reader = new SegmentReader(frame, new DataView(frame.buffer), 8, frame.length, DEFAULT_LIMITS);
          const sizeless =
            JSON.stringify(tree).includes('"size":0') ||
            JSON.stringify(tree).includes('"dataWords":0,"pointerCount":0');
          fc.pre(!sizeless);
          expect(readTree(copyOf(reader, copyTolerantly).bytes, 8)).to.deep.equal(tree);
        }),
        { numRuns: 100 },
      );
    });
  });

  it("reads the root of a message whose first segment holds nothing but a far pointer", () => {
    const reader = flattened([[farTo(2, 1)], [], [NULL, structAt(0, 1, 0), [42, 0]]]);
    reader.enterStruct(reader.start);
    expect(reader.u32(0)).to.equal(42);
  });

  it("refuses a message whose first segment is empty", () => {
    expect(() => flattened([[], [structAt(0, 1, 0), NULL]])).to.throw(DecodeError);
  });
});
