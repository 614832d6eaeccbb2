import { expect } from "chai";
import fc from "fast-check";
import { DecodeError } from "../../../packages/wire/src/errors.ts";
import { DEFAULT_LIMITS, resolveLimits } from "../../../packages/wire/src/limits.ts";
import { encodeAbort, encodeUnimplemented } from "../../../packages/wire/src/rpc/encode.ts";
import { type CallMessage, type Exception, UNFOLLOWABLE } from "../../../packages/wire/src/rpc/messages.ts";
import { SegmentReader } from "../../../packages/wire/src/segment/reader.ts";
import { dirtyWriter, encodeFlat } from "../support/flat.ts";
import {
  FOREIGN_CALL,
  FOREIGN_ECHO_OF_CALL,
  FOREIGN_ECHO_OF_RESOLVE,
  FOREIGN_EXCEPTION,
} from "../support/foreign-frames.ts";
import { anyMessage, capDescriptor, decodeOne, type Plain, plainOf } from "../support/plain.ts";
import { chooser, layOut, readTree } from "../support/tree.ts";
import { bytesOf, capability, farTo, listAt, NULL, structAt, type Word } from "../support/words.ts";

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

/** A reader of the one message in `frame`, which is of one segment. */
function readerOfFrame(frame: Uint8Array): SegmentReader {
  return new SegmentReader(frame, new DataView(frame.buffer, frame.byteOffset), 8, frame.length, DEFAULT_LIMITS);
}

