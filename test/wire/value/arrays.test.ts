import { expect } from "chai";
import { SegmentWriter } from "../../../packages/wire/src/segment/writer.ts";
import { DEFAULT_VALUE_LIMITS } from "../../../packages/wire/src/value/limits.ts";
import { writeElements } from "../../../packages/wire/src/value/write.ts";
import { decode, encode, noHost, roundTrip, v8Decode, v8Encode, valueBytes } from "./codec.ts";
import { shapeOf } from "./shape.ts";

function sparse(length: number, entries: { readonly [key: string]: unknown }): unknown[] {
  const array: unknown[] = [];
  array.length = length;
  return Object.assign(array, entries);
}

describe("value codec: arrays", () => {
  const arrays: { readonly [kind: string]: unknown[] } = {
    empty: [],
    "all of one type": Array.from({ length: 2000 }, (_, i) => i),
    "of doubles": [1.5, -0, NaN],
    "of length alone": sparse(3, {}),
    "long, of length alone": sparse(4_000_000_000, {}),
    "of the greatest length": sparse(0xffff_ffff, { 4294967294: "last" }),
    "with a hole": [1, , 3],
    "with holes at both ends": [, 2, ,],
    "with undefined beside a hole": [undefined, , undefined],
    "longer, with holes": sparse(40, Object.fromEntries(Array.from({ length: 30 }, (_, i) => [i + 5, i]))),
    "longer, with few elements": sparse(40, { 3: "a", 39: "b" }),
    "with as many properties as holes": Object.assign([, 2], { x: 1 }),
    "longer, with as many properties as holes": Object.assign(sparse(12, { 0: 1, 1: 2, 2: 3, 3: 4, 4: 5 }), {
      a: 1,
      b: 2,
      c: 3,
      d: 4,
      e: 5,
      f: 6,
      g: 7,
    }),
    "sparse, with properties": Object.assign(sparse(1000, { 999: [] }), { index: 4, "": "empty", "01": 1, "-1": 2 }),
    "made by a regular expression": [...(/(?<x>b)/[Symbol.match]("abc") ?? [])],
    "that is a match": /(?<x>b)/.exec("abc") as unknown[],
  };
  for (const [kind, array] of Object.entries(arrays)) {
    it(`keeps one ${kind}`, () => {
      // A match's groups have no prototype, which values do not keep.
      const plain = Object.assign(array, "groups" in array ? { groups: { ...(array.groups as object) } } : {});
      expect(shapeOf(roundTrip(plain))).to.equal(shapeOf(plain));
      expect(shapeOf(v8Decode(encode(plain)))).to.equal(shapeOf(plain));
      expect(shapeOf(decode(v8Encode(plain)))).to.equal(shapeOf(plain));
    });
  }

  it("takes few bytes for a long array with few elements", () => {
    expect(encode(sparse(4_000_000_000, { 5: 1 })).length).to.be.lessThan(30);
  });

  it("writes an array that a getter shortens or lengthens on the way as what was there", () => {
    const shrinking: unknown[] = [
      {
        get shrink() {
          shrinking.length = 1;
          return 1;
        },
      },
      2,
      3,
    ];
    expect(shapeOf(roundTrip(shrinking))).to.equal(shapeOf([{ shrink: 1 }, , ,]));
    const growing: unknown[] = [
      {
        get grow() {
          growing.push(4);
          return 1;
        },
      },
      2,
    ];
    expect(shapeOf(roundTrip(growing))).to.equal(shapeOf([{ grow: 1 }, 2]));
    const growingSparse: unknown[] = sparse(100, {
      1: {
        get grow() {
          growingSparse[200] = 1;
          return 1;
        },
      },
      50: 2,
    });
    expect(shapeOf(roundTrip(growingSparse))).to.equal(shapeOf(sparse(100, { 1: { grow: 1 }, 50: 2 })));
  });

  it("writes the elements of arguments as an array of them", () => {
    const out = new SegmentWriter();
    const shared = {};
    writeElements(out, [1, shared, [shared], , "é日"], noHost, DEFAULT_VALUE_LIMITS);
    const bytes = out.bytes.slice(0, out.length);
    expect(shapeOf(decode(bytes))).to.equal(shapeOf([1, shared, [shared], , "é日"]));
    expect(shapeOf(v8Decode(bytes))).to.equal(shapeOf(decode(bytes)));
  });

  it("lets an argument refer back to the array of arguments", () => {
    const out = new SegmentWriter();
    const args: unknown[] = [];
    args.push(args);
    writeElements(out, args, noHost, DEFAULT_VALUE_LIMITS);
    const read = decode(out.bytes.slice(0, out.length)) as unknown[];
    expect(read[0]).to.equal(read);
  });

  it("reads elements of a sparse array under numbers of any form", () => {
    const read = decode(valueBytes('aPI\x02T"\x012FU\x07TN\0\0\0\0\0\0\x20\x40F@\x04P'));
    expect(shapeOf(read)).to.equal(shapeOf(sparse(80, { 1: true, 2: false, 7: true, 8: false })));
  });

  const lies: { readonly [what: string]: string } = {
    "a count of elements beyond the bytes": "A\x05__$\0\x05",
    "the greatest count of elements": "A\xff\xff\xff\xff\x0f$\0\xff\xff\xff\xff\x0f",
    "another length at the end": "A\x01_$\0\x02",
    "another count of properties at the end": "A\x01_$\x01\x01",
    "an element past its length": "A\x01_I\x0a_$\x01\x01",
    "an element past its length as text": 'A\x01_"\x0a4294967294_$\x01\x01',
    "a property named length": 'A\x01_"\x06lengthI\x0a$\x01\x01',
    "a property named length that is no length": 'A\x01_"\x06length"\x01x$\x01\x01',
    "a sparse array's length at the end that differs": "a\x05@\0\x06",
    "a sparse element past the length": "a\x05I\x0a_@\x01\x05",
    "a hole outside of an array": "-",
    "a hole in an object": 'o"\x01a-{\x01',
    "the end of a sparse array at a dense one": "A\x01_@\0\x01",
  };
  for (const [what, text] of Object.entries(lies)) {
    it(`refuses ${what}`, () => {
      expect(() => decode(valueBytes(text)))
        .to.throw()
        .with.property("name", "DecodeError");
    });
  }

  it("needs no memory for the length of sparse arrays", () => {
    // 32 Mi slots are the most that V8 lays out as one block: 256 MiB each.
    const one = "a\x80\x80\x80\x10@\0\x80\x80\x80\x10";
    const before = process.memoryUsage().heapTotal;
    const read = decode(valueBytes(`A\x40${one.repeat(64)}$\0\x40`)) as unknown[][];
    expect(read).to.have.lengthOf(64);
    expect(read[63]).to.have.lengthOf(2 ** 25);
    expect(process.memoryUsage().heapTotal - before).to.be.lessThan(64 * 1024 * 1024);
  });
});
