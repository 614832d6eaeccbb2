// What a peer's messages make this vat do and hold is in proportion to their bytes, and those are counted.
import { expect } from "chai";
import { type IncomingCall, RpcError } from "../../packages/vat/src/index.ts";
import type { CapDescriptor, CapKind, RpcMessage } from "../../packages/wire/src/index.ts";
import { Keeper, local, readNote } from "../support/pair.ts";
import {
  bootstrap,
  call,
  finish,
  frame,
  noteContent,
  receiverAnswer,
  receiverHosted,
} from "../support/raw-messages.ts";
import { RawPeer } from "../support/raw-peer.ts";

/** A call on the bootstrap capability with `count` entries in its cap table, none of which has any bytes. */
function callWithSizelessCaps(count: number): Uint8Array {
  const words: [low: number, high: number][] = [
    [0, 0x1_0001], // Message
    [2, 0],
    [0, 0x3_0003], // Call
    ...([
      [1, 0],
      [2, 1],
      [0, 0],
    ] as [number, number][]),
    [8, 0x1_0001], // its target
    [12, 0x2_0000], // its params
    [0, 0],
    ...([
      [0, 0],
      [0, 0],
    ] as [number, number][]),
    [0, 0],
    [1, 7], // the cap table
    [count << 2, 0],
  ];
  const bytes = new Uint8Array(8 + 8 * words.length);
  new Uint32Array(bytes.buffer).set([0, words.length, ...words.flat()]);
  return bytes;
}

