// `maxObjects` bounds what a value costs: what is written within it can be read within it, and nothing more.
import { expect } from "chai";
import { DecodeError } from "../../../packages/wire/src/errors.ts";
import { DEFAULT_VALUE_LIMITS } from "../../../packages/wire/src/value/limits.ts";
import { decode, encode } from "./codec.ts";

const many = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const keyed = (count: number): [string, number][] => many(count).map((i) => [`key ${i}`, i]);

/** What each value counts for. */
const costs: { readonly [what: string]: readonly [unknown, number] } = {
  "an empty object": [{}, 1],
  "an array of numbers": [many(800), 101],
  "objects in an array": [many(800).map((i) => ({ i })), 901],
  "a Map": [new Map(keyed(100)), 208],
  "a Set": [new Set(many(100)), 208],
  "an object with some properties": [Object.fromEntries(keyed(1000)), 1],
  "an object with many properties": [Object.fromEntries(keyed(1124)), 201],
  "an array with many properties": [Object.assign([1, 2, 3, 4, 5, 6, 7, 8], Object.fromEntries(keyed(1124))), 202],
  "a sparse array": [
    Object.assign(new Array<number>(100_000), Object.fromEntries(many(1124).map((i) => [2 * i, i]))),
    208,
  ],
  Dates: [[new Date(0), new Date(1)], 17.25],
};

describe("value codec: what a value costs", () => {
  for (const [what, [value, cost]] of Object.entries(costs)) {
    it(`is the same for writer and reader: ${what}`, () => {
      const bytes = encode(value);
      const enough = { maxObjects: Math.ceil(cost) };
      const tooFew = { maxObjects: Math.ceil(cost) - 1 };
      expect([...encode(value, undefined, enough)]).to.deep.equal([...bytes]);
      expect(() => decode(bytes, undefined, enough)).to.not.throw();
      expect(() => encode(value, undefined, tooFew)).to.throw("too many objects");
      expect(() => decode(bytes, undefined, tooFew)).to.throw(DecodeError, "objects");
    });
  }

  it("counts the properties of an error, too", () => {
    const error = Object.assign(new Error("no"), Object.fromEntries(keyed(2000)));
    const limits = { maxObjects: 500 };
    expect(Object.keys(decode(encode(error)) as object).length).to.be.at.least(2000);
    expect(() => decode(encode(error), undefined, limits)).to.throw(DecodeError);
    expect(() => encode(error, undefined, limits)).to.throw("too many objects");
  });

  it("is within the default for a million numbers, and for a hundred thousand rows", () => {
    expect(DEFAULT_VALUE_LIMITS.maxObjects).to.equal(1024 * 1024);
    expect(decode(encode(many(1_000_000)))).to.have.length(1_000_000);
    const rows = many(100_000).map((id) => ({ id, name: "x", tags: ["a"], at: id }));
    expect(decode(encode(rows))).to.have.length(100_000);
  });
});
