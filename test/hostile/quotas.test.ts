// Too much of everything. Each `describe` is a row of the table of what a hostile peer may send.
import { expect } from "chai";
import { ExceptionType, encodeReturnException, MessageKind } from "../../packages/wire/src/index.ts";
import { bootstrap, call, finish, frame, receiverAnswer, senderHosted, type Write } from "../support/raw-messages.ts";
import { attackedHost } from "./support/attacked-host.ts";
import { jsCall, StubAt } from "./support/js-calls.ts";
import type { RawPeer } from "./support/raw-peer.ts";

/** More than what the quota, one turn's answers, and a heap between two garbage collections explain is a leak. */
const MOST_BYTES = 8 * 1024 * 1024;

describe("hostile peer: calls, exports, bytes in flight over the quota", () => {
  const host = attackedHost({
    maxCallsInFlight: 100,
    maxAnswers: 300,
    maxExports: 50,
    maxImports: 50,
    maxCallBytesInFlight: 256 * 1024,
    maxBufferedBytes: 256 * 1024,
  });

  it("fails calls over the quota of calls as overloaded, and takes more when some are answered", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      for (let id = 0; id < 110; id++) peer.send(jsCall(id, { exported: service }, "hang"));
      for (let id = 100; id < 110; id++) {
        const { exception } = await peer.returned(id);
        expect(exception?.type).to.equal(ExceptionType.overloaded);
        peer.send(finish(id));
      }
      for (let id = 0; id < 50; id++) peer.send(finish(id));
      peer.send(jsCall(200, { exported: service }, "add", [1, 2]));
      expect((await peer.returned(200)).which).to.equal(0);
    }));

  it("aborts the link for answers over the quota of its table", () =>
    host.attack(async (peer) => {
      for (let id = 0; id < 310; id++) peer.send(bootstrap(id));
      await peer.expectAbort(/300 calls on this link were not finished/);
    }));

  it("aborts the link for imports over the quota of its table", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      const caps = Array.from({ length: 60 }, (_, i) => senderHosted(i));
      peer.send(jsCall(1, { exported: service }, "hang", [], { caps }));
      await peer.expectAbort(/holds 50 imported capabilities/);
    }));

  it("fails calls whose results are exports over the quota as overloaded", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      const kinds: (number | undefined)[] = [];
      for (let id = 0; id < 60; id++) {
        peer.send(jsCall(id, { exported: service }, "counter"));
        const { which, exception } = await peer.returned(id);
        kinds.push(which === 0 ? undefined : exception?.type);
      }
      expect(kinds.slice(0, 40)).to.deep.equal(Array.from({ length: 40 }, () => undefined));
      expect(kinds.slice(-5)).to.deep.equal(Array.from({ length: 5 }, () => ExceptionType.overloaded));
      peer.send(finish(0), jsCall(100, { exported: service }, "counter"));
      expect((await peer.returned(100)).which).to.equal(0);
    }));

  it("fails calls over the quota of their bytes as overloaded", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      const big = "x".repeat(100 * 1024);
      for (let id = 0; id < 5; id++) peer.send(jsCall(id, { exported: service }, "hang", [big]));
      for (let id = 2; id < 5; id++) {
        expect((await peer.returned(id)).exception?.type).to.equal(ExceptionType.overloaded);
      }
      await peer.expectAlive();
    }));

  /** Calls for answers of 32 KiB, which nobody reads. */
  async function callAndNotRead(peer: RawPeer, rounds: number, calls: number): Promise<void> {
    const service = await peer.service();
    peer.socket.pause();
    for (let round = 0; round < rounds; round++) {
      const ids = Array.from({ length: calls }, (_, i) => i + calls * (round % 2));
      if (round > 1) peer.send(...ids.map((id) => finish(id)));
      peer.send(...ids.map((id) => jsCall(id, { exported: service }, "big")));
      await new Promise((done) => setTimeout(done, 2));
    }
  }

  it("fails calls of a peer that does not read its answers as overloaded, until it does", () =>
    host.attack(async (peer, host) => {
      const before = await host.look();
      // 9 MiB of answers, more than what sockets hold and the quota.
      await callAndNotRead(peer, 4, 70);
      const during = await host.look();
      expect(during.heapBytes - before.heapBytes).to.be.lessThan(MOST_BYTES);
      peer.socket.resume();
      let refused = 0;
      for (let i = 0; i < 4 * 70; i++) {
        const message = await peer.nextOf(MessageKind.return);
        if (message.exception?.type === ExceptionType.overloaded) refused++;
      }
      expect(refused).to.be.greaterThan(0);
      await peer.expectAlive();
    }));

  it("aborts the link to a peer that goes on without reading anything", () =>
    host.attack(async (peer, host) => {
      const before = await host.look();
      await callAndNotRead(peer, 60, 90);
      const during = await host.look();
      // 169 MiB of answers.
      expect(during.heapBytes - before.heapBytes).to.be.lessThan(MOST_BYTES);
      peer.socket.resume();
      await peer.expectAbort(/does not read/);
    }));
});

