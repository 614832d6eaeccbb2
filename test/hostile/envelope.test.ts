// What is wrong with frames and pointers. Each `describe` is a row of the table of what a hostile peer may send.
import { expect } from "chai";
import { bootstrap, call, frame, senderHosted, type Write } from "../support/raw-messages.ts";
import { bytesOf, farTo, listAt, NULL, structAt, type Word } from "../wire/support/words.ts";
import { attackedHost } from "./support/attacked-host.ts";
import { append, jsCall, rawJsCall, StubAt } from "./support/js-calls.ts";

/** A message of one or more segments. */
function message(...segments: readonly (readonly Word[])[]): Uint8Array {
  const table = new Uint8Array(8 * (1 + (segments.length >>> 1)));
  const view = new DataView(table.buffer);
  view.setUint32(0, segments.length - 1, true);
  segments.forEach((words, i) => view.setUint32(4 + 4 * i, words.length, true));
  return Buffer.concat([table, ...segments.map(bytesOf)]);
}

/** The head of a message of kind `kind` whose body's pointer is `body`. */
const head = (kind: number, body: Word): readonly Word[] => [structAt(0, 1, 1), [kind, 0], body];

const CALL = 2;
const DECODE = /pointer|frame|message|segment|list|far|text|cap table/;

/** A Call on export 0 with this much behind its target: the pointer to its params, the params, and all they hold. */
function callWith(params: Word, rest: readonly Word[] = []): readonly Word[] {
  const known = [...head(CALL, structAt(0, 3, 2)), [7, 0] as const, NULL, NULL, structAt(1, 1, 0), params, NULL];
  return known.concat(rest);
}

describe("hostile peer: pointer out of bounds, negative, misaligned; far-pointer loop", () => {
  const host = attackedHost();

  const broken: [string, Uint8Array][] = [
    ["a root out of bounds", message([structAt(100, 1, 1)])],
    ["a root larger than its message", message([structAt(0, 0xffff, 0xffff)])],
    ["a root before its message", message([structAt(-20, 1, 1), NULL])],
    ["no root", message([])],
    ["a body out of bounds", message(head(CALL, structAt(0x1fff_ffff, 1, 1)))],
    ["a body before its message", message(head(8, structAt(-0x2000_0000, 1, 0)))],
    ["a body that is a list", message(head(CALL, listAt(0, 2, 8)), [NULL])],
    ["params out of bounds", message(callWith(structAt(1000, 0, 2)))],
    ["a cap table out of bounds", message(callWith(structAt(1, 0, 2), [NULL, listAt(1000, 7, 4)]))],
    ["a cap table before its message", message(callWith(structAt(1, 0, 2), [NULL, listAt(-1000, 7, 4)]))],
    ["a root that leads to itself from afar", message([farTo(0, 0)])],
    ["far pointers that lead to each other", message([farTo(1, 0)], [farTo(0, 0)])],
    ["double far pointers in a loop", message([farTo(1, 0, true)], [farTo(1, 0, true), farTo(1, 0, true)])],
    ["a far pointer into a segment that is not there", message([farTo(9, 0)], [NULL])],
    ["a frame that is not of whole words", new Uint8Array(13)],
    ["an empty frame", new Uint8Array(0)],
    ["a segment longer than its frame", bytesOf([[0, 0x1fff_ffff], NULL])],
    ["a segment table longer than its frame", bytesOf([[300, 1], NULL])],
    ["512 segments", message(...Array.from({ length: 512 }, () => [NULL]))],
    ["2³² segments", bytesOf([[0xffff_ffff, 1], NULL])],
    ["noise", new Uint8Array(64).fill(0xa5)],
  ];
  for (const [what, bytes] of broken) {
    it(`aborts the link for ${what} in the envelope`, () =>
      host.attack(async (peer) => {
        peer.send(bytes);
        await peer.expectAbort(DECODE);
      }));
  }

  const params: [string, readonly (readonly Word[])[]][] = [
    ["a path out of bounds", [[listAt(1000, 2, 4), NULL, NULL]]],
    ["a path before its message", [[listAt(-1000, 2, 4), NULL, NULL]]],
    ["a path that ends behind its message", [[listAt(2, 2, 0x1fff_ffff), NULL, NULL]]],
    ["arguments out of bounds", [[NULL, structAt(1000, 0, 2), NULL]]],
    ["arguments before their message", [[NULL, structAt(-1000, 0, 2), NULL]]],
    ["a path by a far pointer that leads to itself", [[farTo(1, 0), NULL, NULL], [farTo(1, 0)]]],
    ["a path by a pair of far pointers in a loop", [[farTo(1, 0), NULL, NULL], [farTo(2, 0)], [farTo(1, 0)]]],
    [
      "arguments by a double far pointer in a loop",
      [
        [NULL, farTo(1, 0, true), NULL],
        [farTo(1, 0, true), NULL],
      ],
    ],
  ];
  for (const [what, [own, ...others]] of params) {
    it(`fails the call alone for ${what} in its parameters`, () =>
      host.attack(async (peer) => {
        const service = await peer.service();
        const whole = frame(
          rawJsCall(7, { exported: service }, (writer, at) => {
            const content = append(writer, 32);
            writer.view.setUint32(at, ((content - at - 8) / 8) << 2, true);
            writer.view.setUint32(at + 4, 0x3_0001, true);
            writer.bytes.set(bytesOf(own ?? []), content + 8);
          }),
        );
        peer.send(others.length === 0 ? whole : withSegments(whole, others));
        await peer.expectException(7, /out of bounds|no pointer to|far pointer|text/);
      }));
  }

  it("goes on after parameters that are nothing but noise", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      for (let byte = 1; byte < 256; byte++) {
        peer.send(
          rawJsCall(byte, { exported: service }, (writer, at) => {
            const content = append(writer, 64);
            writer.bytes.fill(byte, at, at + 8);
            writer.bytes.fill(byte, content, content + 64);
          }),
        );
        expect((await peer.returned(byte)).which).to.equal(1);
      }
      await peer.expectAlive();
    }));
});

