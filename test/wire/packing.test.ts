import { spawnSync } from "node:child_process";
import { getUnpackedByteLength, pack, unpack } from "capnp-ts/src/serialization/packing.js";
import { expect } from "chai";
import fc from "fast-check";
import { DecodeError } from "../../packages/wire/src/errors.ts";
import { DEFAULT_LIMITS, resolveLimits } from "../../packages/wire/src/limits.ts";
import { isMostlyZeros, packedBound, packFrame, piecesOf, unpackFrame } from "../../packages/wire/src/packing.ts";

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function zeros(words: number): Uint8Array {
  return new Uint8Array(8 * words);
}

function repeat(hex: string, times: number): string {
  return `${hex} `.repeat(times);
}

/** Words in which zeros are as frequent as in messages, and runs of them as long. */
const anyWords: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.uint8Array({ minLength: 8, maxLength: 8 }) },
      { weight: 4, arbitrary: fc.array(fc.constantFrom(0, 0, 0, 1, 0x80, 0xff), { minLength: 8, maxLength: 8 }) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 600 }).map((count) => zeros(count)) },
      {
        weight: 1,
        arbitrary: fc.integer({ min: 1, max: 600 }).map((count) => new Uint8Array(8 * count).fill(0xa5)),
      },
    ),
    { maxLength: 60 },
  )
  .map((pieces) => Uint8Array.from(pieces.flatMap((piece) => [...piece])));

/** At odd places of a larger buffer, as frames of a socket are. */
function misplaced(content: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(content.length + 11).fill(0xee);
  buffer.set(content, 3);
  return buffer.subarray(3, 3 + content.length);
}

describe("packing", () => {
  const vectors: readonly [what: string, unpacked: string, packed: string][] = [
    ["nothing", "", ""],
    ["a word of zeros", repeat("00", 8), "00 00"],
    ["four words of zeros", repeat("00", 32), "00 03"],
    ["256 words of zeros", repeat("00", 8 * 256), "00 ff"],
    ["257 words of zeros", repeat("00", 8 * 257), "00 ff 00 00"],
    [
      "the example of Cap'n Proto's documentation",
      "08 00 00 00 03 00 02 00 19 00 00 00 aa 01 00 00",
      "51 08 03 02 31 19 aa 01",
    ],
    ["a word of other bytes", "01 02 03 04 05 06 07 08", "ff 01 02 03 04 05 06 07 08 00"],
    [
      "words of other bytes behind one another, with one zero at most",
      "01 02 03 04 05 06 07 08 08 07 06 05 04 03 02 01 01 00 02 03 04 05 06 07 01 00 00 02 03 04 05 06",
      "ff 01 02 03 04 05 06 07 08 02 08 07 06 05 04 03 02 01 01 00 02 03 04 05 06 07 f9 01 02 03 04 05 06",
    ],
    [
      "257 words of other bytes",
      repeat("2a", 8 * 257),
      `ff ${repeat("2a", 8)} ff ${repeat("2a", 8 * 255)} ff ${repeat("2a", 8)} 00`,
    ],
    ["a word with one byte at each end", "01 00 00 00 00 00 00 80", "81 01 80"],
  ];
  for (const [what, unpacked, packed] of vectors) {
    it(`is known of ${what}`, () => {
      expect(packFrame(bytes(unpacked))).to.deep.equal(bytes(packed));
      expect(unpackFrame(bytes(packed), DEFAULT_LIMITS)).to.deep.equal(bytes(unpacked));
    });
  }

  it("gives back every frame, wherever its bytes are", () => {
    fc.assert(
      fc.property(anyWords, (frame) => {
        const packed = packFrame(misplaced(frame));
        expect(packed.length).to.be.at.most(packedBound(frame.length));
        expect(Buffer.compare(unpackFrame(misplaced(packed), DEFAULT_LIMITS), frame)).to.equal(0);
      }),
    );
  });

  it("is what capnp-ts reads and writes", () => {
    fc.assert(
      fc.property(anyWords, (frame) => {
        const ours = packFrame(frame).slice();
        const read = new Uint8Array(getUnpackedByteLength(ours.buffer));
        unpack(ours, 0, read);
        expect(Buffer.compare(read, frame)).to.equal(0);
        const theirs = new Uint8Array(pack(frame.slice().buffer));
        expect(Buffer.compare(unpackFrame(theirs, DEFAULT_LIMITS), frame)).to.equal(0);
      }),
    );
  });

  it("is byte for byte what Cap'n Proto's own tool writes", function () {
    const messages = fc.sample(
      anyWords.filter((words) => words.length < 8 * 0xffff),
      { numRuns: 25, seed: 7 },
    );
    for (const data of messages) {
      // A message of one struct, which has these words and no pointers.
      const head = new DataView(new ArrayBuffer(16));
      head.setUint32(4, 1 + data.length / 8, true);
      head.setUint32(12, data.length / 8, true);
      const input = Buffer.concat([new Uint8Array(head.buffer), data]);
      const convert = (formats: string) => spawnSync("capnp", ["convert", "--quiet", formats], { input });
      const packed = convert("binary:packed");
      if (packed.error !== undefined) {
        console.error("      capnp is not installed: packing was not compared with it");
        this.skip();
      }
      expect(String(packed.stderr)).to.equal("");
      const unpacked = convert("binary:binary").stdout;
      expect(Buffer.compare(packFrame(unpacked), packed.stdout)).to.equal(0);
      expect(Buffer.compare(unpackFrame(packed.stdout, DEFAULT_LIMITS), unpacked)).to.equal(0);
    }
  });

  it("stays within its bound where words without zeros and with two take turns", () => {
    for (let words = 1; words < 600; words++) {
      const worst = zeros(words).map((_, at) => (at % 16 < 8 || at % 8 > 1 ? 1 : 0));
      const packed = packFrame(worst);
      expect(packed.length).to.be.at.most(packedBound(worst.length));
      if (words % 2 === 1) expect(packed.length).to.equal(packedBound(worst.length));
    }
  });

  it("leaves what it gave out before as it was", () => {
    const given: { readonly frame: Uint8Array; readonly packed: Uint8Array; readonly unpacked: Uint8Array }[] = [];
    for (const frame of fc.sample(anyWords, { numRuns: 300, seed: 11 })) {
      const packed = packFrame(frame);
      given.push({ frame, packed, unpacked: unpackFrame(packed, DEFAULT_LIMITS) });
    }
    for (const { frame, packed, unpacked } of given) {
      expect(Buffer.compare(unpacked, frame)).to.equal(0);
      expect(Buffer.compare(unpackFrame(packed, DEFAULT_LIMITS), frame)).to.equal(0);
    }
  });

  it("lets a frame that shrinks a lot keep no more memory than it needs", () => {
    expect(packFrame(zeros(1 << 17)).buffer.byteLength).to.equal(1024);
  });

  it("takes whole words only", () => {
    expect(() => packFrame(new Uint8Array(12))).to.throw(RangeError, "A frame of 12 bytes, not of whole words.");
  });
});

