import { expect } from "chai";
import { PromiseCapability } from "../../packages/vat/src/index.ts";
import { CallFlag, resolveLimits } from "../../packages/wire/src/index.ts";
import { Keeper, local, start } from "../support/pair.ts";
import { bootstrap, finish, release, senderHosted } from "../support/raw-messages.ts";
import { call, RawPeer, resolves, returns } from "../support/raw-peer.ts";

const RETURN = 3;
const RELEASE = 6;
const RESULTS = 0;
const EXCEPTION = 1;
const CANCELED = 2;

/** Gives the export with id 1 to the peer: what a call of its own returned, whose question 1 is finished. */
function handOut(peer: RawPeer, promise: PromiseCapability): void {
  peer.send(bootstrap(0), call(1, 0, 0));
  peer.keeper.answer({ text: "", cap: promise });
  peer.receive();
  peer.send(finish(1, false));
}

describe("vat: Finish from a peer whose call was answered", () => {
  function answered() {
    const peer = new RawPeer();
    const held = new Keeper();
    const cap = local(held);
    peer.send(bootstrap(0), call(1, 0, 0));
    peer.keeper.answer({ text: "", cap });
    cap.release();
    const [results] = peer.receive();
    expect(results).to.include({ kind: RETURN, which: RESULTS, noFinishNeeded: false });
    return { peer, held };
  }

  it("gives back what the results hold, with releaseResultCaps", () => {
    const { peer, held } = answered();
    peer.send(finish(1, true));
    expect(held.released).to.equal(1);
    expect(peer.connection.tables).to.include({ answers: 1, exports: 1 });
  });

  it("leaves it to Release without releaseResultCaps", () => {
    const { peer, held } = answered();
    peer.send(finish(1, false));
    expect(held.released).to.equal(0);
    expect(peer.send(call(2, 0, 1))).to.deep.equal([]);
    expect(held.log).to.have.length(1);
    peer.send(release(1, 1));
    expect(peer.connection.tables.exports).to.equal(1);
  });

  it("keeps the results for calls that are pipelined on them until then", () => {
    const { peer, held } = answered();
    peer.send(call(2, 1, 1, { transform: [1], text: "late" }));
    expect(held.log).to.deep.equal(["late"]);
    peer.send(finish(1, true));
    const [refused] = peer.send(call(3, 1, 1, { transform: [1] }));
    expect(refused).to.include({ kind: RETURN, which: EXCEPTION });
  });

  it("frees the question's id, which the next call may have", () => {
    const { peer } = answered();
    peer.send(finish(1, true), call(1, 0, 0, { text: "again" }));
    expect(peer.keeper.log).to.deep.equal(["", "again"]);
    expect(peer.connection.closedReason).to.equal(undefined);
  });

  it("means nothing where the Return said that none is needed, and the id is free at once", () => {
    const peer = new RawPeer();
    peer.send(bootstrap(0), call(1, 0, 0));
    peer.keeper.answer();
    expect(peer.receive()[0]).to.include({ kind: RETURN, noFinishNeeded: true });
    expect(peer.send(finish(1))).to.deep.equal([]);
    peer.send(call(1, 0, 0, { text: "again" }));
    expect(peer.keeper.log).to.deep.equal(["", "again"]);
  });

  it("is needed after an exception, until when its id stays taken", () => {
    const peer = new RawPeer();
    peer.send(bootstrap(0), call(1, 0, 0));
    peer.keeper.fail("no");
    expect(peer.receive()[0]).to.include({ kind: RETURN, which: EXCEPTION, noFinishNeeded: false });
    // Calls that were pipelined on it get the same exception.
    const [pipelined] = peer.send(call(2, 1, 1, { transform: [1] }));
    expect(pipelined).to.deep.include({ answerId: 2, which: EXCEPTION });
    peer.send(finish(1), finish(2));
    expect(peer.connection.tables.answers).to.equal(1);
  });
});

