import { expect } from "chai";
import fc from "fast-check";
import { DEFAULT_LIMITS } from "../../../packages/wire/src/limits.ts";
import {
  beginCall,
  beginReturn,
  encodeAbort,
  encodeReturnException,
  finishPayload,
  setNoFinishNeeded,
} from "../../../packages/wire/src/rpc/encode.ts";
import type { AnswerId, QuestionId } from "../../../packages/wire/src/rpc/ids.ts";
import type { CallMessage } from "../../../packages/wire/src/rpc/messages.ts";
import { setListPointer } from "../../../packages/wire/src/segment/pointers.ts";
import { dirtyWriter } from "../support/flat.ts";
import { decodeOne, exception } from "../support/plain.ts";
import { bytesOf, capability, listAt, NULL, structAt, type Word } from "../support/words.ts";

/** A frame of one message of one segment. */
function framed(words: readonly Word[]): Uint8Array {
  return bytesOf([[0, words.length], ...words]);
}

/** A call whose target, and params, are `rest`. Word 0 of `rest` is the target's pointer, word 1 that of the params. */
function callWith(...rest: Word[]): Uint8Array {
  return framed([structAt(0, 1, 1), [2, 0], structAt(0, 2, 2), [9, 0], [2, 1], ...rest]);
}

function decodeCall(frame: Uint8Array, limits = DEFAULT_LIMITS): CallMessage {
  const message = decodeOne(frame, limits);
  if (message.kind !== 2) throw new Error("no call");
  return message;
}