describe("vat: what messages cost", () => {
  it("a cap table has no entries without a size", () => {
    const victim = new RawPeer();
    victim.send(bootstrap(0));
    victim.sendBytes(callWithSizelessCaps(0));
    expect(victim.keeper.calls).to.have.length(1);
    const other = new RawPeer();
    other.send(bootstrap(0));
    other.sendBytes(callWithSizelessCaps(10));
    expect(other.connection.closedReason?.message).to.match(/entries without a size/);
  });

  it("entries of a cap table that share what they lead to are paid for", () => {
    const victim = new RawPeer({ maxTransformLength: 1000 });
    victim.send(bootstrap(0));
    const count = 100;
    const entries = Array.from({ length: count }, () => receiverAnswer(0, new Array<number>(900).fill(0)));
    const bytes = frame(call(1, { question: 0 }, { caps: entries }));
    expect(() => victim.sendBytes(bytes)).to.not.throw();
    expect(victim.connection.closedReason).to.equal(undefined);
    // The same with one place in an answer, which they all name.
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const table = tableOf(view, count);
    const first = table + 8 + 8 * (1 + (view.getInt32(table + 8, true) >> 2));
    for (let i = 0; i < count; i++) {
      const at = table + 16 * i + 8;
      view.setInt32(at, ((first - at) / 8 - 1) << 2, true);
    }
    const end = first + 8 * (2 + 1 + 900);
    const short = bytes.slice(0, end);
    const head = new DataView(short.buffer);
    head.setUint32(4, (end - 8) / 8, true);
    head.setUint32(8 + 24, 2, true);
    victim.sendBytes(short);
    expect(victim.connection.closedReason?.message).to.match(/more words than a message may/);
  });

  it("entries that name nothing make no errors before anybody asks", () => {
    const victim = new RawPeer();
    victim.send(bootstrap(0));
    const failed = RpcError.failed;
    let made = 0;
    RpcError.failed = (reason) => {
      made++;
      return failed(reason);
    };
    try {
      const kinds: CapDescriptor[] = [
        receiverHosted(77),
        receiverAnswer(78),
        { kind: 99 as CapKind, id: 0, transform: [] },
        receiverAnswer(0, [3]),
      ];
      const caps = Array.from({ length: 100 }, (_, i) => kinds[i % kinds.length] as CapDescriptor);
      victim.send(call(1, { question: 0 }, { caps, content: noteContent() }));
      expect(victim.keeper.calls).to.have.length(1);
      expect(made).to.equal(0);
    } finally {
      RpcError.failed = failed;
    }
    const reason = victim.keeper.calls[0]?.note.cap?.brokenReason;
    expect(reason?.message).to.match(/names export 77, which does not exist/);
    expect(victim.keeper.calls[0]?.note.cap?.brokenReason).to.equal(reason);
  });

  it("params are not held once the call is answered, finished or not", () => {
    const victim = new RawPeer();
    victim.send(bootstrap(0));
    victim.send(call(1, { question: 0 }), call(2, { question: 0 }));
    const [first, second] = victim.keeper.calls.map((kept) => kept.call);
    const { params } = first as IncomingCall;
    victim.keeper.fail("no");
    victim.keeper.answer({ text: "", cap: local(new Keeper()) });
    expect(victim.connection.tables.answers).to.equal(3);
    for (const answered of [first, second]) {
      expect(answered?.params).to.not.equal(params);
      expect(answered?.params.reader.end).to.equal(8);
    }
  });

  it("a small call that waits does not hold the long frame that it came in, nor many of them short ones", () => {
    const victim = new RawPeer();
    victim.send(bootstrap(0));
    const rest = (bytes: number): Uint8Array => {
      const junk = frame(finish(9999));
      const long = new Uint8Array(bytes);
      long.set(junk);
      new DataView(long.buffer).setUint32(4, (bytes - 8) / 8, true);
      return long;
    };
    const held = (index: number): number => {
      const params = victim.keeper.calls[index]?.call.params;
      if (params === undefined) throw new Error("no call arrived");
      expect(readNote(params).text).to.equal("");
      expect(params.cap(0)?.brokenReason?.message).to.match(/export 77/);
      return params.reader.bytes.buffer.byteLength;
    };
    const small = (id: number): Uint8Array =>
      frame(call(id, { question: 0 }, { caps: [receiverHosted(77)], content: noteContent() }));
    victim.sendBytes(new Uint8Array(Buffer.concat([small(1), rest(1 << 20)])));
    expect(held(0)).to.be.lessThan(1000);
    for (let id = 2; id < 1100; id++) victim.sendBytes(new Uint8Array(Buffer.concat([small(id), rest(4096)])));
    expect(held(1098)).to.be.lessThan(1000);
    expect(victim.connection.closedReason).to.equal(undefined);
  });

  it("results that the peer leaves here count as its bytes in flight until it finishes them", () => {
    const victim = new RawPeer({ maxCallBytesInFlight: 5000 });
    victim.send(bootstrap(0));
    const kept = (id: number, text: string): RpcMessage[] => {
      victim.send(call(id, { question: 0 }, { sendResultsTo: 1 }));
      victim.keeper.answer({ text });
      return victim.receive();
    };
    // One passes, whatever its size.
    expect(kept(1, "x".repeat(6000))[0]).to.include({ kind: 3, which: 3 });
    expect(victim.send(call(2, { question: 0 }))[0]).to.include({ kind: 3, which: 1 });
    victim.send(finish(1));
    expect(kept(3, "x".repeat(3000))[0]).to.include({ kind: 3, which: 3 });
    kept(4, "x".repeat(3000));
    const [refused] = victim.send(call(5, { question: 4, transform: [1] }));
    expect(refused?.kind === 3 && refused.exception?.reason).to.match(/^Too many results/);
    victim.send(finish(3));
    expect(kept(6, "x".repeat(3000))[0]).to.include({ kind: 3, which: 3 });
    expect(victim.connection.closedReason).to.equal(undefined);
  });
});

/** Where the cap table's first entry is in a frame of one call: behind the tag that counts `count` of two words. */
function tableOf(view: DataView, count: number): number {
  for (let at = 8; at < view.byteLength; at += 8) {
    if (view.getUint32(at, true) === count << 2 && view.getUint32(at + 4, true) === 0x1_0001) return at + 8;
  }
  throw new Error("no cap table");
}
