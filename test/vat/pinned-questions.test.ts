import { expect } from "chai";
import { type Capability, PromiseCapability } from "../../packages/vat/src/index.ts";
import { CAP, Keeper, local, Pair, start } from "../support/pair.ts";
import { bootstrap, call, finish, receiverAnswer, receiverHosted, release } from "../support/raw-messages.ts";
import * as raw from "../support/raw-peer.ts";
import { RawPeer } from "../support/raw-peer.ts";

const CALL = 2;
const FINISH = 4;

const nextTurn = () => new Promise((done) => setTimeout(done, 1));

describe("vat: a question that a promise of the peer's leads to", () => {
  it("keeps its id where its Return wants no Finish: no other call's results are taken for its own", async () => {
    const pair = new Pair();
    const api = pair.left.bootstrap();
    pair.settle();
    const promise = new PromiseCapability();
    start(api, 0, { text: "here is a promise", cap: promise });
    pair.settle();
    const theirs = pair.keeper.calls[0]?.note.cap?.addRef() as Capability;
    pair.keeper.answer();
    pair.settle();
    const first = start(api, 0, { text: "first" });
    while (pair.toRight());
    promise.resolve(first.call.pipeline(CAP));
    pair.keeper.answer({ text: "no capability" });
    // Made before the Resolve is there.
    const stray = start(theirs, 0, { text: "for what `first` returned" });
    first.outcome.handleResults = (results) => {
      results.release();
      start(api, 0, { text: "second" });
    };
    pair.toLeft();
    pair.settle();
    const other = new Keeper();
    pair.keeper.answer({ text: "", cap: local(other) });
    pair.settle();
    await nextTurn();
    pair.settle();
    expect(other.log).to.deep.equal([]);
    expect(stray.outcome.error?.message).to.contain("no capability");
    theirs.release();
    promise.release();
    pair.settle();
    expect(pair.left.tables.questions).to.equal(0);
  });

  /** The peer's promise, our export 1, became what our question 0 is to return. */
  function leading() {
    const peer = new RawPeer();
    const api = peer.offer(7);
    const promise = new PromiseCapability();
    peer.send(bootstrap(0), call(1, { question: 0 }));
    peer.keeper.answer({ text: "", cap: promise });
    peer.send(finish(1, false));
    const first = start(api, 0, { text: "first" });
    promise.resolve(first.call.pipeline(CAP));
    expect(peer.receive().at(-1)).to.deep.include({ promiseId: 1, cap: receiverAnswer(0, CAP) });
    return { peer, api, first };
  }

  const ends = {
    "wants no Finish": raw.returns(0, { text: "no capability", noFinishNeeded: true }),
    "says that the call is not known": raw.unimplemented(raw.call(0, 0, 7)),
  };
  for (const [how, end] of Object.entries(ends)) {
    it(`gives its id to the next call only once that promise is let go, where the peer ${how}`, () => {
      const { peer, api } = leading();
      expect(peer.send(end)).to.deep.equal([]);
      start(api, 0);
      expect(peer.receive()[0]).to.include({ kind: CALL, questionId: 1 });
      // It goes where the promise was said to lead.
      expect(peer.send(call(2, { exported: 1 }))[0]).to.include({ kind: CALL, targetKind: 1, targetId: 0 });
      expect(peer.send(finish(2), release(1))).to.not.deep.include({ kind: FINISH, questionId: 0 });
      start(api, 0);
      expect(peer.receive()[0]).to.include({ kind: CALL, questionId: 0 });
      expect(peer.connection.closedReason).to.equal(undefined);
    });
  }

  it("keeps its id for one place in its results though another one leads back to itself", () => {
    const { peer, api, first } = leading();
    const other = new PromiseCapability();
    peer.send(call(3, { question: 0 }));
    peer.keeper.answer({ text: "", cap: other });
    peer.send(finish(3, false));
    other.resolve(first.call.pipeline([0]));
    expect(peer.receive().at(-1)).to.deep.include({ promiseId: 2, cap: receiverAnswer(0, [0]) });
    expect(peer.send(raw.returns(0, { caps: [receiverHosted(1)] }))).to.deep.equal([]);
    start(api, 0);
    expect(peer.receive()[0]).to.include({ kind: CALL, questionId: 1 });
    expect(peer.send(release(2))[0]).to.deep.include({ kind: FINISH, questionId: 0 });
    start(api, 0);
    expect(peer.receive()[0]).to.include({ kind: CALL, questionId: 0 });
  });
});