describe("decoding messages", () => {
  it("reads any message over any number of segments, with far and double far pointers", () => {
    fc.assert(
      fc.property(
        anyMessage,
        fc.integer({ min: 2, max: 5 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (sent, count, picks) => {
          const frame = layOut(readTree(encodeFlat(sent), 8), count, chooser(picks));
          expect(plainOf(decodeOne(frame))).to.deep.equal(sent);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("reads far pointers of the envelope within the only segment there is", () => {
    const withoutContent = anyMessage.map((message): Plain => {
      if (message.kind === 2) return { ...message, params: { ...message.params, content: "" } };
      if (message.kind !== 3 || message.results === undefined) return message;
      return { ...message, results: { ...message.results, content: "" } };
    });
    fc.assert(
      fc.property(withoutContent, fc.array(fc.nat(), { minLength: 5, maxLength: 20 }), (sent, picks) => {
        const frame = layOut(readTree(encodeFlat(sent), 8), 1, chooser([1, ...picks]));
        expect(plainOf(decodeOne(frame))).to.deep.equal(sent);
      }),
      { numRuns: 300 },
    );
  });

  describe("as Cap'n Proto's own implementation writes them, in tiny segments", () => {
    it("reads a call", () => {
      expect(plainOf(decodeOne(FOREIGN_CALL))).to.deep.equal({
        kind: 2,
        questionId: 7,
        targetKind: 1,
        targetId: 3,
        transform: [1, 0],
        interfaceHigh: 0xa1a96525,
        interfaceLow: 0x142a9d98,
        methodId: 2,
        sendResultsTo: 1,
        noPromisePipelining: false,
        onlyPromisePipeline: true,
        params: {
          content: "",
          capTable: [
            { kind: 1, id: 1, transform: [] },
            { kind: 4, id: 4, transform: [2] },
            { kind: 5, id: 9, transform: [] },
          ],
        },
      });
    });

    it("reads an exception with its details", () => {
      const message = decodeOne(FOREIGN_EXCEPTION);
      expect(message).to.deep.include({
        kind: 3,
        answerId: 5,
        releaseParamCaps: false,
        noFinishNeeded: false,
        which: 1,
      });
      expect(message.kind === 3 && message.exception).to.deep.equal({
        type: 1,
        reason: "jsg.TypeError: no",
        trace: "at x",
        details: [
          { id: 0xe802_7292_171b_1646n, data: Uint8Array.of(0xff, 0x0f, 0x30) },
          { id: 1n, data: new Uint8Array(0) },
        ],
      });
    });

    it("reads messages of ours that came back", () => {
      expect(decodeOne(FOREIGN_ECHO_OF_CALL)).to.deep.equal({
        kind: 0,
        original: { kind: 2, questionId: 12, cap: undefined },
      });
      expect(decodeOne(FOREIGN_ECHO_OF_RESOLVE)).to.deep.equal({
        kind: 0,
        original: { kind: 5, questionId: undefined, cap: { kind: 1, id: 6, transform: [] } },
      });
    });
  });

  describe("what a newer or odd peer sends", () => {
    it("is a message of unknown kind: it is named and can be sent back", () => {
      for (const which of [7, 9, 10, 11, 12, 14, 999]) {
        const frame = framed([structAt(0, 1, 1), [which, 0], structAt(0, 1, 0), [31, 0]]);
        const message = decodeOne(frame);
        if (message.kind !== -1) throw new Error("known");
        expect(message.which).to.equal(which);
        const w = dirtyWriter();
        encodeUnimplemented(w, message.reader, message.root);
        const echo = framed([structAt(0, 1, 1), [0, 0], structAt(0, 1, 1), [which, 0], structAt(0, 1, 0), [31, 0]]);
        expect(w.take()).to.deep.equal(echo);
      }
    });

    it("is a call to a target of unknown kind: it can be answered", () => {
      const call = decodeCall(callWith(structAt(1, 1, 0), NULL, [77, 2]));
      expect(call).to.deep.include({ questionId: 9, targetKind: 2, targetId: 0, transform: [] });
    });

    it("is a call without target and params: it is one to export 0 with nothing", () => {
      const call = decodeCall(callWith(NULL, NULL));
      expect(call).to.deep.include({ targetKind: 0, targetId: 0, transform: [] });
      expect(call.params.content).to.equal(-1);
      expect(call.params.capTable).to.deep.equal([]);
    });

    it("is a transform with an unknown step, or over the limit: it leads nowhere, and the link lives", () => {
      const answer = (...ops: Word[]): Word[] => [
        structAt(1, 1, 1),
        NULL,
        [0, 1],
        structAt(0, 1, 1),
        [4, 0],
        listAt(0, 7, ops.length),
        [ops.length << 2, 1],
        ...ops,
      ];
      const step: Word = [0x5_0001, 0];
      expect(decodeCall(callWith(...answer(step, [0, 0], step))).transform).to.deep.equal([5, 5]);
      const unknown = decodeCall(callWith(...answer(step, [2, 0])));
      expect(unknown).to.deep.include({ targetKind: 1, targetId: 4, transform: UNFOLLOWABLE });
      const limits = resolveLimits({ maxTransformLength: 3 });
      expect(decodeCall(callWith(...answer(step, step, step)), limits).transform).to.deep.equal([5, 5, 5]);
      expect(decodeCall(callWith(...answer(step, step, step, step)), limits).transform).to.equal(UNFOLLOWABLE);
    });

    it("is a larger struct than we know, also within a list: what we know is read", () => {
      const call = decodeCall(
        callWith(
          structAt(1, 2, 1),
          structAt(3, 1, 3),
          [77, 0],
          [0xff, 0xff],
          NULL,
          NULL, // of the params: data that we do not know
          NULL,
          listAt(1, 7, 6),
          NULL,
          [2 << 2, 0x1_0002], // two descriptors of two data words
          [1, 5],
          [0xff, 0xff],
          NULL,
          [4, 0],
          [0xff, 0xff],
          structAt(0, 1, 0),
          [6, 0],
        ),
      );
      expect(call.targetId).to.equal(77);
      expect(call.params.capTable).to.deep.equal([
        { kind: 1, id: 5, transform: [] },
        { kind: 4, id: 6, transform: [] },
      ]);
    });

    it("is a descriptor of unknown kind: it is named", () => {
      const call = decodeCall(callWith(NULL, structAt(0, 0, 2), NULL, listAt(0, 7, 1), [1 << 2, 1], [6, 55]));
      expect(call.params.capTable).to.deep.equal([{ kind: 6, id: 0, transform: [] }]);
    });

    it("is a return of unknown kind: it is named", () => {
      const message = decodeOne(framed([structAt(0, 1, 1), [3, 0], structAt(0, 1, 0), [8, 9 << 16]]));
      expect(message).to.deep.equal({
        kind: 3,
        answerId: 8,
        releaseParamCaps: true,
        noFinishNeeded: false,
        which: 9,
        results: undefined,
        exception: undefined,
        otherAnswer: undefined,
      });
    });

    it("is an exception of unknown type: it is a failure", () => {
      const message = decodeOne(framed([structAt(0, 1, 1), [1, 0], structAt(0, 1, 0), [0, 4]]));
      expect(message).to.deep.equal({ kind: 1, exception: { type: 0, reason: "", trace: "", details: [] } });
    });

    it("is a resolve of unknown kind: it resolves to nothing", () => {
      const message = decodeOne(framed([structAt(0, 1, 1), [5, 0], structAt(0, 1, 0), [8, 2]]));
      expect(message).to.deep.equal({ kind: 5, promiseId: 8, cap: undefined, exception: undefined });
    });
  });

  describe("an unimplemented message", () => {
    const echoed = (...words: Word[]) => decodeOne(framed([structAt(0, 1, 1), [0, 0], ...words]));

    it("names the question of a bootstrap", () => {
      expect(echoed(structAt(0, 1, 1), [8, 0], structAt(0, 1, 0), [3, 0])).to.deep.equal({
        kind: 0,
        original: { kind: 8, questionId: 3, cap: undefined },
      });
    });

    it("may hold far pointers", () => {
      const original = { kind: 8, questionId: 3, cap: undefined };
      const words: Word[] = [structAt(0, 1, 1), [8, 0], farTo(0, 5), structAt(0, 1, 0), [3, 0]];
      expect(echoed(...words)).to.deep.equal({ kind: 0, original });
    });

    it("names only the kind of other messages", () => {
      const original = { kind: 6, questionId: undefined, cap: undefined };
      expect(echoed(structAt(0, 1, 1), [6, 0], structAt(0, 1, 0), [3, 1])).to.deep.equal({ kind: 0, original });
    });

    it("without an original, or with one that cannot be read, still is one", () => {
      expect(echoed(NULL)).to.deep.equal({ kind: 0, original: undefined });
      expect(echoed(structAt(99, 1, 1))).to.deep.equal({ kind: 0, original: undefined });
      expect(echoed(listAt(0, 2, 1), NULL)).to.deep.equal({ kind: 0, original: undefined });
      expect(echoed(structAt(0, 1, 1), [2, 0], structAt(9, 2, 2))).to.deep.equal({ kind: 0, original: undefined });
    });

    it("takes back each message of ours", () => {
      fc.assert(
        fc.property(anyMessage, (sent) => {
          const frame = encodeFlat(sent);
          const w = dirtyWriter();
          encodeUnimplemented(w, readerOfFrame(frame), 8);
          const echo = w.take();
          expect(readTree(echo, 8)).to.deep.equal({
            kind: "struct",
            data: [0, 0, 0, 0, 0, 0, 0, 0],
            pointers: [readTree(frame, 8)],
          });
          const back = decodeOne(echo);
          if (back.kind !== 0 || back.original === undefined) throw new Error("no original");
          const asks = sent.kind === 2 || sent.kind === 8;
          expect(back.original).to.deep.equal({
            kind: sent.kind,
            questionId: asks ? sent.questionId : undefined,
            cap: sent.kind === 5 ? sent.cap : undefined,
          });
        }),
        { numRuns: 200 },
      );
    });

    it("is no longer than what it sends back, however often parts of that are named", () => {
      const words: Word[] = [structAt(0, 1, 1), [99, 0], structAt(0, 0, 30)];
      for (let i = 0; i < 30; i++) words.push(structAt(29 - i, 9, 0));
      for (let i = 0; i < 9; i++) words.push(NULL);
      const w = dirtyWriter();
      encodeUnimplemented(w, readerOfFrame(framed(words)), 8);
      expect(w.take().length).to.be.at.most(8 * (words.length + 4));
    });
  });

  describe("refuses", () => {
    const bad: { readonly [what: string]: Uint8Array } = {
      "a message without a root": framed([]),
      "a root that is no struct": framed([capability(0)]),
      "a body out of bounds": framed([structAt(0, 1, 1), [2, 0], structAt(1, 3, 3)]),
      "a body that is a list": framed([structAt(0, 1, 1), [4, 0], listAt(0, 2, 8), NULL]),
      "a target out of bounds": callWith(structAt(9, 1, 1), NULL),
      "params that are a list": callWith(NULL, listAt(0, 6, 2), NULL, NULL),
      "a cap table out of bounds": callWith(NULL, structAt(0, 0, 2), NULL, listAt(0, 7, 9)),
      "a cap table with more entries than words": callWith(
        NULL,
        structAt(0, 0, 2),
        NULL,
        listAt(0, 7, 1),
        [9 << 2, 1],
        NULL,
      ),
      "a transform with a lie": callWith(structAt(1, 1, 1), NULL, [0, 1], structAt(0, 1, 1), NULL, listAt(0, 7, 0), [
        9 << 2,
        1,
      ]),
      "a reason without a NUL": framed([
        structAt(0, 1, 1),
        [1, 0],
        structAt(0, 1, 1),
        NULL,
        listAt(0, 2, 8),
        "12345678",
      ]),
      "a far pointer that leads round": framed([structAt(0, 1, 1), [2, 0], farTo(0, 2)]),
    };
    for (const [what, frame] of Object.entries(bad)) {
      it(what, () => {
        expect(() => decodeOne(frame)).to.throw(DecodeError);
      });
    }

    it("a cap table over the limit, also one of entries without a size", () => {
      const limits = resolveLimits({ maxCapTable: 2 });
      const table = (count: number, dataWords: number, ...rest: Word[]) =>
        callWith(NULL, structAt(0, 0, 2), NULL, listAt(0, 7, rest.length), [count << 2, dataWords], ...rest);
      expect(decodeCall(table(2, 1, [1, 5], [1, 6]), limits).params.capTable.map((cap) => cap.id)).to.deep.equal([
        5, 6,
      ]);
      expect(() => decodeCall(table(3, 1, NULL, NULL, NULL), limits)).to.throw(DecodeError);
      expect(() => decodeCall(table(3, 0), limits)).to.throw(DecodeError);
      expect(() => decodeCall(table(0x3fff_ffff, 0))).to.throw(DecodeError);
    });
  });

  it("leaves content that is not right to whoever reads it, from one segment or several", () => {
    for (const content of [structAt(99, 1, 0), [7, 0] as Word, listAt(0, 2, 999), farTo(0, 7)]) {
      const words: Word[] = [
        structAt(0, 1, 1),
        [2, 0],
        structAt(0, 2, 2),
        [9, 0],
        [2, 1],
        NULL,
        structAt(0, 0, 2),
        content,
        NULL,
      ];
      const one = decodeCall(framed(words));
      const several = decodeCall(bytesOf([[1, words.length], [1, 0], ...words, [123, 0]]));
      for (const { params, questionId } of [one, several]) {
        expect(questionId).to.equal(9);
        expect(() => params.reader.text(params.content)).to.throw(DecodeError);
        expect(() => params.reader.enterStruct(params.content)).to.throw(DecodeError);
      }
    }
  });

  it("reads every descriptor that it writes, in a resolve too", () => {
    fc.assert(
      fc.property(capDescriptor, (cap) => {
        const frame = encodeFlat({ kind: 5, promiseId: 1, cap, exception: undefined });
        expect(plainOf(decodeOne(frame))).to.deep.equal({ kind: 5, promiseId: 1, cap, exception: undefined });
      }),
    );
  });

  it("writes an exception of any length", () => {
    const long: Exception = { type: 0, reason: "ü".repeat(100_000), trace: "x".repeat(70_000), details: [] };
    const w = dirtyWriter();
    encodeAbort(w, long);
    expect(decodeOne(w.take())).to.deep.equal({ kind: 1, exception: long });
  });
});
