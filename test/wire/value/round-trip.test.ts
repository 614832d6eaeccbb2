import { expect } from "chai";
import fc from "fast-check";
import { anyValue } from "./arbitraries.ts";
import { decode, encode, roundTrip, v8Decode, v8Encode } from "./codec.ts";
import { shapeOf } from "./shape.ts";

describe("value codec against node:v8", () => {
  it("V8 reads what is written as the value it was", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(shapeOf(v8Decode(encode(value)))).to.equal(shapeOf(value));
      }),
      { numRuns: 1500 },
    );
  });

  it("reads what V8 writes as the value it was", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(shapeOf(decode(v8Encode(value)))).to.equal(shapeOf(value));
      }),
      { numRuns: 1500 },
    );
  });

  it("reads what it writes as the value it was", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(shapeOf(roundTrip(value))).to.equal(shapeOf(value));
      }),
      { numRuns: 1500 },
    );
  });

  it("writes the very bytes of V8 where there is one way to write", () => {
    const values = [
      undefined,
      null,
      true,
      false,
      0,
      -1,
      63,
      64,
      -65,
      2 ** 31 - 1,
      -(2 ** 31),
      2 ** 31,
      1.5,
      -0,
      NaN,
      5n,
      -(2n ** 64n),
      "",
      "abc",
      "é".repeat(200),
      "日本",
      `a${"日".repeat(99)}`,
      [1, 2],
      [1, [2, "x"], undefined],
      { id: 1, a: ["日"] },
      new Map<unknown, unknown>([[1, { a: 2 }]]),
      new Set([1, "日"]),
      new Date(12),
      /a+/gs,
      Object(true),
      Object("s"),
      Object(1n),
      new Uint8Array([1, 2, 3]).subarray(1),
      new ArrayBuffer(3),
      new DataView(new ArrayBuffer(2)),
    ];
    for (const value of values) expect([...encode(value)], shapeOf(value)).to.deep.equal([...v8Encode(value)]);
  });

  it("keeps shared objects one and cycles closed", () => {
    const shared = { x: 1 };
    const cycle: unknown[] = [shared, shared];
    cycle.push(cycle, new Map([[shared, cycle]]));
    const read = roundTrip(cycle) as [object, object, unknown, Map<object, unknown>];
    expect(read[0]).to.equal(read[1]);
    expect(read[2]).to.equal(read);
    expect([...read[3]][0]).to.deep.equal([read[0], read]);
    expect([...read[3].keys()][0]).to.equal(read[0]);
  });

  it("keeps the identities of many objects", () => {
    const objects = Array.from({ length: 50 }, (_, i) => ({ i }));
    const read = roundTrip([...objects, ...objects]) as object[];
    for (let i = 0; i < 50; i++) {
      expect(read[i]).to.equal(read[i + 50]);
      expect(read[i]).to.deep.equal({ i });
    }
    expect(new Set(read).size).to.equal(50);
  });

  it("reads versions 13 and 14", () => {
    for (const version of [13, 14]) {
      const bytes = encode({ a: [1, "é", 2n] });
      bytes[1] = version;
      expect(decode(bytes)).to.deep.equal({ a: [1, "é", 2n] });
    }
  });

  it("reads views of version 13, which have no flags", () => {
    const bytes = encode(new Uint8Array([5, 6]));
    const older = bytes.slice(0, -1);
    older[1] = 13;
    expect(decode(older)).to.deep.equal(new Uint8Array([5, 6]));
    older[1] = 14;
    expect(() => decode(older)).to.throw("the end of the bytes");
  });

  it("makes plain objects of getters' results, in order, without symbols and what is not enumerable", () => {
    const object = Object.defineProperty(
      {
        b: 1,
        get a() {
          return this.b + 1;
        },
        [Symbol("s")]: 3,
      },
      "hidden",
      { value: 4 },
    );
    expect(shapeOf(roundTrip(object))).to.equal(shapeOf({ b: 1, a: 2 }));
  });

  it("makes their base of instances of subclasses", () => {
    class MyMap extends Map<number, number> {}
    class MySet extends Set<number> {}
    class MyArray extends Array<number> {}
    class MyDate extends Date {}
    class MyRegExp extends RegExp {}
    const read = roundTrip([new MyMap([[1, 2]]), new MySet([3]), MyArray.of(4), new MyDate(5), new MyRegExp("a", "g")]);
    expect(shapeOf(read)).to.equal(shapeOf([new Map([[1, 2]]), new Set([3]), [4], new Date(5), /a/g]));
  });

  it("does not call what a subclass overrides", () => {
    class Sly extends Map {
      override forEach(): never {
        throw new Error("called");
      }
      override get size(): never {
        throw new Error("called");
      }
      override [Symbol.iterator](): never {
        throw new Error("called");
      }
    }
    expect(shapeOf(roundTrip(Map.prototype.set.call(new Sly(), 1, 2)))).to.equal(shapeOf(new Map([[1, 2]])));
  });

  it("writes a Map as it was when its turn came", () => {
    const map = new Map<unknown, unknown>();
    map.set("a", {
      get grow() {
        map.set("b", 1);
        return 2;
      },
    });
    expect(shapeOf(roundTrip(map))).to.equal(shapeOf(new Map([["a", { grow: 2 }]])));
  });

  it("leaves out a property that an earlier getter deletes", () => {
    const object: Record<string, unknown> = {
      get a() {
        delete object.b;
        return 1;
      },
      b: 2,
      c: 3,
    };
    expect(shapeOf(roundTrip(object))).to.equal(shapeOf({ a: 1, c: 3 }));
  });

  it("leaves out enumerable properties that are inherited", () => {
    Object.defineProperty(Object.prototype, "polluted", { value: 1, enumerable: true, configurable: true });
    try {
      expect(Object.keys(roundTrip({ a: 1 }) as object)).to.deep.equal(["a"]);
    } finally {
      delete (Object.prototype as { polluted?: number }).polluted;
    }
  });

  it("keeps a property named __proto__ a property", () => {
    const object = JSON.parse('{"__proto__": {"admin": true}, "a": 1}') as object;
    const list = Object.assign([1], JSON.parse('{"x": 1}'));
    Object.defineProperty(list, "__proto__", { value: 5, enumerable: true, writable: true, configurable: true });
    const [read, readList] = roundTrip([object, list]) as [{ admin?: boolean }, unknown[]];
    expect(Object.getPrototypeOf(read)).to.equal(Object.prototype);
    expect(read.admin).to.equal(undefined);
    expect(shapeOf(read)).to.equal(shapeOf(object));
    expect(Object.getPrototypeOf(readList)).to.equal(Array.prototype);
    expect(shapeOf(readList)).to.equal(shapeOf(list));
  });
});