describe("encoding messages", () => {
  describe("exceptions with details, which capnp-ts does not know", () => {
    const detail = fc.record({
      id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      data: fc.uint8Array({ maxLength: 30 }),
    });
    const detailed = fc.tuple(exception, fc.array(detail, { maxLength: 3 })).map(([e, details]) => ({ ...e, details }));

    it("come back as they were sent", () => {
      fc.assert(
        fc.property(detailed, (sent) => {
          const w = dirtyWriter();
          encodeAbort(w, sent);
          expect(decodeOne(w.take())).to.deep.equal({ kind: 1, exception: sent });
        }),
      );
    });

    it("have the layout of the schema", () => {
      const w = dirtyWriter();
      const data = Uint8Array.of(1, 2, 3);
      encodeReturnException(w, 5 as AnswerId, true, {
        type: 2,
        reason: "gone",
        trace: "",
        details: [{ id: 7n, data }],
      });
      expect(w.take()).to.deep.equal(
        framed([
          structAt(0, 1, 1), // Message
          [3, 0],
          structAt(0, 1, 1), // Return
          [5, 1 << 16],
          structAt(0, 1, 3), // Exception
          [0, 2],
          listAt(2, 2, 5), // reason
          NULL, // trace
          listAt(1, 7, 2), // details
          "gone\0",
          [1 << 2, 0x1_0001],
          [7, 0],
          listAt(0, 2, 3),
          [0x030201, 0],
        ]),
      );
    });

    it("keep their data when the frame is gone", () => {
      const w = dirtyWriter();
      encodeAbort(w, { type: 0, reason: "", trace: "", details: [{ id: 1n, data: Uint8Array.of(7) }] });
      const frame = w.take();
      const message = decodeOne(frame);
      frame.fill(0);
      expect(message.kind === 1 && message.exception.details[0]?.data).to.deep.equal(Uint8Array.of(7));
    });
  });

  describe("writes, in the fewest bytes,", () => {
    it("a plain call", () => {
      const w = dirtyWriter();
      const at = beginCall(w, 1 as QuestionId, 0, 7, [], 0xa1a96525, 0x142a9d98, 3, 0, 0);
      finishPayload(w, 0, at, []);
      expect(at).to.equal(9 * 8);
      expect(w.take()).to.deep.equal(
        framed([
          structAt(0, 1, 1),
          [2, 0],
          structAt(0, 2, 2),
          [1, 3],
          [0x142a9d98, 0xa1a96525],
          structAt(1, 1, 0),
          structAt(1, 0, 2),
          [7, 0],
          NULL,
          NULL,
        ]),
      );
    });

    it("a call on an answer, with flags and capabilities", () => {
      const w = dirtyWriter();
      const at = beginCall(w, 1 as QuestionId, 1, 7, [2, 3], 0, 4, 5, 1, 3);
      finishPayload(w, 0, at, [
        { kind: 1, id: 8, transform: [] },
        { kind: 4, id: 9, transform: [] },
      ]);
      expect(w.take()).to.deep.equal(
        framed([
          structAt(0, 1, 1),
          [2, 0],
          structAt(0, 3, 2),
          [1, 0x1_0005],
          [4, 0],
          [6, 0],
          structAt(1, 1, 1),
          structAt(2, 0, 2),
          [0, 1],
          structAt(2, 1, 1),
          NULL, // content
          listAt(5, 7, 4),
          [7, 0], // the answer
          listAt(0, 7, 2),
          [2 << 2, 1],
          [0x2_0001, 0],
          [0x3_0001, 0],
          [2 << 2, 0x1_0001], // the cap table
          [1, 8],
          NULL,
          [4, 0],
          structAt(0, 1, 0),
          [9, 0],
        ]),
      );
    });

    it("a return", () => {
      const w = dirtyWriter();
      const at = beginReturn(w, 1 as AnswerId, false);
      setNoFinishNeeded(w, at);
      finishPayload(w, 0, at, []);
      const words = [structAt(0, 1, 1), [3, 0], structAt(0, 1, 1), [1, 3], structAt(0, 0, 2), NULL, NULL] as const;
      expect(w.take()).to.deep.equal(framed(words));
    });
  });

  describe("writes, to be packed,", () => {
    it("a plain call without room for a cap table", () => {
      const w = dirtyWriter(true);
      const at = beginCall(w, 1 as QuestionId, 0, 7, [], 0xa1a96525, 0x142a9d98, 3, 0, 0);
      finishPayload(w, 0, at, []);
      expect(w.take()).to.deep.equal(
        framed([
          structAt(0, 1, 1),
          [2, 0],
          structAt(0, 2, 2),
          [1, 3],
          [0x142a9d98, 0xa1a96525],
          structAt(1, 1, 0),
          structAt(1, 0, 1),
          [7, 0],
          NULL,
        ]),
      );
    });

    it("a call on an answer, with flags, whose payload with its cap table comes behind the content", () => {
      const w = dirtyWriter(true);
      const at = beginCall(w, 1 as QuestionId, 1, 7, [], 0, 4, 5, 1, 3);
      const to = w.length;
      w.ensure(8);
      w.view.setFloat64(to, 0);
      w.length += 8;
      setListPointer(w.view, at, to, 2, 3);
      finishPayload(w, 0, at, [{ kind: 1, id: 8, transform: [] }]);
      expect(w.take()).to.deep.equal(
        framed([
          structAt(0, 1, 1),
          [2, 0],
          structAt(0, 3, 2),
          [1, 0x1_0005],
          [4, 0],
          [6, 0],
          structAt(1, 1, 1),
          structAt(5, 0, 2),
          [0, 1],
          structAt(1, 1, 0),
          listAt(1, 2, 3), // still true, though nothing leads here any more
          [7, 0], // the answer
          NULL, // the content
          listAt(-2, 2, 3),
          listAt(0, 7, 1),
          [1 << 2, 1],
          [1, 8],
        ]),
      );
    });

    it("content that lies nowhere as it is", () => {
      for (const content of [NULL, capability(3)]) {
        const w = dirtyWriter(true);
        const at = beginReturn(w, 1 as AnswerId, false);
        w.bytes.set(bytesOf([content]), at);
        finishPayload(w, 0, at, [{ kind: 0, id: 0, transform: [] }]);
        expect(w.take()).to.deep.equal(
          framed([
            structAt(0, 1, 1),
            [3, 0],
            structAt(0, 1, 1),
            [1, 1],
            structAt(1, 0, 2),
            content,
            content,
            listAt(0, 7, 1),
            [1 << 2, 1],
            NULL,
          ]),
        );
      }
    });
  });

  for (const packed of [false, true])
    it(`pads content of any length, with a cap table behind it or not${packed ? ", to be packed" : ""}`, () => {
      for (const capTable of [[], [{ kind: 1, id: 2, transform: [] }]] as const) {
        for (let length = 1; length < 20; length++) {
          const w = dirtyWriter(packed);
          const at = beginReturn(w, 1 as AnswerId, true);
          const to = w.length;
          w.ensure(length);
          w.bytes.fill(7, to, to + length);
          w.length += length;
          setListPointer(w.view, at, to, 2, length);
          finishPayload(w, 0, at, capTable);
          const message = decodeOne(w.take());
          if (message.kind !== 3 || message.results === undefined) throw new Error("no results");
          const { reader, content } = message.results;
          expect(message.results.capTable).to.deep.equal(capTable);
          reader.blob(content);
          const bytes = reader.bytes.subarray(reader.blobStart, reader.blobStart + Math.ceil(length / 8) * 8);
          expect([...bytes]).to.deep.equal(Array.from(bytes, (_, i) => (i < length ? 7 : 0)));
        }
      }
    });

  it("shares one empty list among all messages without capabilities", () => {
    const words: Word[] = [structAt(1, 1, 0), structAt(1, 0, 2), [0, 0], NULL, NULL];
    const [a, b] = [decodeCall(callWith(...words)), decodeCall(callWith(...words))];
    expect(a.params.capTable).to.equal(b.params.capTable);
    expect(a.transform).to.equal(b.transform);
    expect(a.params.capTable).to.be.frozen;
    expect(a.transform).to.be.frozen;
  });
});
