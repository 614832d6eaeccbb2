import { expect } from "chai";
import {
  type AnswerId,
  beginCall,
  type EmbargoId,
  ExceptionType,
  type ExportId,
  encodeDisembargo,
  encodeFinish,
  encodeRelease,
  encodeResolveCap,
  encodeReturnOther,
  encodeUnimplemented,
  finishPayload,
  type ImportId,
  MessageKind,
  type QuestionId,
  type SegmentWriter,
} from "../../packages/wire/src/index.ts";
import { Keeper, local, start } from "../support/pair.ts";
import { bootstrap } from "../support/raw-messages.ts";
import { call, RawPeer } from "../support/raw-peer.ts";

const question = (id: number) => id as QuestionId;

describe("vat: a peer that breaks the rules", () => {
  const aborted: Record<string, (writer: SegmentWriter) => void> = {
    "returns a question that is not open": (w) => encodeReturnOther(w, 5 as AnswerId, false, 2),
    "calls an export that does not exist": call(1, 0, 77),
    "releases an export that does not exist": (w) => encodeRelease(w, 77 as ImportId, 1),
    "releases more references than it was given": (w) => encodeRelease(w, 0 as ImportId, 9),
    "reuses a question id that is open": bootstrap(0),
    "sends back a Disembargo that it was never sent": (w) => encodeDisembargo(w, 0, 0, [], 1, 3 as EmbargoId),
    "asks to disembargo what does not lead back to it": (w) => encodeDisembargo(w, 0, 0, [], 0, 3 as EmbargoId),
    "asks to disembargo what does not exist": (w) => encodeDisembargo(w, 0, 99, [], 0, 3 as EmbargoId),
  };
  for (const [what, write] of Object.entries(aborted)) {
    it(`is aborted, and told why, when it ${what}`, () => {
      const victim = new RawPeer();
      victim.send(bootstrap(0));
      const [message] = victim.send(write);
      expect(message?.kind).to.equal(1);
      expect(victim.connection.closedReason).to.not.equal(undefined);
      expect(Object.values(victim.connection.tables)).to.deep.equal([0, 0, 0, 0, 0]);
    });
  }

  it("may finish what is unknown or long done", () => {
    const victim = new RawPeer();
    expect(victim.send((w) => encodeFinish(w, question(40), true))).to.deep.equal([]);
    expect(victim.connection.closedReason).to.equal(undefined);
  });

  it("gets an exception for a call on an answer that is gone, and on itself", () => {
    const victim = new RawPeer();
    for (const target of [8, 1]) {
      const [message] = victim.send(call(1, 1, target, { transform: [0] }));
      expect(message).to.include({ kind: 3, which: 1 });
      victim.send((w) => encodeFinish(w, question(1), false));
    }
    expect(victim.connection.closedReason).to.equal(undefined);
  });

  it("gets back what a Resolve carries for a promise that was let go", () => {
    const victim = new RawPeer();
    const cap = { kind: 1, id: 12, transform: [] } as const;
    const [message] = victim.send((w) => encodeResolveCap(w, 4 as ExportId, cap));
    expect(message).to.deep.include({ kind: 6, id: 12, referenceCount: 1 });
    expect(victim.connection.tables.imports).to.equal(0);
  });

  it("cannot make a promise resolve to itself, or in a circle", () => {
    const victim = new RawPeer();
    const promise = (id: number) => ({ kind: 2, id, transform: [] }) as const;
    victim.send(bootstrap(0), (writer) => {
      const start = writer.length;
      const at = beginCall(writer, question(1), 0, 0, [], 1, 2, 0, 0, 0);
      writer.ensure(24);
      writer.view.setUint32(at, 0, true);
      finishPayload(writer, start, at, [promise(1), promise(2)]);
    });
    victim.send((w) => encodeResolveCap(w, 1 as ExportId, promise(2)));
    victim.send((w) => encodeResolveCap(w, 2 as ExportId, promise(1)));
    expect(victim.connection.closedReason).to.equal(undefined);
    victim.keeper.answer();
    expect(victim.connection.tables.imports).to.be.lessThan(3);
  });

  it("gets a message of an unknown kind back as unimplemented", () => {
    const victim = new RawPeer();
    const bytes = new Uint8Array(32);
    const view = new DataView(bytes.buffer);
    view.setUint32(4, 3, true);
    view.setUint32(12, 0x0001_0001, true);
    view.setUint16(16, 99, true);
    const [message] = victim.sendBytes(bytes);
    expect(message?.kind).to.equal(0);
    expect(victim.connection.closedReason).to.equal(undefined);
  });

  it("that knows no calls took nothing of what came with one", () => {
    const victim = new RawPeer();
    const object = new Keeper();
    const own = local(object);
    const { outcome } = start(victim.connection.bootstrap(), 0, { text: "", cap: own });
    own.release();
    const received = victim.receive();
    const made = received.find((message) => message.kind === MessageKind.call);
    if (made?.kind !== MessageKind.call) throw new Error("no call arrived");
    const { reader } = made.params;
    victim.send((writer) => encodeUnimplemented(writer, reader, reader.start));
    expect(outcome.error?.type).to.equal(ExceptionType.unimplemented);
    expect(object.released).to.equal(1);
    expect(victim.connection.tables.exports).to.equal(0);
  });

  it("gets an exception for calls past the bound on calls in flight, and an abort where it never finishes", () => {
    const victim = new RawPeer({ maxCallsInFlight: 3, maxAnswers: 5 });
    victim.send(bootstrap(0));
    const calls = [1, 2, 3, 4].map((id) => call(id, 0, 0));
    const [refused] = victim.send(...calls);
    expect(refused).to.include({ kind: 3, which: 1 });
    expect(victim.keeper.log).to.have.length(3);
    expect(victim.connection.closedReason).to.equal(undefined);
    victim.send(call(5, 0, 0));
    expect(victim.connection.closedReason?.message).to.contain("not finished");
  });

  it("gets an exception for calls past the bound on their bytes, until some are answered", () => {
    const victim = new RawPeer({ maxCallBytesInFlight: 100 });
    victim.send(bootstrap(0));
    // One passes, whatever its size.
    expect(victim.send(call(1, 0, 0))).to.deep.equal([]);
    expect(victim.send(call(2, 0, 0))[0]).to.include({ kind: 3, which: 1 });
    victim.keeper.answer();
    const [answered] = victim.send(call(3, 0, 0));
    expect(answered).to.include({ kind: 3, which: 0 });
    expect(victim.keeper.calls).to.have.length(1);
    expect(victim.connection.closedReason).to.equal(undefined);
  });

  it("is aborted for a frame that is no message", () => {
    for (const bytes of [new Uint8Array(7), new Uint8Array(8).fill(255), new Uint8Array([0, 0, 0, 0, 9, 0, 0, 0])]) {
      const victim = new RawPeer();
      const [message] = victim.sendBytes(bytes);
      expect(message?.kind).to.equal(1);
    }
  });
});