describe("hostile peer: floods within the quotas", () => {
  const host = attackedHost();

  it("finds the places in one answer fast, though tens of thousands are named", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      peer.send(jsCall(1, { exported: service }, "hang"));
      for (let part = 0; part < 15; part++) {
        const caps = Array.from({ length: 2000 }, (_, i) => receiverAnswer(1, [2000 * part + i]));
        peer.send(call(10 + part, { exported: service }, { caps }));
        await peer.returned(10 + part);
      }
      await peer.expectAlive();
    }));

  it("fails long rows of calls that are pipelined on one another in one turn that is short", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      const long = 1000;
      peer.send(jsCall(1, { exported: service }, "callBack", [new StubAt(0)], { caps: [senderHosted(7)] }));
      const { questionId } = await peer.nextOf(MessageKind.call);
      for (let i = 0; i < long; i++) peer.send(call(i + 2, { question: i + 1, transform: [1] }));
      const failure = { type: 0, reason: "no", trace: "", details: [] } as const;
      peer.send((writer) => encodeReturnException(writer, questionId as never, false, failure));
      for (let i = 0; i <= long; i++) {
        expect((await peer.nextOf(MessageKind.return)).exception?.reason).to.match(/no/);
      }
      peer.send(...Array.from({ length: long + 1 }, (_, i) => finish(i + 1)));
      await peer.expectAlive();
    }));

  /** One message over and over, as one run of bytes. `make` gets a question id that no other part of it looks like. */
  function repeated(ids: readonly number[], make: (id: number) => Write): Buffer {
    const one = frame(make(0x12345678));
    const at = Buffer.from(one).indexOf(Buffer.from([0x78, 0x56, 0x34, 0x12]));
    const all = Buffer.alloc(one.length * ids.length);
    ids.forEach((id, i) => {
      all.set(one, i * one.length);
      all.writeUInt32LE(id, i * one.length + at);
    });
    return all;
  }

  const idsOf = (count: number): number[] => Array.from({ length: count }, (_, i) => 200_000 + i);

  it("gives others their turns while it works through a frame of a hundred thousand messages", () =>
    host.attack(async (peer) => {
      peer.send(repeated(idsOf(100_000), bootstrap));
      await peer.expectAbort(/not finished/);
    }));

  it("gives others their turns while it answers tens of thousands of calls of one frame", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      const ids = idsOf(60_000);
      peer.send(repeated(ids, (id) => jsCall(id, { exported: service }, "add", [1, 2])));
      for (const id of ids) expect((await peer.nextOf(MessageKind.return)).answerId).to.equal(id);
      await peer.expectAlive();
    }));

  it("gives others their turns while tens of thousands of calls fail with the one that they wait for", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      peer.send(jsCall(1, { exported: service }, "callBack", [new StubAt(0)], { caps: [senderHosted(7)] }));
      const { questionId } = await peer.nextOf(MessageKind.call);
      const ids = idsOf(60_000);
      peer.send(repeated(ids, (id) => call(id, { question: 1, transform: [1] })));
      const failure = { type: 0, reason: "no", trace: "", details: [] } as const;
      peer.send((writer) => encodeReturnException(writer, questionId as never, false, failure));
      const reasons = new Map<string | undefined, number>();
      for (let i = 0; i <= ids.length; i++) {
        const reason = (await peer.nextOf(MessageKind.return)).exception?.reason;
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
      expect([...reasons.keys()].filter((reason) => !/no$|unanswered/.test(reason ?? ""))).to.deep.equal([]);
      expect(Math.max(...reasons.values())).to.be.greaterThan(16_000);
      await peer.expectAlive();
    }));
});
