import { expect } from "chai";
import { PromiseCapability } from "../../packages/vat/src/index.ts";
import { resolveLimits } from "../../packages/wire/src/index.ts";
import { CAP, Keeper, local, Pair, start } from "../support/pair.ts";

describe("vat: a connection", () => {
  let pair: Pair;
  beforeEach(() => {
    pair = new Pair();
  });

  /** The right vat's object, fully resolved at the left. */
  function bootstrapped() {
    const cap = pair.left.bootstrap();
    pair.settle();
    return cap;
  }

  it("carries a call and its results, and keeps nothing of it", () => {
    const api = bootstrapped();
    const { outcome } = start(api, 0, { text: "hello" });
    pair.settle();
    expect(pair.keeper.log).to.deep.equal(["hello"]);
    pair.keeper.answer({ text: "bye" });
    pair.settle();
    expect(outcome.result?.text).to.equal("bye");
    api.release();
    pair.settle();
    pair.expectEmpty();
  });

  it("sends no Finish for results that hold no capability", () => {
    const api = bootstrapped();
    start(api, 0);
    pair.settle();
    pair.keeper.answer();
    expect(pair.right.tables.answers).to.equal(0);
    pair.toLeft();
    expect(pair.toRight()).to.equal(false);
    api.release();
    pair.settle();
    pair.expectEmpty();
  });

  it("pipelines a chain on unanswered calls in one frame each way", () => {
    const child = new Keeper();
    const api = pair.left.bootstrap();
    const first = start(api, 0, { text: "first" });
    const pipelined = first.call.pipeline(CAP);
    const second = start(pipelined, 1, { text: "second" });
    expect(pair.toRight()).to.equal(true);
    expect(pair.toRight()).to.equal(false);
    expect(pair.keeper.log).to.deep.equal(["first"]);
    const own = local(child);
    pair.keeper.answer({ text: "", cap: own });
    own.release();
    expect(child.log).to.deep.equal(["second"]);
    child.answer({ text: "done" });
    expect(pair.toLeft()).to.equal(true);
    expect(second.outcome.result?.text).to.equal("done");
    first.outcome.result?.cap?.release();
    pipelined.release();
    api.release();
    pair.settle();
    pair.expectEmpty();
    expect(child.released).to.equal(1);
  });

  it("fails a call that was pipelined on a failed call with the same error", () => {
    const api = bootstrapped();
    const first = start(api, 0);
    const pipelined = first.call.pipeline(CAP);
    const second = start(pipelined, 1);
    pair.settle();
    pair.keeper.fail("out of cheese");
    pair.settle();
    expect(first.outcome.error?.message).to.equal("out of cheese");
    expect(second.outcome.error?.message).to.equal("out of cheese");
    pipelined.release();
    api.release();
    pair.settle();
    pair.expectEmpty();
  });

  it("calls back an object that was passed as a parameter, and releases it once", () => {
    const api = bootstrapped();
    const callback = new Keeper();
    const own = local(callback);
    start(api, 0, { text: "take this", cap: own });
    own.release();
    pair.settle();
    const back = pair.keeper.calls[0]?.note.cap;
    expect(back).to.not.equal(undefined);
    const called = start(back!, 0, { text: "called back" });
    pair.settle();
    expect(callback.log).to.deep.equal(["called back"]);
    callback.answer({ text: "yes" });
    pair.settle();
    expect(called.outcome.result?.text).to.equal("yes");
    expect(callback.released).to.equal(0);
    pair.keeper.answer();
    api.release();
    pair.settle();
    expect(callback.released).to.equal(1);
    pair.expectEmpty();
  });

  it("keeps the order of calls on a promise that turns out to be the caller's own object", async () => {
    const api = bootstrapped();
    const mine = new Keeper();
    const own = local(mine);
    const first = start(api, 0, { text: "echo", cap: own });
    const promise = first.call.pipeline(CAP);
    start(promise, 0, { text: "before" });
    pair.toRight();
    const echoed = pair.keeper.calls[0]?.note.cap;
    pair.keeper.answer({ text: "", cap: echoed });
    pair.toLeft();
    // Resolved to our own object, yet the earlier call is still on its way through the peer.
    start(promise, 0, { text: "after" });
    pair.settle();
    await Promise.resolve();
    expect(mine.log).to.deep.equal(["before", "after"]);
    expect(pair.left.tables.embargoes).to.equal(0);
    while (mine.calls.length > 0) mine.answer();
    first.outcome.result?.cap?.release();
    promise.release();
    own.release();
    api.release();
    pair.settle();
    pair.expectEmpty();
  });

  it("sends a promise as a capability, and Resolve when it resolves", () => {
    const api = bootstrapped();
    const promise = new PromiseCapability(resolveLimits());
    const eventual = new Keeper();
    start(api, 0, { text: "", cap: promise });
    pair.settle();
    const held = pair.keeper.calls[0]?.note.cap;
    start(held!, 0, { text: "early" });
    pair.settle();
    expect(eventual.log).to.deep.equal([]);
    promise.resolve(local(eventual));
    expect(eventual.log).to.deep.equal(["early"]);
    pair.settle();
    start(held!, 0, { text: "late" });
    pair.settle();
    expect(eventual.log).to.deep.equal(["early", "late"]);
    while (eventual.calls.length > 0) eventual.answer();
    pair.keeper.answer();
    promise.release();
    api.release();
    pair.settle();
    pair.expectEmpty();
    expect(eventual.released).to.equal(1);
  });

  it("cancels a call at the callee, and takes no outcome from it any more", () => {
    const api = bootstrapped();
    const { call, outcome } = start(api, 0);
    pair.settle();
    call.cancel();
    pair.settle();
    expect(pair.keeper.cancelled).to.equal(1);
    pair.keeper.answer({ text: "too late" });
    pair.settle();
    expect(outcome.result).to.equal(undefined);
    api.release();
    pair.settle();
    pair.expectEmpty();
  });

  it("leaves no call pending and no table entry when it ends", async () => {
    const api = bootstrapped();
    const { outcome, call } = start(api, 0);
    const pipelined = start(call.pipeline(CAP), 0);
    pair.settle();
    const reasons: string[] = [];
    pair.left.whenClosed((error) => reasons.push(`${error.message} ${String(outcome.error?.type)}`));
    pair.left.close("enough");
    expect(outcome.error?.type).to.equal(2);
    expect(pipelined.outcome.error?.message).to.equal("enough");
    expect(reasons).to.deep.equal(["enough 2"]);
    await new Promise((done) => setTimeout(done, 1));
    expect(pair.keeper.cancelled).to.equal(1);
    expect(pair.right.closedReason?.type).to.equal(2);
    pair.expectEmpty();
    const late = start(api, 0);
    await Promise.resolve();
    expect(late.outcome.error?.message).to.equal("enough");
  });

  it("sends one message a frame to a peer that wants that", () => {
    pair = new Pair({ batched: false });
    const api = pair.left.bootstrap();
    start(api, 0, { text: "one" });
    start(api, 0, { text: "two" });
    pair.toRight();
    expect(pair.keeper.log).to.deep.equal([]);
    pair.toRight();
    expect(pair.keeper.log).to.deep.equal(["one"]);
    pair.toRight();
    expect(pair.keeper.log).to.deep.equal(["one", "two"]);
  });
});
