import { expect } from "chai";
import { Keeper, local, type Outcome, start } from "../support/pair.ts";
import { bootstrap, finish, receiverHosted, senderHosted } from "../support/raw-messages.ts";
import { call, disembargo, RawPeer, returns, returnsException, returnsOther } from "../support/raw-peer.ts";

const ABORT = 1;
const CALL = 2;
const RETURN = 3;
const FINISH = 4;
const DISEMBARGO = 13;
const RESULTS = 0;
const EXCEPTION = 1;
const CANCELED = 2;
const ELSEWHERE = 3;
const TAKE = 4;
const YOURSELF = 1;

/**
 * The vat calls the peer (question 0 of its own), which calls the vat's bootstrap back (question 5 of the peer's) and asks
 * it to keep the results.
 */
function calledBack() {
  const peer = new RawPeer();
  const api = peer.offer(3);
  peer.send(bootstrap(0), finish(0, false));
  const asked = start(api, 0);
  const [sent] = peer.receive();
  expect(sent).to.include({ kind: 2, questionId: 0 });
  peer.send(call(5, 0, 0, { sendResultsTo: YOURSELF, text: "back" }));
  expect(peer.keeper.log).to.deep.equal(["back"]);
  return { peer, api, asked };
}

function expectAborted(peer: RawPeer, sent: readonly { readonly kind: number }[]): void {
  expect(sent.at(-1)?.kind).to.equal(ABORT);
  expect(Object.values(peer.connection.tables)).to.deep.equal([0, 0, 0, 0, 0]);
}

describe("vat: a call whose results a peer asks to be kept", () => {
  it("is answered without them, and they stay until Finish", () => {
    const { peer } = calledBack();
    const held = new Keeper();
    const cap = local(held);
    peer.keeper.answer({ text: "kept", cap });
    cap.release();
    const [returned] = peer.receive();
    expect(returned).to.deep.include({ kind: RETURN, answerId: 5, which: ELSEWHERE, results: undefined });
    expect(held.released).to.equal(0);
    peer.send(finish(5));
    expect(held.released).to.equal(1);
  });

  it("takes calls that are pipelined on it", () => {
    const { peer } = calledBack();
    const held = new Keeper();
    peer.send(call(6, 1, 5, { transform: [1], text: "early" }));
    peer.keeper.answer({ text: "", cap: local(held) });
    peer.send(call(7, 1, 5, { transform: [1], text: "late" }));
    expect(held.log).to.deep.equal(["early", "late"]);
    held.answer({ text: "yes" });
    expect(peer.receive().at(-1)).to.deep.include({ kind: RETURN, answerId: 6, which: RESULTS });
  });

  it("is answered the same way where it fails", () => {
    const { peer } = calledBack();
    peer.keeper.fail("no");
    expect(peer.receive()[0]).to.deep.include({ kind: RETURN, answerId: 5, which: ELSEWHERE });
  });

  it("is cancelled by Finish where nobody took its results", () => {
    const { peer } = calledBack();
    expect(peer.send(finish(5))[0]).to.deep.include({ kind: RETURN, answerId: 5, which: CANCELED });
    expect(peer.keeper.cancelled).to.equal(1);
  });

  it("is refused where they are for a third party, as unimplemented", () => {
    const peer = new RawPeer();
    peer.send(bootstrap(0));
    const [returned] = peer.send(call(1, 0, 0, { sendResultsTo: 2 }));
    expect(returned).to.include({ kind: RETURN, which: EXCEPTION });
    expect(returned).to.have.nested.property("exception.type", 3);
    expect(peer.keeper.log).to.deep.equal([]);
  });
});

