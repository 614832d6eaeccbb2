import { expect } from "chai";
import { DecodeError } from "../../../packages/wire/src/errors.ts";
import { decodeOne } from "../support/plain.ts";
import { bytesOf, listAt, NULL, structAt, type Word } from "../support/words.ts";

/** A Resolve to an exception with a list of details, which is `list` and what it leads to. */
const resolveWith = (...list: Word[]): Uint8Array =>
  bytesOf([
    ...[[0, 8 + list.length] as Word, structAt(0, 1, 1), [5, 0] as Word, structAt(0, 1, 1), [7, 1] as Word],
    ...[structAt(0, 1, 3), NULL, NULL, NULL, ...list],
  ]);
const detailsOf = (frame: Uint8Array) => {
  const message = decodeOne(frame);
  return message.kind === 5 ? (message.exception?.details ?? []) : [];
};

describe("details of exceptions", () => {
  it("leaves out what an exception has in details beyond a few", () => {
    const details = Array.from({ length: 100 }, (_, i): Word[] => [[i, 0], NULL]).flat();
    const read = detailsOf(resolveWith(listAt(0, 7, 200), [100 << 2, 0x1_0001], ...details));
    expect(read.map((detail) => detail.id)).to.deep.equal(Array.from({ length: 64 }, (_, i) => BigInt(i)));
  });

  it("refuses an exception whose details are more than their bytes: without a size, or of the same bytes", () => {
    expect(() => detailsOf(resolveWith(listAt(0, 7, 0), [(1 << 22) << 2, 0]))).to.throw(DecodeError);
    const count = 50;
    const blobWords = 100;
    const details = Array.from({ length: count }, (_, i): Word[] => [
      [i, 0],
      listAt(2 * (count - 1 - i), 2, 8 * blobWords),
    ]).flat();
    const blob = new Array<Word>(blobWords).fill("abcdefgh");
    const list: Word[] = [listAt(0, 7, 2 * count), [count << 2, 0x1_0001]];
    expect(() => detailsOf(resolveWith(...list, ...details, ...blob))).to.throw(DecodeError, "more words");
  });
});
