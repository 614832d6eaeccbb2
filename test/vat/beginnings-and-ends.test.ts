import { expect } from "chai";
import { encodeAbort, type SegmentWriter } from "../../packages/wire/src/index.ts";
import { Keeper, local, start } from "../support/pair.ts";
import { bootstrap, finish, frame, receiverHosted, release, senderHosted } from "../support/raw-messages.ts";
import { call, exception, RawPeer, returns, unimplemented } from "../support/raw-peer.ts";

const UNIMPLEMENTED = 0;
const ABORT = 1;
const RETURN = 3;
const RESULTS = 0;
const EXCEPTION = 1;

describe("vat: Bootstrap from a peer", () => {
  it("is answered with the capability alone as content, which needs a Finish", () => {
    const [returned] = new RawPeer().send(bootstrap(4));
    expect(returned).to.deep.include({ kind: RETURN, answerId: 4, which: RESULTS, noFinishNeeded: false });
    expect(returned).to.have.deep.nested.property("results.capTable", [senderHosted(0)]);
    if (returned?.kind !== RETURN || returned.results === undefined) throw new Error("no results");
    expect(returned.results.reader.capabilityIndex(returned.results.content)).to.equal(0);
  });

  it("takes calls before it is answered, on the answer itself", () => {
    const peer = new RawPeer();
    peer.send(bootstrap(0), call(1, 1, 0, { text: "at once" }));
    expect(peer.keeper.log).to.deep.equal(["at once"]);
  });

  it("gives the same export each time, and counts it", () => {
    const peer = new RawPeer();
    for (const returned of peer.send(bootstrap(0), bootstrap(1))) {
      expect(returned).to.have.deep.nested.property("results.capTable", [senderHosted(0)]);
    }
    peer.send(finish(0, false), finish(1, false));
    peer.send(release(0, 1), call(2, 0, 0));
    expect(peer.keeper.log).to.have.length(1);
    peer.keeper.answer();
    peer.send(release(0, 1));
    expect(peer.connection.tables).to.include({ exports: 0, answers: 0 });
    // The vat goes on offering it.
    peer.send(bootstrap(0), call(2, 1, 0));
    expect(peer.keeper.log).to.have.length(2);
  });

  it("is answered with an exception where the vat offers nothing", () => {
    const peer = new RawPeer({}, false);
    expect(peer.send(bootstrap(0))[0]).to.include({ kind: RETURN, which: EXCEPTION });
    expect(peer.connection.closedReason).to.equal(undefined);
  });

  it("gives the one capability there is, whatever object it names", () => {
    const peer = new RawPeer();
    const bytes = frame(bootstrap(0));
    // The object: an empty struct.
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(bytes.length - 8, 0xffff_fffc, true);
    expect(peer.sendBytes(bytes)[0]).to.deep.include({ kind: RETURN, which: RESULTS });
  });
});

describe("vat: Bootstrap to a peer", () => {
  it("takes calls before it is answered, and is finished then", () => {
    const peer = new RawPeer();
    const cap = peer.connection.bootstrap();
    start(cap, 0, { text: "at once" });
    const [asked, called] = peer.receive();
    expect(asked).to.deep.equal({ kind: 8, questionId: 0 });
    expect(called).to.deep.include({ targetKind: 1, targetId: 0, transform: [] });
    const sent = peer.send(returns(0, { content: "cap", caps: [senderHosted(3)] }));
    expect(sent[0]).to.include({ kind: 4, questionId: 0, releaseResultCaps: false });
    start(cap, 0);
    expect(peer.receive()[0]).to.include({ targetKind: 0, targetId: 3 });
  });
});

describe("vat: Unimplemented from a peer", () => {
  it("fails the call that came back, which gives back its params", () => {
    const peer = new RawPeer();
    const api = peer.offer(3);
    const held = new Keeper();
    const cap = local(held);
    const { outcome } = start(api, 0, { text: "", cap });
    cap.release();
    peer.receive();
    const sent = peer.send(unimplemented(call(0, 0, 3, { caps: [receiverHosted(0)] })));
    expect(sent).to.deep.equal([]);
    expect(outcome.error?.type).to.equal(3);
    expect(held.released).to.equal(1);
    expect(peer.connection.tables).to.include({ questions: 0, exports: 0 });
  });

  it("fails what was pipelined on a Bootstrap that came back", () => {
    const peer = new RawPeer();
    const cap = peer.connection.bootstrap();
    peer.receive();
    expect(peer.send(unimplemented(bootstrap(0)))).to.deep.equal([]);
    expect(cap.brokenReason?.type).to.equal(3);
  });

  it("is never answered, whatever it holds", () => {
    const peer = new RawPeer();
    for (const original of [
      finish(9),
      release(9, 1),
      returns(9),
      call(9, 0, 0),
      unimplemented(finish(9)),
      oddMessage,
    ]) {
      expect(peer.send(unimplemented(original))).to.deep.equal([]);
    }
    expect(peer.connection.closedReason).to.equal(undefined);
  });
});

/** A message of a kind that nobody knows, with a struct of one word as its body. */
function oddMessage(writer: SegmentWriter, kind = 99): void {
  const start = writer.length;
  finish(7)(writer);
  writer.view.setUint16(start + 16, kind, true);
}

describe("vat: a message that level 1 does not know", () => {
  it("goes back whole as unimplemented, and the link lives", () => {
    for (const kind of [7, 9, 10, 11, 12, 14, 99]) {
      const peer = new RawPeer();
      const sent = peer.send((writer) => oddMessage(writer, kind));
      expect(sent).to.have.length(1);
      expect(sent[0]).to.have.nested.property("original.kind", kind);
      expect(sent[0]?.kind).to.equal(UNIMPLEMENTED);
      peer.send(bootstrap(0), call(1, 0, 0));
      expect(peer.keeper.log).to.have.length(1);
    }
  });
});

describe("vat: Abort", () => {
  it("from a peer ends everything with its reason, and is not answered", () => {
    const peer = new RawPeer();
    const api = peer.offer(3);
    peer.send(bootstrap(0), call(1, 0, 0));
    const { outcome } = start(api, 0);
    peer.receive();
    const sent = peer.send((writer) => encodeAbort(writer, exception("enough of this")), call(2, 0, 0));
    expect(sent).to.deep.equal([]);
    expect(outcome.error).to.include({ type: 2 });
    expect(outcome.error?.message).to.contain("enough of this");
    expect(peer.keeper.cancelled).to.equal(1);
    // Nothing that follows is looked at.
    expect(peer.keeper.log).to.have.length(1);
    expect(Object.values(peer.connection.tables)).to.deep.equal([0, 0, 0, 0, 0]);
  });

  it("to a peer says why, and nothing follows", () => {
    const peer = new RawPeer();
    const api = peer.offer(3);
    const { outcome } = start(api, 0);
    peer.receive();
    peer.connection.abort("out of cheese");
    start(api, 0);
    peer.connection.abort("again");
    const sent = peer.receive();
    expect(sent).to.deep.equal([{ kind: ABORT, exception: exception("out of cheese") }]);
    expect(outcome.error).to.include({ type: 2, message: "out of cheese" });
    expect(Object.values(peer.connection.tables)).to.deep.equal([0, 0, 0, 0, 0]);
  });
});