describe("vat: a Return that takes the results of a call of the peer's", () => {
  function expectTaken(outcome: Outcome, peer: RawPeer): void {
    expect(outcome.result?.text).to.equal("kept");
    const sent = peer.receive();
    expect(sent).to.deep.include.members([
      { kind: FINISH, questionId: 0, releaseResultCaps: false, requireEarlyCancellationWorkaround: false },
    ]);
    peer.send(finish(5));
    expect(peer.connection.tables).to.include({ questions: 0, answers: 0 });
  }

  it("settles once that call is answered", () => {
    const { peer, asked } = calledBack();
    peer.send(returnsOther(0, TAKE, 5));
    expect(asked.outcome.result).to.equal(undefined);
    peer.keeper.answer({ text: "kept" });
    expectTaken(asked.outcome, peer);
  });

  it("settles at once where it was answered before", () => {
    const { peer, asked } = calledBack();
    peer.keeper.answer({ text: "kept" });
    peer.send(returnsOther(0, TAKE, 5));
    expect(asked.outcome.result?.text).to.equal("kept");
  });

  it("settles with the exception where it failed", () => {
    for (const before of [true, false]) {
      const { peer, asked } = calledBack();
      if (before) peer.keeper.fail("no");
      peer.send(returnsOther(0, TAKE, 5));
      if (!before) peer.keeper.fail("no");
      expect(asked.outcome.error?.message).to.equal("no");
    }
  });

  it("settles also where the peer finishes its call early: the results are owed to ours", () => {
    const { peer, asked } = calledBack();
    peer.send(returnsOther(0, TAKE, 5), finish(5));
    expect(peer.keeper.cancelled).to.equal(0);
    peer.keeper.answer({ text: "kept" });
    expect(asked.outcome.result?.text).to.equal("kept");
    peer.receive();
    expect(peer.connection.tables).to.include({ questions: 0, answers: 0 });
  });

  it("has that call answered at once, and only once: a peer may wait for it before it finishes what was cancelled", () => {
    for (const fails of [false, true]) {
      const { peer } = calledBack();
      const [returned] = peer.send(returnsOther(0, TAKE, 5));
      expect(returned).to.include({ kind: RETURN, answerId: 5, which: ELSEWHERE });
      if (fails) peer.keeper.fail("no");
      else peer.keeper.answer({ text: "kept" });
      expect(peer.receive().map(({ kind }) => kind)).to.deep.equal([FINISH]);
      expect(peer.send(finish(5))).to.deep.equal([]);
    }
  });

  it("cancels that call when we give ours up, where the peer finished it before", () => {
    const { peer, asked } = calledBack();
    peer.send(returnsOther(0, TAKE, 5), finish(5));
    asked.call.cancel();
    expect(peer.keeper.cancelled).to.equal(1);
    peer.keeper.answer({ text: "too late" });
    expect(asked.outcome.result).to.equal(undefined);
    expect(peer.connection.tables).to.include({ questions: 0, answers: 0 });
  });

  it("is nothing to us where we gave the call up: the peer's Finish cancels its own", () => {
    const { peer, asked } = calledBack();
    peer.send(returnsOther(0, TAKE, 5));
    asked.call.cancel();
    expect(peer.receive()[0]).to.include({ kind: FINISH, questionId: 0 });
    peer.send(finish(5));
    expect(peer.keeper.cancelled).to.equal(1);
    peer.keeper.answer({ text: "too late" });
    expect(asked.outcome.result).to.equal(undefined);
    expect(peer.connection.tables).to.include({ questions: 0, answers: 0 });
  });

  it("is an abort where the peer never made that call", () => {
    const { peer } = calledBack();
    expectAborted(peer, peer.send(returnsOther(0, TAKE, 8)));
  });

  it("is an abort where that call is finished", () => {
    const { peer } = calledBack();
    peer.keeper.answer();
    peer.send(finish(5));
    expectAborted(peer, peer.send(returnsOther(0, TAKE, 5)));
  });

  it("is an abort where that call's results were to be sent to the peer", () => {
    const { peer } = calledBack();
    peer.send(call(6, 0, 0));
    expectAborted(peer, peer.send(returnsOther(0, TAKE, 6)));
  });

  for (const answered of [false, true]) {
    it(`is an abort where another Return took them before, ${answered ? "answered" : "not answered"} yet`, () => {
      const { peer, api, asked } = calledBack();
      const again = start(api, 0);
      expect(peer.receive()[0]).to.include({ kind: 2, questionId: 1 });
      if (answered) peer.keeper.answer({ text: "kept" });
      peer.send(returnsOther(0, TAKE, 5));
      expectAborted(peer, peer.send(returnsOther(1, TAKE, 5)));
      expect(again.outcome.error?.type).to.equal(2);
      if (answered) expect(asked.outcome.result?.text).to.equal("kept");
      else expect(asked.outcome.error?.type).to.equal(2);
    });
  }
});