describe("vat: Finish from a peer before the Return", () => {
  it("cancels the call, and is answered as canceled at once", () => {
    const peer = new RawPeer();
    peer.send(bootstrap(0), call(1, 0, 0));
    const returned = peer.send(finish(1));
    expect(returned).to.have.length(1);
    expect(returned[0]).to.deep.include({ kind: RETURN, answerId: 1, which: CANCELED });
    expect(peer.keeper.cancelled).to.equal(1);
    peer.keeper.answer({ text: "too late" });
    expect(peer.receive()).to.deep.equal([]);
    expect(peer.connection.tables.answers).to.equal(1);
  });

  it("cancels nothing that a call pipelined on it still waits for", () => {
    const peer = new RawPeer();
    peer.send(bootstrap(0), call(1, 0, 0), call(2, 1, 1, { transform: [1], text: "next" }));
    peer.send(finish(1));
    expect(peer.keeper.cancelled).to.equal(0);
    const next = new Keeper();
    peer.keeper.answer({ text: "", cap: local(next) });
    expect(next.log).to.deep.equal(["next"]);
    next.answer({ text: "done" });
    expect(peer.receive()[0]).to.deep.include({ kind: RETURN, answerId: 2, which: RESULTS });
  });

  it("gives back what the params held, when the call has ended", () => {
    const peer = new RawPeer();
    peer.send(bootstrap(0), call(1, 0, 0, { caps: [senderHosted(7)] }));
    peer.send(finish(1));
    peer.keeper.answer();
    expect(peer.receive()).to.deep.include({ kind: RELEASE, id: 7, referenceCount: 1 });
  });

  for (const [what, workaround, arrives] of [
    ["without requireEarlyCancellationWorkaround: it never reaches its callee", false, false],
    ["with requireEarlyCancellationWorkaround: it reaches its callee, and is cancelled there", true, true],
  ] as const) {
    it(`cancels a call that waits for a promise ${what}`, async () => {
      const peer = new RawPeer();
      const promise = new PromiseCapability(resolveLimits());
      handOut(peer, promise);
      peer.send(call(2, 0, 1, { text: "early", caps: [senderHosted(7)] }));
      const returned = peer.send(finish(2, true, workaround));
      expect(returned.find(({ kind }) => kind === RETURN)).to.deep.include({ answerId: 2, which: CANCELED });
      const target = new Keeper();
      promise.resolve(local(target));
      await Promise.resolve();
      expect(target.log).to.deep.equal(arrives ? ["early"] : []);
      expect(target.cancelled).to.equal(arrives ? 1 : 0);
      while (target.calls.length > 0) target.answer();
      peer.receive();
      expect(peer.connection.tables).to.include({ answers: 1, imports: 0 });
    });

    it(`cancels a call that waits for another one ${what}`, async () => {
      const peer = new RawPeer();
      peer.send(bootstrap(0), call(1, 0, 0), call(2, 1, 1, { transform: [1], text: "early" }));
      peer.send(finish(2, true, workaround));
      const target = new Keeper();
      peer.keeper.answer({ text: "", cap: local(target) });
      await Promise.resolve();
      expect(target.log).to.deep.equal(arrives ? ["early"] : []);
      expect(target.cancelled).to.equal(arrives ? 1 : 0);
      while (target.calls.length > 0) target.answer();
      expect(peer.connection.closedReason).to.equal(undefined);
    });
  }

  it("does not free the callee of the quota: what still runs counts", () => {
    const peer = new RawPeer({ maxCallsInFlight: 3 });
    peer.send(bootstrap(0));
    for (let i = 0; i < 10; i++) peer.send(call(1, 0, 0), finish(1));
    expect(peer.keeper.log).to.have.length(3);
    peer.keeper.answer();
    peer.send(call(1, 0, 0));
    expect(peer.keeper.log).to.have.length(4);
    expect(peer.connection.closedReason).to.equal(undefined);
  });
});

describe("vat: hints of a caller's", () => {
  it("change nothing of what a call does and how it is answered", () => {
    const peer = new RawPeer();
    peer.send(bootstrap(0));
    for (const [id, flags] of [
      [1, CallFlag.noPromisePipelining],
      [2, CallFlag.onlyPromisePipeline],
    ] as const) {
      peer.send(call(id, 0, 0, { flags, text: "hint" }));
      const cap = local(new Keeper());
      peer.keeper.answer({ text: "", cap });
      cap.release();
      const [returned] = peer.receive();
      expect(returned).to.deep.include({ kind: RETURN, answerId: id, which: RESULTS });
    }
    expect(peer.keeper.log).to.deep.equal(["hint", "hint"]);
  });
});

describe("vat: the quota of calls", () => {
  it("never holds back Return, Finish, Release and Resolve", () => {
    const peer = new RawPeer({ maxCallsInFlight: 1 });
    const offered = peer.offer(3, true);
    const asked = start(offered, 0);
    peer.send(bootstrap(0), call(1, 0, 0));
    expect(peer.send(call(2, 0, 0))[0]).to.include({ kind: RETURN, which: EXCEPTION });
    peer.send(finish(2), finish(0, false), release(0, 1));
    expect(peer.connection.tables).to.include({ answers: 1, exports: 0 });
    peer.send(returns(0, { text: "yes", noFinishNeeded: true }));
    expect(asked.outcome.result?.text).to.equal("yes");
    expect(peer.send(resolves(3, senderHosted(4)))).to.deep.equal([{ kind: RELEASE, id: 3, referenceCount: 1 }]);
    start(offered, 0);
    expect(peer.receive()[0]).to.include({ kind: 2, targetId: 4 });
    expect(peer.connection.tables.imports).to.equal(1);
    expect(peer.connection.closedReason).to.equal(undefined);
  });
});