/** The same message with further segments. */
function withSegments(single: Uint8Array, others: readonly (readonly Word[])[]): Uint8Array {
  const count = 1 + others.length;
  const table = new Uint8Array(8 * (1 + (count >>> 1)));
  const view = new DataView(table.buffer);
  view.setUint32(0, count - 1, true);
  view.setUint32(4, single.length / 8 - 1, true);
  others.forEach((words, i) => view.setUint32(8 + 4 * i, words.length, true));
  return Buffer.concat([table, single.subarray(8), ...others.map(bytesOf)]);
}

describe("hostile peer: zero-size or overlapping list amplification; composite tag over its words", () => {
  const host = attackedHost();
  const MANY = 0x3fff_ffff;

  const tables: [string, readonly Word[]][] = [
    ["of 2³⁰ elements without a size", [listAt(0, 7, 0), [MANY << 2, 0]]],
    ["whose tag claims more than its words", [listAt(0, 7, 1), [100 << 2, 0x1_0001], NULL]],
    ["whose tag claims a negative number", [listAt(0, 7, 1), [0xffff_fffc, 0x1_0001], NULL]],
    ["of bits", [listAt(0, 1, 0x1fff_ffff)]],
    ["of void", [listAt(0, 0, 0x1fff_ffff)]],
    ["without a tag", [listAt(0, 7, 1), listAt(0, 2, 1), NULL]],
  ];
  for (const [what, [table, ...rest]] of tables) {
    it(`aborts the link for a cap table ${what}`, () =>
      host.attack(async (peer) => {
        peer.send(message(callWith(structAt(1, 0, 2), [NULL, table as Word, ...rest])));
        await peer.expectAbort(/list of structs|words than a message|cap table/);
      }));
  }

  it("aborts the link where descriptors share one long list, over and over", () =>
    host.attack(async (peer) => {
      // 16,000 descriptors, each leading to the same answer's transform of 60,000 operations.
      const entries = 16_000;
      const ops = 60_000;
      const descriptors = Array.from({ length: entries }, (_, i): Word[] => {
        const toShared = 2 * (entries - i) - 2;
        return [[4, 0], structAt(toShared, 1, 1)];
      }).flat();
      const answer: Word[] = [[1, 0], listAt(0, 7, ops), [ops << 2, 1], ...Array.from({ length: ops }, () => NULL)];
      const table = [NULL, listAt(0, 7, 2 * entries), [entries << 2, 0x1_0001] as const].concat(descriptors, answer);
      peer.send(message(callWith(structAt(1, 0, 2), table)));
      await peer.expectAbort(/more words than a message may/);
    }));

  it("fails the call alone where its path or its externals are such lists", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      const contents: readonly Word[][] = [
        // A path of texts that are all the same one, of void, or of elements without a size.
        [[1, 0], listAt(2, 6, MANY >> 1), NULL, NULL, NULL],
        [[1, 0], listAt(2, 0, MANY >> 1), NULL, NULL, NULL],
        [[1, 0], listAt(2, 7, 0), NULL, NULL, [MANY << 2, 0]],
        // Externals without a size, and with a tag over its words.
        [NULL, NULL, structAt(1, 0, 2), NULL, NULL, listAt(0, 7, 0), [MANY << 2, 0]],
        [NULL, NULL, structAt(1, 0, 2), NULL, NULL, listAt(0, 7, 2), [MANY << 2, 0x2_0002], NULL, NULL],
      ];
      for (const [i, words] of contents.entries()) {
        peer.send(rawJsCall(i, { exported: service }, (writer, at) => place(writer, at, words)));
        await peer.expectException(i, /list|more words|path/);
      }
    }));

  it("fails the call alone where making its segments one would make them many times longer", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      const own = frame(
        rawJsCall(7, { exported: service }, (writer, at) => place(writer, at, [[1, 0], farTo(1, 0), NULL, NULL])),
      );
      // A list of 2,000 pointers, each to a list of 2,000 pointers, each to a text of 8,000 bytes.
      const width = 2000;
      const outer = Array.from({ length: width }, (_, i) => listAt(width - 1 - i, 6, width));
      const inner = Array.from({ length: width }, (_, i) => listAt(width - 1 - i, 2, 8 * 1000));
      const text = Array.from({ length: 1000 }, () => NULL);
      peer.send(withSegments(own, [[listAt(0, 6, width), ...outer, ...inner, ...text]]));
      await peer.expectException(7, /./);
    }));
});

