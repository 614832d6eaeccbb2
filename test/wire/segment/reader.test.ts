import { expect } from "chai";
import { DecodeError, NotFlat } from "../../../packages/wire/src/errors.ts";
import { resolveLimits } from "../../../packages/wire/src/limits.ts";
import { capability, farTo, listAt, NULL, readerOf, structAt, type Word } from "../support/words.ts";

const ALL_ONES: Word = [0xffff_ffff, 0xffff_ffff];

describe("SegmentReader", () => {
  describe("fields of a struct", () => {
    const reader = readerOf([structAt(0, 1, 1), [0x8765_4321, 0xfedc_ba98], capability(7)]);

    it("are read at their offsets", () => {
      expect(reader.enterStruct(reader.start)).to.equal(true);
      expect(reader.u8(1)).to.equal(0x43);
      expect(reader.u16(2)).to.equal(0x8765);
      expect(reader.u32(4)).to.equal(0xfedc_ba98);
      expect(reader.u64(0)).to.equal(0xfedc_ba98_8765_4321n);
      expect([0, 1, 2, 5, 31].map((bit) => reader.bit(bit))).to.deep.equal([true, false, false, true, true]);
      expect(reader.capabilityIndex(reader.pointer(0))).to.equal(7);
    });

    it("that an older peer's struct lacks read as nothing, whatever lies behind it", () => {
      reader.enterStruct(reader.start);
      expect(reader.u8(8)).to.equal(0);
      expect(reader.u16(8)).to.equal(0);
      expect(reader.u32(8)).to.equal(0);
      expect(reader.u64(8)).to.equal(0n);
      expect(reader.bit(64)).to.equal(false);
      expect(reader.pointer(1)).to.equal(-1);
      expect(reader.pointer(-1)).to.equal(-1);
    });

    it("of a null struct read as nothing, not as those of the struct before", () => {
      reader.enterStruct(reader.start);
      expect(reader.enterStruct(-1)).to.equal(false);
      expect(reader.u32(0)).to.equal(0);
      expect(reader.bit(0)).to.equal(false);
      expect(reader.pointer(0)).to.equal(-1);
    });

    it("that are missing are null in every way", () => {
      expect(reader.isNull(-1)).to.equal(true);
      expect(reader.isStruct(-1)).to.equal(false);
      expect(reader.capabilityIndex(-1)).to.equal(-1);
      expect(reader.text(-1)).to.equal("");
      expect(reader.blob(-1)).to.equal(false);
      expect(reader.blobEnd - reader.blobStart).to.equal(0);
      expect(reader.enterPointerList(-1)).to.equal(false);
      expect(reader.listCount).to.equal(0);
      expect(reader.enterStructList(-1)).to.equal(false);
      expect(reader.listCount).to.equal(0);
    });
  });

  it("enters a struct in front of its pointer, and one without any size", () => {
    const reader = readerOf([structAt(1, 0, 1), [5, 0], structAt(-2, 1, 0)]);
    reader.enterStruct(reader.start);
    reader.enterStruct(reader.pointer(0));
    expect(reader.u32(0)).to.equal(5);
    const empty = readerOf([structAt(-1, 0, 0)]);
    expect(empty.enterStruct(empty.start)).to.equal(true);
    expect(empty.pointer(0)).to.equal(-1);
  });

  describe("refuses a pointer", () => {
    const bad: { readonly [what: string]: readonly Word[] } = {
      "to a struct behind the end": [structAt(1, 1, 0), NULL],
      "to a struct that reaches over the end": [structAt(0, 1, 1), NULL],
      "to a struct before the start": [structAt(-2, 1, 0), NULL],
      "to a struct as far away as can be": [[0x7fff_fffc, 1], NULL],
      "to a struct as far before as can be": [[0x8000_0000, 1], NULL],
      "to a struct as large as can be": [[0, 0xffff_ffff], NULL],
      "to a list where a struct must be": [listAt(0, 2, 8), NULL],
      "that is a capability where a struct must be": [capability(0), NULL],
      "of unknown kind": [[7, 0], NULL],
      "of ones only": [ALL_ONES, NULL],
    };
    for (const [what, words] of Object.entries(bad)) {
      it(what, () => {
        const reader = readerOf(words);
        expect(() => reader.enterStruct(reader.start)).to.throw(DecodeError);
      });
    }
  });

  it("says of a far pointer that the message is not flat", () => {
    const reader = readerOf([farTo(0, 1), structAt(0, 1, 0), NULL]);
    expect(() => reader.enterStruct(reader.start)).to.throw(NotFlat);
    expect(() => reader.text(reader.start)).to.throw(NotFlat);
    expect(() => reader.enterStructList(reader.start)).to.throw(NotFlat);
    expect(reader.follow(reader.start, [0])).to.equal(-1);
  });

  describe("bytes and text", () => {
    it("are found without their padding and NUL", () => {
      const reader = readerOf([listAt(0, 2, 5), "näh\0"]);
      expect(reader.text(reader.start)).to.equal("näh");
      expect(reader.blob(reader.start)).to.equal(true);
      expect(reader.blobEnd - reader.blobStart).to.equal(5);
    });

    it("are the same text however often they are read, and malformed UTF-8 becomes U+FFFD", () => {
      for (const bytes of ["add\0", "ad\xff\0", "\xe9\0"]) {
        const raw = Uint8Array.from(bytes, (c) => c.charCodeAt(0));
        const reader = readerOf([listAt(0, 2, raw.length), NULL]);
        reader.bytes.set(raw, reader.start + 8);
        const expected = new TextDecoder().decode(raw.subarray(0, -1));
        for (let i = 0; i < 3; i++) expect(reader.text(reader.start)).to.equal(expected);
      }
    });

    it("tells texts apart that differ only in the middle", () => {
      const texts = ["abcdefgh", "abxdefgh", "abcdxfgh", "abcdefxh"];
      for (let round = 0; round < 2; round++) {
        for (const text of texts) {
          const reader = readerOf([listAt(0, 2, 9), text, NULL]);
          expect(reader.text(reader.start)).to.equal(text);
        }
      }
    });

    const bad: { readonly [what: string]: readonly Word[] } = {
      "over the end": [listAt(0, 2, 9), "12345678"],
      "before the start": [listAt(-2, 2, 1), NULL],
      "of the greatest length": [[1, 0xffff_fffa], NULL],
      "without a NUL": [listAt(0, 2, 8), "12345678"],
      "of no bytes at all": [listAt(0, 2, 0), NULL],
      "in elements of two bytes": [listAt(0, 3, 4), NULL],
      "in a struct": [structAt(0, 1, 0), NULL],
    };
    for (const [what, words] of Object.entries(bad)) {
      it(`are refused as text ${what}`, () => {
        const reader = readerOf(words);
        expect(() => reader.text(reader.start)).to.throw(DecodeError);
      });
    }
  });

  describe("lists", () => {
    it("of pointers have them one behind the other", () => {
      const reader = readerOf([listAt(0, 6, 2), capability(4), capability(5)]);
      expect(reader.enterPointerList(reader.start)).to.equal(true);
      expect(reader.listCount).to.equal(2);
      expect(reader.capabilityIndex(reader.listAt + reader.listStep)).to.equal(5);
    });

    it("of structs have the sizes that their tag says", () => {
      const reader = readerOf([listAt(0, 7, 5), [2 << 2, 0x1_0001], [1, 0], NULL, [2, 0], capability(9), ALL_ONES]);
      expect(reader.enterStructList(reader.start)).to.equal(true);
      const { listAt: at, listCount, listStep, listDataBytes } = reader;
      expect([listCount, listStep, listDataBytes]).to.deep.equal([2, 16, 8]);
      reader.enterElement(at + listStep, listDataBytes, listStep);
      expect(reader.u32(0)).to.equal(2);
      expect(reader.u32(8)).to.equal(0);
      expect(reader.capabilityIndex(reader.pointer(0))).to.equal(9);
      expect(reader.pointer(1)).to.equal(-1);
    });

    const bad: { readonly [what: string]: readonly Word[] } = {
      "with more elements than words": [listAt(0, 7, 2), [3 << 2, 1], NULL, NULL],
      "with far more elements than words": [listAt(0, 7, 2), [0xffff_fffc, 0xffff_ffff], NULL, NULL],
      "over the end": [listAt(0, 7, 2), [1 << 2, 1], NULL],
      "with a tag over the end": [listAt(0, 7, 0)],
      "with a tag of another kind": [listAt(0, 7, 1), [5, 1], NULL],
      "in elements of eight bytes": [listAt(0, 5, 1), [1, 1]],
      "of ones only": [[0xffff_fffd, 0xffff_ffff], ALL_ONES],
    };
    for (const [what, words] of Object.entries(bad)) {
      it(`of structs are refused ${what}`, () => {
        const reader = readerOf(words);
        expect(() => reader.enterStructList(reader.start)).to.throw(DecodeError);
      });
    }

    it("of pointers are refused over the end and before the start", () => {
      for (const words of [[listAt(0, 6, 2), NULL], [listAt(-2, 6, 1), NULL], [[1, 0xffff_fffe] as Word]]) {
        const reader = readerOf(words);
        expect(() => reader.enterPointerList(reader.start)).to.throw(DecodeError);
      }
    });
  });

  describe("its budget", () => {
    const limits = resolveLimits({ maxMessageWords: 1000 });

    it("pays for every visit, so that reading the same again ends", () => {
      const reader = readerOf([structAt(0, 9, 0), ...new Array<Word>(9).fill(NULL)], limits);
      for (let i = 0; i < 100; i++) reader.enterStruct(reader.start);
      expect(() => reader.enterStruct(reader.start)).to.throw(DecodeError);
    });

    it("pays a word for each element that has no size", () => {
      const reader = readerOf([listAt(0, 7, 0), [998 << 2, 0], NULL], limits);
      expect(reader.enterStructList(reader.start)).to.equal(true);
      expect(reader.listCount).to.equal(998);
      expect(() => reader.enterStructList(reader.start)).to.throw(DecodeError);
      const greatest = readerOf([listAt(0, 7, 0), [0xffff_fffc, 0], NULL]);
      expect(() => greatest.enterStructList(greatest.start)).to.throw(DecodeError);
    });

    it("does not let a short message have a long list of what has no size", () => {
      const reader = readerOf([listAt(0, 7, 0), [100_000 << 2, 0], NULL]);
      expect(() => reader.enterStructList(reader.start)).to.throw(DecodeError, "longer than its message");
    });

    it("pays for bytes", () => {
      const reader = readerOf([listAt(0, 2, 792), ...new Array<Word>(99).fill(NULL)], limits);
      for (let i = 0; i < 10; i++) reader.blob(reader.start);
      expect(() => reader.blob(reader.start)).to.throw(DecodeError);
    });

    it("does not pay for the way to a capability, which calls take again and again", () => {
      const reader = readerOf([structAt(0, 0, 1), capability(3)], limits);
      for (let i = 0; i < 2000; i++) expect(reader.capabilityIndex(reader.follow(reader.start, [0]))).to.equal(3);
    });
  });

  describe("follow", () => {
    const words: Word[] = [structAt(0, 1, 2), [1, 1], structAt(1, 0, 1), capability(8), capability(9)];

    it("goes through pointer fields, and nowhere for an empty way", () => {
      const reader = readerOf(words);
      expect(reader.follow(reader.start, [])).to.equal(reader.start);
      expect(reader.capabilityIndex(reader.follow(reader.start, [1]))).to.equal(8);
      expect(reader.capabilityIndex(reader.follow(reader.start, [0, 0]))).to.equal(9);
    });

    it("ends at -1 where there is no such field, no struct, or no room for it", () => {
      const reader = readerOf(words);
      for (const way of [[2], [-1], [1, 0], [0, 1], [0, 0, 0], [65535]]) {
        expect(reader.follow(reader.start, way)).to.equal(-1);
      }
      const outside = readerOf([structAt(5, 0, 1), NULL]);
      expect(outside.follow(outside.start, [0])).to.equal(-1);
      expect(outside.follow(-1, [0])).to.equal(-1);
    });
  });
});
