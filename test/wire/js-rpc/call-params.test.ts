import { expect } from "chai";
import fc from "fast-check";
import { DecodeError } from "../../../packages/wire/src/errors.ts";
import { type Operation, readCallParams, writeCallParams } from "../../../packages/wire/src/js-rpc/call-params.ts";
import { readJsValue } from "../../../packages/wire/src/js-rpc/js-value.ts";
import { DEFAULT_LIMITS, resolveLimits } from "../../../packages/wire/src/limits.ts";
import { bytesIn, contentOf, Target, targetReader, targetWriter } from "../support/payloads.ts";
import { bytesOf, capability, listAt, NULL, readerOf, structAt } from "../support/words.ts";

const name = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("add", "__proto__", "x".repeat(300)),
);

function paramsOf(
  path: string | readonly string[],
  args: readonly unknown[] | undefined,
  operation: Operation,
  externalPusher?: number,
  packed = false,
) {
  return contentOf((out, at) => {
    writeCallParams(out, at, path, args, operation, targetWriter(), DEFAULT_LIMITS, externalPusher);
  }, packed);
}

describe("params of JsRpcTarget.call", () => {
  it("come back as they were sent", () => {
    const args = fc.option(
      fc.array(
        fc.oneof(fc.integer(), fc.string(), fc.dictionary(fc.string(), fc.integer(), { noNullPrototype: true })),
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(name, fc.array(name, { maxLength: 5 })),
        args,
        fc.integer({ min: -1, max: 9 }),
        fc.boolean(),
        (path, args, pusher, packed) => {
          const reader = paramsOf(path, args ?? undefined, 0, pusher, packed);
          const read = readCallParams(reader, 0, DEFAULT_LIMITS);
          expect(read.path).to.deep.equal(typeof path === "string" ? [path] : path);
          expect(read.operation).to.equal(0);
          expect(read.externalPusher).to.equal(pusher);
          const value = read.value && readJsValue(read.value, targetReader([]), DEFAULT_LIMITS);
          // No arguments and an empty list of them are the same.
          expect(value).to.deep.equal(args === null || args.length === 0 ? undefined : args);
        },
      ),
    );
  });

  it("have workerd's layout: a method by its name, with arguments", () => {
    expect(bytesIn(paramsOf("add", [1, 2], 0))).to.deep.equal(
      bytesOf([
        structAt(0, 1, 2),
        [0, 0], // methodName, callWithArgs, nobody takes streams
        listAt(1, 2, 4),
        structAt(3, 0, 1),
        "add\0",
        [0x0241_0fff, 0x0449_0249], // version 15, an array of 2: 1 and 2
        [0x0002_0024, 0], // its end: no properties, length 2
        listAt(-3, 2, 11),
      ]),
    );
  });

  it("are laid out to be packed: zeros of the data left out, the value's struct in front of its bytes", () => {
    expect(bytesIn(paramsOf("add", [1, 2], 0, -1, true))).to.deep.equal(
      bytesOf([
        structAt(0, 0, 2),
        listAt(1, 2, 4),
        structAt(1, 0, 1),
        "add\0",
        listAt(0, 2, 11),
        [0x0241_0fff, 0x0449_0249],
        [0x0002_0024, 0],
      ]),
    );
    expect(bytesIn(paramsOf("a", undefined, 1, -1, true))).to.deep.equal(bytesIn(paramsOf("a", undefined, 1)));
  });

  it("have workerd's layout: a path, to be read, with someone who takes streams", () => {
    expect(bytesIn(paramsOf(["a", "bc"], undefined, 1, 5))).to.deep.equal(
      bytesOf([
        structAt(0, 1, 3),
        [0x1_0001, 1],
        listAt(2, 6, 2),
        NULL,
        capability(5),
        listAt(1, 2, 2),
        listAt(1, 2, 3),
        "a\0",
        "bc\0",
      ]),
    );
  });

  it("read what workerd writes: whole structs, pointers forward", () => {
    const reader = readerOf([
      structAt(0, 1, 3),
      [0, 1],
      listAt(2, 2, 4),
      structAt(2, 0, 2),
      capability(2),
      "add\0",
      listAt(1, 2, 5),
      listAt(1, 7, 4),
      [0x0041_0fff, 0x24], // version 15 and the beginning of an array: not looked at yet
      [1 << 2, 0x2_0002],
      [1, 0],
      NULL,
      capability(3),
      NULL,
    ]);
    const params = readCallParams(reader, reader.start, DEFAULT_LIMITS);
    expect(params).to.deep.include({ path: ["add"], operation: 0, externalPusher: 2 });
    expect(params.value?.end).to.equal((params.value?.start ?? 0) + 5);
    expect(params.value?.externals).to.deep.equal([{ kind: 1, capIndex: 3, encoding: 0, expectedLength: undefined }]);
  });

  it("that are null name the method with the empty name", () => {
    const reader = readerOf([NULL]);
    const nothing = { path: [""], operation: 0, value: undefined, externalPusher: -1 };
    expect(readCallParams(reader, reader.start)).to.deep.equal(nothing);
    expect(readCallParams(reader, -1)).to.deep.equal(nothing);
  });

  it("call the target itself by an empty path", () => {
    expect(readCallParams(paramsOf([], [1], 0), 0).path).to.deep.equal([]);
  });

  it("have no value where a property is read, whatever stands there", () => {
    expect(readCallParams(paramsOf("a", [1, 2], 1), 0)).to.deep.include({ operation: 1, value: undefined });
    expect(bytesIn(paramsOf("a", [1, 2], 1))).to.deep.equal(bytesIn(paramsOf("a", undefined, 1)));
    const reader = readerOf([structAt(0, 1, 2), [1 << 16, 0], NULL, structAt(99, 0, 2)]);
    expect(readCallParams(reader, reader.start)).to.deep.include({ operation: 1, value: undefined });
  });

  it("carry capabilities in the order in which the arguments mention them", () => {
    const targets = [3, 1, 4].map(
      (capIndex) => new Target({ kind: 1, capIndex, encoding: 0, expectedLength: undefined }),
    );
    for (const packed of [false, true]) {
      const reader = paramsOf("f", [[targets[0]], { b: targets[1] }, targets[2], targets[0]], 0, -1, packed);
      const { value } = readCallParams(reader, 0);
      if (value === undefined) throw new Error("no value");
      const args = readJsValue(value, targetReader(value.externals), DEFAULT_LIMITS) as [
        [Target],
        { b: Target },
        Target,
        Target,
      ];
      expect([args[0][0], args[1].b, args[2]]).to.deep.equal(targets);
      expect(args[3]).to.equal(args[0][0]);
    }
  });

  describe("are refused", () => {
    const refused = (...words: Parameters<typeof readerOf>[0]) => {
      const reader = readerOf(words);
      expect(() => readCallParams(reader, reader.start)).to.throw(DecodeError);
    };

    it("with a path or an operation of unknown kind", () => {
      refused(structAt(0, 1, 0), [2, 0]);
      refused(structAt(0, 1, 0), [2 << 16, 0]);
    });

    it("with a path over the limit", () => {
      const path = new Array<string>(65).fill("a");
      expect(readCallParams(paramsOf(path.slice(1), undefined, 1), 0).path.length).to.equal(64);
      const tooDeep = "RPC pipelined property path is too deep (max 64).";
      expect(() => readCallParams(paramsOf(path, undefined, 1), 0)).to.throw(DecodeError, tooDeep);
      const limits = resolveLimits({ maxPathLength: 65 });
      expect(readCallParams(paramsOf(path, undefined, 1), 0, limits).path.length).to.equal(65);
    });

    it("with pointers that are not right", () => {
      refused(structAt(0, 1, 2), [0, 0], listAt(9, 2, 4), NULL);
      refused(structAt(0, 1, 2), [0, 0], NULL, structAt(9, 0, 2));
      refused(structAt(0, 1, 2), [0, 0], NULL, listAt(0, 2, 0));
      refused(listAt(0, 2, 8), NULL);
    });
  });
});