describe("unpacking", () => {
  const limits = resolveLimits({ maxFrameBytes: 4096 });
  const refused = (packed: Uint8Array, text: string) =>
    expect(() => unpackFrame(packed, limits)).to.throw(DecodeError, text);

  it("refuses what ends within a word or a run", () => {
    for (const hex of ["00", "01", "03 01", "ff", "ff 01 02 03 04 05 06 07", "ff 01 02 03 04 05 06 07 08", "51 08 03"])
      refused(bytes(hex), "a packed frame that ends within a word");
    refused(bytes(`ff ${repeat("01", 8)} 02 ${repeat("01", 15)}`), "a packed frame that ends within a word");
    refused(bytes("51 08 03 02 00"), "a packed frame that ends within a word");
  });

  it("refuses every beginning of a frame that is no frame itself, and all else that is not right", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (hostile) => {
        try {
          const frame = unpackFrame(hostile, limits);
          expect(frame.length % 8).to.equal(0);
          expect(frame.length).to.be.at.most(4096);
          // What could be unpacked is the same once more.
          expect(Buffer.compare(unpackFrame(packFrame(frame), limits), frame)).to.equal(0);
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("takes as much as a frame may have, and not a word more", () => {
    expect(unpackFrame(bytes("00 ff 00 ff"), limits).length).to.equal(4096);
    refused(bytes("00 ff 00 ff 00 00"), "a packed frame of more than 4096 bytes, more than is allowed");
    refused(bytes("00 ff 00 fe 01 01 01 01"), "a packed frame of more than 4096 bytes, more than is allowed");
    expect(unpackFrame(packFrame(new Uint8Array(4096).fill(1)), limits).length).to.equal(4096);
    refused(packFrame(new Uint8Array(4104).fill(1)), "a packed frame of more than 4096 bytes, more than is allowed");
  });

  it("allocates nothing for a frame that would be larger than it may be", () => {
    // Each kilobyte would be a megabyte.
    const bomb = new Uint8Array(1 << 20).map((_, at) => (at % 2 === 0 ? 0 : 0xff));
    const before = process.memoryUsage().arrayBuffers;
    expect(() => unpackFrame(bomb, DEFAULT_LIMITS)).to.throw(DecodeError, "more than 67108864 bytes");
    expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(1 << 20);
  });
});

describe("the pieces of a frame that is mostly zeros", () => {
  /** A message of one segment of so many words, filled with a byte. */
  function message(words: number, fill = 0): Uint8Array {
    const frame = zeros(1 + words).fill(fill, 8);
    new DataView(frame.buffer).setUint32(4, words, true);
    return frame;
  }
  const pieces = (frame: Uint8Array) => [...piecesOf(frame, DEFAULT_LIMITS)];

  it("are its messages, short ones together, each piece in memory of its own", () => {
    const messages = [message(2, 1), message(3, 2), message(5000), message(1, 3), message(127, 4), message(1, 5)];
    const frame = Uint8Array.from(messages.flatMap((one) => [...one]));
    expect(isMostlyZeros(frame.length, packFrame(frame).length)).to.equal(true);
    const given = pieces(frame);
    expect(given.map(({ length }) => length)).to.deep.equal([8 * 7, 8 * 5001, 16, 8 * 128, 16]);
    expect(Buffer.compare(Buffer.concat(given), frame)).to.equal(0);
    for (const piece of given) expect(piece.buffer.byteLength).to.equal(piece.length);
  });

  it("are the frame itself where it is one message", () => {
    const frame = message(5000);
    expect(pieces(frame)).to.deep.equal([frame]);
    expect(pieces(frame)[0]).to.equal(frame);
  });

  it("end with what is no whole message", () => {
    const whole = message(200);
    const cut = message(500).subarray(0, 80);
    expect(pieces(Buffer.concat([whole, cut])).map(({ length }) => length)).to.deep.equal([8 * 201, 80]);
    const segments = zeros(300);
    segments.set([0xff, 0xff, 0xff, 0x7f]);
    expect(() => pieces(segments)).to.throw(DecodeError, "a message of 2147483648 segments");
  });

  it("are there for frames of zeros alone, which many a kilobyte becomes", () => {
    expect(isMostlyZeros(4096, 512)).to.equal(false);
    expect(isMostlyZeros(4104, 512)).to.equal(true);
  });
});