describe("vat: a call whose results a peer takes from one that it made", () => {
  it("has later calls wait for those that go round, though both end with the peer", () => {
    const { peer, asked } = calledBack();
    const pipelined = asked.call.pipeline([1]);
    start(pipelined, 0, { text: "one" });
    expect(peer.receive()[0]).to.deep.include({ kind: CALL, targetKind: 1, targetId: 0, transform: [1] });
    // What the vat answers is an object of the peer's, which is told so.
    peer.send(call(6, 0, 0, { caps: [senderHosted(7)] }));
    peer.keeper.answer({ text: "", cap: peer.keeper.calls[1]?.note.cap });
    const sent = peer.send(returnsOther(0, TAKE, 5));
    expect(sent.find(({ kind }) => kind === DISEMBARGO)).to.deep.include({
      targetKind: 1,
      targetId: 0,
      transform: [1],
    });
    start(pipelined, 0, { text: "two" });
    expect(peer.receive()).to.deep.equal([]);
    // The first one comes by, and goes on to the peer.
    expect(peer.send(call(8, 1, 5, { transform: [1], text: "one" }))[0]).to.include({ kind: CALL, targetId: 7 });
    expect(peer.send(disembargo(0, 0, 1, 0))[0]).to.include({ kind: CALL, targetKind: 0, targetId: 7 });
  });
});

describe("vat: two Returns for one question", () => {
  it("are an abort, whatever the first one was", () => {
    const firsts = [returns(0), returnsException(0, "no"), returnsOther(0, CANCELED), returnsOther(0, TAKE, 5)];
    for (const first of firsts) {
      const { peer } = calledBack();
      peer.send(first);
      expect(peer.connection.closedReason).to.equal(undefined);
      expectAborted(peer, peer.send(returns(0)));
    }
  });

  it("are an abort where the first one crossed our Finish", () => {
    const { peer, asked } = calledBack();
    asked.call.cancel();
    peer.receive();
    peer.send(returns(0, { caps: [senderHosted(9)] }));
    // The Finish gave back what it carries.
    expect(peer.connection.tables.imports).to.equal(1);
    expectAborted(peer, peer.send(returns(0)));
  });
});

describe("vat: a Return that nobody asked for", () => {
  it("fails the call where it says that the results went elsewhere, or is of a kind that level 1 has not", () => {
    for (const which of [ELSEWHERE, 5, 9]) {
      const { peer, asked } = calledBack();
      const sent = peer.send(returnsOther(0, which));
      expect(asked.outcome.error?.type).to.equal(3);
      expect(sent[0]).to.include({ kind: FINISH, questionId: 0 });
      expect(peer.connection.closedReason).to.equal(undefined);
    }
  });

  it("fails the call where it says that it was cancelled", () => {
    const { peer, asked } = calledBack();
    peer.send(returnsOther(0, CANCELED));
    expect(asked.outcome.error?.message).to.contain("cancelled");
  });
});

describe("vat: a call that is passed back to its caller", () => {
  /** The peer's call 2 waits for what its call 1 returns: an object of the peer's own. */
  function passedBack() {
    const peer = new RawPeer();
    peer.send(bootstrap(0), call(1, 0, 0, { caps: [senderHosted(7)] }), call(2, 1, 1, { transform: [1], text: "on" }));
    const own = peer.keeper.calls[0]?.note.cap?.addRef();
    peer.keeper.answer({ text: "", cap: own });
    own?.release();
    return { peer, sent: peer.receive() };
  }

  it("asks the peer to keep the results, and says that they are its own", () => {
    const { sent } = passedBack();
    const [first, second, third] = sent;
    expect(first).to.deep.include({ kind: RETURN, answerId: 1 });
    expect(first).to.have.deep.nested.property("results.capTable", [receiverHosted(7)]);
    expect(second).to.deep.include({ kind: 2, questionId: 0, targetId: 7, sendResultsTo: YOURSELF });
    expect(third).to.deep.include({ kind: RETURN, answerId: 2, which: TAKE, otherAnswer: 0 });
  });

  it("keeps its id until it is finished, though it is answered", () => {
    const { peer } = passedBack();
    expect(peer.send(returnsOther(0, ELSEWHERE))).to.deep.equal([]);
    expect(peer.send(call(3, 1, 1, { transform: [1] }))[0]).to.include({ kind: CALL, questionId: 1 });
    peer.send(finish(2));
    expect(peer.send(call(4, 1, 1, { transform: [1] }))[0]).to.include({ kind: CALL, questionId: 0 });
  });

  it("is finished when the peer finishes its own, answered or not", () => {
    for (const answered of [false, true]) {
      const { peer } = passedBack();
      if (answered) expect(peer.send(returnsOther(0, ELSEWHERE))).to.deep.equal([]);
      const sent = peer.send(finish(2));
      expect(sent).to.deep.include({
        kind: FINISH,
        questionId: 0,
        releaseResultCaps: true,
        requireEarlyCancellationWorkaround: false,
      });
      if (!answered) peer.send(returnsOther(0, CANCELED));
      peer.send(finish(1));
      expect(peer.connection.tables).to.include({ questions: 0, answers: 1 });
    }
  });
});
