import { expect } from "chai";
import fc from "fast-check";
import { DecodeError } from "../../../packages/wire/src/errors.ts";
import { readCallResults, writeCallResults } from "../../../packages/wire/src/js-rpc/call-results.ts";
import {
  type External,
  ExternalKind,
  findJsValue,
  readJsValue,
  writeJsValue,
} from "../../../packages/wire/src/js-rpc/js-value.ts";
import { DEFAULT_LIMITS, resolveLimits } from "../../../packages/wire/src/limits.ts";
import type { SegmentWriter } from "../../../packages/wire/src/segment/writer.ts";
import { bytesIn, contentOf, Target, targetReader, targetWriter } from "../support/payloads.ts";
import { bytesOf, capability, listAt, NULL, readerOf, structAt } from "../support/words.ts";

const external: fc.Arbitrary<External> = fc
  .record({
    kind: fc.constantFrom(...Object.values(ExternalKind)),
    capIndex: fc.integer({ min: -1, max: 2 ** 32 - 1 }),
    encoding: fc.integer({ min: 0, max: 2 }),
    expectedLength: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
  })
  .map((e) => ({
    ...e,
    encoding: e.kind === 2 || e.kind === 3 ? e.encoding : 0,
    expectedLength: e.kind === 3 ? e.expectedLength : undefined,
  }));

describe("results of JsRpcTarget.call", () => {
  it("come back as they were sent", () => {
    const values = fc.oneof(fc.integer(), fc.string(), fc.array(fc.double()));
    const option = fc.record({ callPipeline: fc.option(fc.nat(9), { nil: undefined }), hasDisposer: fc.boolean() });
    fc.assert(
      fc.property(values, option, fc.boolean(), (value, options, packed) => {
        const reader = contentOf(
          (out, at) => writeCallResults(out, at, value, targetWriter(), DEFAULT_LIMITS, options),
          packed,
        );
        const read = readCallResults(reader, 0);
        expect(read.callPipeline).to.equal(options.callPipeline ?? -1);
        expect(read.hasDisposer).to.equal(options.hasDisposer);
        if (read.value === undefined) throw new Error("no value");
        expect(readJsValue(read.value, targetReader([]), DEFAULT_LIMITS)).to.deep.equal(value);
      }),
    );
  });

  it("have workerd's layout, as short as it may be", () => {
    const plain = contentOf((out, at) => writeCallResults(out, at, 3, targetWriter(), DEFAULT_LIMITS));
    expect(bytesIn(plain)).to.deep.equal(
      bytesOf([structAt(0, 0, 1), structAt(1, 0, 1), [0x0649_0fff, 0], listAt(-2, 2, 4)]),
    );
  });

  it("are laid out to be packed: the value's struct in front of its bytes", () => {
    const packed = contentOf((out, at) => writeCallResults(out, at, 3, targetWriter(), DEFAULT_LIMITS), true);
    expect(bytesIn(packed)).to.deep.equal(
      bytesOf([structAt(0, 0, 1), structAt(0, 0, 1), listAt(0, 2, 4), [0x0649_0fff, 0]]),
    );
  });

  it("have workerd's layout with a target that stands for them and a disposer", () => {
    const options = { callPipeline: 4, hasDisposer: true };
    const full = contentOf((out, at) => writeCallResults(out, at, true, targetWriter(), DEFAULT_LIMITS, options));
    expect(bytesIn(full)).to.deep.equal(
      bytesOf([structAt(0, 1, 2), [1, 0], structAt(2, 0, 1), capability(4), [0x0054_0fff, 0], listAt(-2, 2, 3)]),
    );
  });

  it("read what workerd writes: whole structs", () => {
    const reader = readerOf([
      structAt(0, 1, 3),
      [1, 0],
      structAt(2, 0, 2),
      capability(0),
      NULL,
      listAt(1, 2, 3),
      NULL,
      [0x54_0fff, 0],
    ]);
    const results = readCallResults(reader, reader.start);
    expect(results).to.deep.include({ callPipeline: 0, hasDisposer: true });
    if (results.value === undefined) throw new Error("no value");
    expect(readJsValue(results.value, targetReader([]), DEFAULT_LIMITS)).to.equal(true);
  });

  it("that are null have no value", () => {
    expect(readCallResults(readerOf([NULL]), -1)).to.deep.equal({
      value: undefined,
      callPipeline: -1,
      hasDisposer: false,
    });
  });

  it("share one empty list where nothing is mentioned", () => {
    const read = () =>
      readCallResults(
        contentOf((out, at) => writeCallResults(out, at, 3, targetWriter(), DEFAULT_LIMITS)),
        0,
      );
    expect(read().value?.externals).to.equal(read().value?.externals);
  });
});

describe("externals of a JsValue", () => {
  it("come back as they were sent, in their order", () => {
    fc.assert(
      fc.property(fc.array(external, { maxLength: 6 }), fc.boolean(), (externals, packed) => {
        const targets = externals.map((e) => new Target(e));
        const write = (out: SegmentWriter, at: number) =>
          writeJsValue(out, at, targets, targetWriter(), DEFAULT_LIMITS);
        const reader = contentOf(write, packed);
        const ref = findJsValue(reader, 0, DEFAULT_LIMITS);
        if (ref === undefined) throw new Error("no value");
        expect(ref.externals).to.deep.equal(externals);
        expect(readJsValue(ref, targetReader(ref.externals), DEFAULT_LIMITS)).to.deep.equal(targets);
      }),
    );
  });

  it("have workerd's layout", () => {
    const externals = [
      { kind: ExternalKind.rpcTarget, capIndex: 2 },
      { kind: ExternalKind.readableStream, capIndex: 3, encoding: 1, expectedLength: 0x1_0000_0002n },
    ];
    const targets = externals.map((e) => new Target(e));
    const reader = contentOf((out, at) => writeJsValue(out, at, targets, targetWriter(), DEFAULT_LIMITS));
    expect(bytesIn(reader)).to.deep.equal(
      bytesOf([
        structAt(2, 0, 2),
        [0x0241_0fff, 0x405c_405c], // version 15, an array of 2: host objects of tag 64
        [0x0002_0024, 0], // its end: no properties, length 2
        listAt(-3, 2, 11),
        listAt(0, 7, 6),
        [2 << 2, 0x1_0002],
        [1, 0],
        NULL,
        capability(2),
        [0x1_0003, 1],
        [2, 1],
        capability(3),
      ]),
    );
  });

  it("of a kind that is not known are named, without a capability where there is none", () => {
    const reader = readerOf([
      structAt(0, 0, 2),
      NULL,
      listAt(0, 7, 4),
      [2 << 2, 0x1_0001],
      [99, 0],
      capability(5),
      [5, 0],
      NULL,
    ]);
    expect(findJsValue(reader, reader.start, DEFAULT_LIMITS)?.externals).to.deep.equal([
      { kind: 99, capIndex: 5, encoding: 0, expectedLength: undefined },
      { kind: 5, capIndex: -1, encoding: 0, expectedLength: undefined },
    ]);
  });

  it("are refused over the limit, also without a size", () => {
    const limits = resolveLimits({ maxCapTable: 2 });
    const reader = readerOf([structAt(0, 0, 2), NULL, listAt(0, 7, 0), [3 << 2, 0]]);
    expect(() => findJsValue(reader, reader.start, limits)).to.throw(DecodeError);
    expect(findJsValue(reader, reader.start, DEFAULT_LIMITS)?.externals.length).to.equal(3);
  });
});
