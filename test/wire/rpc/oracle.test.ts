import { MultiSegmentArena } from "capnp-ts/src/serialization/arena/index.js";
import { expect } from "chai";
import fc from "fast-check";
import { encodeFlat } from "../support/flat.ts";
import { decodeOracle, encodeOracle } from "../support/oracle.ts";
import { anyMessage, call, decodeOne, type Plain, plainOf } from "../support/plain.ts";

describe("the flat codec against capnp-ts", () => {
  it("writes what capnp-ts reads, for every kind of message", () => {
    fc.assert(
      fc.property(anyMessage, fc.boolean(), (message, packed) => {
        expect(decodeOracle(encodeFlat(message, packed))).to.deep.equal(message);
      }),
      { numRuns: 800 },
    );
  });

  it("reads what capnp-ts writes, for every kind of message", () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(plainOf(decodeOne(encodeOracle(message)))).to.deep.equal(message);
      }),
      { numRuns: 400 },
    );
  });

  it("reads what it wrote itself, for every kind of message", () => {
    fc.assert(
      fc.property(anyMessage, fc.boolean(), (message, packed) => {
        expect(plainOf(decodeOne(encodeFlat(message, packed)))).to.deep.equal(message);
      }),
      { numRuns: 800 },
    );
  });

  it("reads the several segments that capnp-ts writes for a large message", () => {
    const large = fc.record({ message: call, content: fc.string({ minLength: 4000, maxLength: 9000 }) });
    fc.assert(
      fc.property(large, ({ message, content }) => {
        const sent: Plain = { ...message, params: { ...message.params, content } };
        const frame = encodeOracle(sent, new MultiSegmentArena());
        expect(new DataView(frame.buffer).getUint32(0, true)).to.be.greaterThan(0);
        expect(plainOf(decodeOne(frame))).to.deep.equal(sent);
      }),
      { numRuns: 30 },
    );
  });
});
