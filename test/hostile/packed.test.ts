// Frames of a packed link. What is in them is the business of the other files.
import { expect } from "chai";
import { CAPSTAN_PACKED_PROTOCOL } from "../../packages/vat/src/index.ts";
import { DEFAULT_LIMITS, isMostlyZeros, packedBound, packFrame } from "../../packages/wire/src/index.ts";
import { finish, frame } from "../support/raw-messages.ts";
import { bytesOf, listAt, structAt } from "../wire/support/words.ts";
import { type AttackedHost, attackedHost } from "./support/attacked-host.ts";
import { jsCall } from "./support/js-calls.ts";
import type { RawPeer } from "./support/raw-peer.ts";

const MIB = 1024 * 1024;
/** More than what one turn, and a heap between two garbage collections, explain is a leak. */
const MOST_BYTES = 8 * MIB;

/** Runs `attack` on a packed link. */
function attackPacked(host: AttackedHost, attack: (peer: RawPeer) => Promise<void>): Promise<void> {
  return host.attack(async (plain) => {
    const peer = await plain.another([CAPSTAN_PACKED_PROTOCOL]);
    expect(peer.socket.protocol).to.equal(CAPSTAN_PACKED_PROTOCOL);
    try {
      await attack(peer);
    } finally {
      await peer.close();
    }
  });
}

/** As many zeros as `words` words, packed. */
function packedZeros(words: number): Uint8Array {
  const packed = new Uint8Array(2 * Math.ceil(words / 256));
  for (let at = 0; at < packed.length; at += 2) packed[at + 1] = Math.min(255, words - 128 * at - 1);
  return packed;
}

/** `message` with so many bytes of zeros behind what it says, in its one segment. */
function padded(message: Uint8Array, bytes: number): Uint8Array {
  const long = new Uint8Array(message.length + bytes);
  long.set(message);
  new DataView(long.buffer).setUint32(4, long.length / 8 - 1, true);
  return long;
}

describe("hostile peer: packed frames as they must not be", () => {
  const host = attackedHost();

  const refused: readonly [what: string, packed: Uint8Array, reason: RegExp][] = [
    ["that end within a word", new Uint8Array([0x51, 8, 3]), /ends within a word/],
    ["that end within a run", new Uint8Array([0xff, 1, 2, 3, 4, 5, 6, 7, 8, 255, 1]), /ends within a word/],
    ["that end before the length of a run", new Uint8Array([0]), /ends within a word/],
    ["of nothing", new Uint8Array(0), /a frame of 0 bytes/],
    ["of noise", new Uint8Array(640).fill(0xa5), /message|segment|frame/],
    ["of as many zeros as a frame may have", packedZeros(8 * MIB), /root|pointer|message/],
    ["of one word more", packedZeros(8 * MIB + 1), /more than 67108864 bytes, more than is allowed/],
    [
      "that would be a thousand times as large",
      packedZeros(128 * MIB),
      /more than 67108864 bytes, more than is allowed/,
    ],
  ];
  for (const [what, packed, reason] of refused) {
    it(`aborts the link for frames ${what}`, () =>
      attackPacked(host, async (peer) => {
        peer.socket.send(packed);
        await peer.expectAbort(reason);
      }));
  }

  it("closes with 1009 when a frame's head says more bytes than the largest frame can become", () =>
    attackPacked(host, async (peer) => {
      const head = Buffer.alloc(14);
      head.set([0x82, 0xff]);
      head.writeBigUInt64BE(BigInt(packedBound(DEFAULT_LIMITS.maxFrameBytes) + 1), 2);
      (peer.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(head);
      expect(await peer.closed()).to.include({ code: 1009 });
    }));

  it("keeps of frames that are mostly zeros no more than the calls in them", () =>
    attackPacked(host, async (peer) => {
      const service = await peer.service();
      await peer.expectAlive();
      const before = await host.look();
      const filler = padded(frame(finish(9999)), MIB);
      for (let id = 0; id < 64; id++) peer.send(filler, jsCall(id, { exported: service }, "hang"), filler);
      await peer.expectAlive();
      const during = await host.lookUntil(({ heapBytes }) => heapBytes - before.heapBytes < MOST_BYTES);
      expect(during.liveInvocations).to.equal(64);
      expect(during.heapBytes - before.heapBytes).to.be.lessThan(MOST_BYTES);
    }));

  it("takes turns with others while it handles a frame of very many messages that are mostly zeros", () =>
    attackPacked(host, async (peer) => {
      const one = padded(frame(finish(9999)), 96);
      const many = new Uint8Array(one.length * 100_000);
      for (let at = 0; at < many.length; at += one.length) many.set(one, at);
      expect(isMostlyZeros(many.length, packFrame(many).length)).to.equal(true);
      peer.send(many);
      await peer.expectAlive();
    }));

  it("goes on after a large message of zeros that it does not know", () =>
    attackPacked(host, async (peer) => {
      const words = MIB / 8;
      const unknown = bytesOf([[0, words + 3], structAt(0, 1, 1), [99, 0], listAt(0, 5, words)]);
      const large = new Uint8Array(unknown.length + MIB);
      large.set(unknown);
      expect(packFrame(large).length).to.be.lessThan(2048);
      peer.send(large);
      await peer.expectAlive();
    }));
});