/** Writes these words as a struct of one data word and three pointers, and what follows it. */
function place(writer: Parameters<Write>[0], at: number, words: readonly Word[]): void {
  const content = append(writer, 8 * words.length);
  writer.view.setUint32(at, ((content - at - 8) / 8) << 2, true);
  writer.view.setUint32(at + 4, 0x3_0001, true);
  writer.bytes.set(bytesOf(words), content);
}

describe("hostile peer: nesting over 64; cyclic structs", () => {
  const host = attackedHost();

  /** A content that some other vat must be sent: the host copies it without knowing what it is. */
  const deep = (depth: number): readonly Word[] => Array.from({ length: depth }, () => structAt(0, 0, 1));

  for (const [what, second] of [
    ["nesting over 64", [structAt(0, 0, 1), ...deep(200), NULL]],
    ["a struct that holds itself", [structAt(0, 0, 1), structAt(-1, 0, 1)]],
    [
      "structs that hold each other",
      [structAt(0, 0, 2), structAt(1, 0, 2), structAt(0, 0, 2), structAt(-3, 0, 2), NULL],
    ],
  ] as [string, readonly Word[]][]) {
    it(`fails the call alone for ${what}`, () =>
      host.attack(async (peer) => {
        const service = await peer.service();
        const own = frame(
          rawJsCall(7, { exported: service }, (writer, at) => place(writer, at, [[1, 0], farTo(1, 0), NULL, NULL])),
        );
        peer.send(withSegments(own, [second]));
        await peer.expectException(7, /./);
      }));

    it(`fails the call alone for ${what} in what it passes on to another vat`, () =>
      host.attack(async (peer) => {
        const service = await peer.service();
        // Another peer's capability, which the host passes on: what is called on it is copied.
        const other = await peer.another();
        other.send(
          jsCall(1, { exported: await other.service() }, "lend", [new StubAt(0)], { caps: [senderHosted(9)] }),
        );
        await other.expectAlive();
        peer.send(jsCall(1, { exported: service }, "borrow"));
        const borrowed = (await peer.returned(1)).results?.capTable[0]?.id ?? -1;
        peer.send(
          call(
            7,
            { exported: borrowed },
            {
              content: (writer, at) => {
                const content = append(writer, 8 * second.length);
                writer.bytes.set(bytesOf(second), content);
                writer.bytes.copyWithin(at, content, content + 8);
                writer.view.setInt32(at, writer.view.getInt32(at, true) + ((content - at) >> 1), true);
              },
            },
          ),
        );
        await peer.expectException(7, /nesting|longer than its message/);
        await other.close();
      }));
  }
});

describe("hostile peer: frames as they must not be", () => {
  const host = attackedHost();

  it("closes the link for a text frame", () =>
    host.attack(async (peer) => {
      peer.socket.send("{}");
      expect(await peer.closed()).to.include({ code: 1003 });
    }));

  it("reads the messages before a broken one in the same frame", () =>
    host.attack(async (peer) => {
      peer.send(bootstrap(1), message([structAt(100, 1, 1)]));
      expect((await peer.returned(1)).which).to.equal(0);
      await peer.expectAbort(DECODE);
    }));
});

describe("hostile peer: oversize frame", () => {
  const host = attackedHost();

  /** The first bytes of a frame from a client that claims to have `length` bytes. */
  function frameHeader(length: bigint): Buffer {
    const header = Buffer.alloc(14);
    header.set([0x82, 0xff]);
    header.writeBigUInt64BE(length, 2);
    return header;
  }

  for (const length of [64n * 1024n * 1024n + 8n, 2n ** 40n, 2n ** 63n - 1n]) {
    it(`closes with 1009 when its head says ${length} bytes, before they are there`, () =>
      host.attack(async (peer) => {
        // Nothing of the frame but its head is ever sent.
        (peer.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(frameHeader(length));
        expect(await peer.closed()).to.include({ code: 1009 });
      }));
  }
});
