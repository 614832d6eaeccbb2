import { expect } from "chai";
import { portable } from "../../../packages/wire/src/value/long-strings.ts";
import { decode, encode, raw, roundTrip, v8Decode, v8Encode, valueBytes } from "./codec.ts";

// Around every bound at which another way of writing or reading takes over.
const LENGTHS = [
  0, 1, 2, 7, 8, 9, 15, 16, 23, 24, 25, 31, 47, 48, 49, 63, 64, 127, 128, 129, 2047, 2048, 2049, 5000, 70000,
];

/** A string whose letters differ from place to place. */
function letters(length: number, first: number, count: number): string {
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode(first + (i % count));
  return text;
}

describe("value codec: strings", () => {
  const kinds: { readonly [kind: string]: (length: number) => string } = {
    ASCII: (length) => letters(length, 0x20, 95),
    "Latin-1 (0x80 to 0x9f among it)": (length) => letters(length, 0x00, 256),
    "UTF-16": (length) => letters(length, 0x4e00, 20000),
    "lone surrogates": (length) => letters(length, 0xdc00, 1024),
    "a single letter outside of Latin-1 at the end": (length) => `${letters(Math.max(0, length - 1), 0x61, 26)}\u0100`,
    "a single letter outside of ASCII at the end": (length) => `${letters(Math.max(0, length - 1), 0x61, 26)}\u00ff`,
    "a byte order mark in front": (length) => `\ufeff${letters(Math.max(0, length - 1), 0x61, 26)}`,
    emoji: (length) => "😀".repeat(length >> 1),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    it(`keeps ${kind} of any length`, () => {
      for (const length of LENGTHS) {
        const text = make(length);
        expect(roundTrip(text) === text, `round trip of ${length}`).to.equal(true);
        expect(v8Decode(encode(text)) === text, `V8 reading ${length}`).to.equal(true);
        expect(decode(v8Encode(text)) === text, `reading V8's ${length}`).to.equal(true);
        const keyed = { [text]: [text, { [text]: 1 }] };
        expect(roundTrip(keyed)).to.deep.equal(keyed);
      }
    });
  }

  it("puts UTF-16 units at an even distance from the value's start", () => {
    for (const before of ["", "a", "ab", "a".repeat(126), "a".repeat(127), "a".repeat(128)]) {
      for (const length of [1, 63, 64, 8191, 8192]) {
        const text = "日".repeat(length);
        const bytes = encode([before, text]);
        const at = Buffer.from(bytes).indexOf(Buffer.from("日", "utf16le"));
        expect(at % 2, `${before.length} letters before ${length}`).to.equal(0);
        expect(v8Decode(bytes)).to.deep.equal([before, text]);
      }
    }
  });

  it("reads the UTF-8 form, as value and as name", () => {
    const text = "aé日😀";
    const utf8 = Buffer.from(text).toString("latin1");
    const length = String.fromCharCode(utf8.length);
    expect(decode(valueBytes(`S${length}${utf8}`))).to.equal(text);
    expect(decode(valueBytes(`oS${length}${utf8}I\x02{\x01`))).to.deep.equal({ [text]: 1 });
    expect(decode(valueBytes("S\x03\xff\xc3b"))).to.equal("\ufffd\ufffdb");
    expect(decode(valueBytes("S\x03\xef\xbb\xbf"))).to.equal("\ufeff");
  });

  it("keeps names apart that look alike to a hash", () => {
    // Same length, same first, middle and last letter.
    const names = Array.from({ length: 26 }, (_, i) => `a${String.fromCharCode(97 + i)}cdefghij`);
    for (let round = 0; round < 2; round++) {
      for (const name of names) expect(roundTrip({ [name]: 1 })).to.deep.equal({ [name]: 1 });
    }
  });

  it("reads the same in a runtime without Node's Buffer", () => {
    for (const make of Object.values(kinds)) {
      for (const length of LENGTHS) {
        const text = make(length);
        const units = Buffer.from(`x${text}`, "utf16le").subarray(1);
        expect(portable.utf16(units, 1, units.length) === text, `UTF-16 of ${length}`).to.equal(true);
        if (/[^\0-\xff]/.test(text)) continue;
        const latin1 = Buffer.from(`x${text}`, "latin1");
        expect(portable.latin1(latin1, 1, latin1.length) === text, `Latin-1 of ${length}`).to.equal(true);
      }
    }
  });

  it("refuses half a UTF-16 unit", () => {
    expect(() => decode(valueBytes("c\x03abc"))).to.throw("half a UTF-16 unit");
  });

  it("refuses a string longer than the bytes", () => {
    expect(() => decode(valueBytes('"\x04abc'))).to.throw("4 bytes where 3 are left");
    expect(() => decode(raw('\xff\x0f"\xff\xff\xff\xff\x0fabc'))).to.throw("4294967295 bytes where 3 are left");
  });
});
