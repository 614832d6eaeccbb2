import { expect } from "chai";
import { type Capability, PromiseCapability, RpcError } from "../../packages/vat/src/index.ts";
import { resolveLimits } from "../../packages/wire/src/index.ts";
import { CAP, Keeper, local, Pair, type Started, start } from "../support/pair.ts";

/** Alice calls Bob, who passes on what he holds of Carol's. */
class Three {
  readonly aliceToBob = new Pair();
  readonly bobToCarol = new Pair();
  readonly carol: Capability;

  constructor() {
    this.carol = this.bobToCarol.left.bootstrap();
    this.settle();
  }

  /** What Alice gets of Bob, who answers with `cap`. */
  get(cap: Capability): { readonly got: Started; readonly bob: Capability } {
    const bob = this.aliceToBob.left.bootstrap();
    const got = start(bob, 0, { text: "get" });
    this.settle();
    this.aliceToBob.keeper.answer({ text: "", cap });
    this.settle();
    return { got, bob };
  }

  settle(): void {
    for (let rounds = 0; rounds < 3; rounds++) {
      this.aliceToBob.settle();
      this.bobToCarol.settle();
    }
  }

  expectEmpty(): void {
    this.settle();
    this.aliceToBob.expectEmpty();
    this.bobToCarol.expectEmpty();
  }
}

describe("vat: a capability that passes through a vat between", () => {
  let three: Three;
  beforeEach(() => {
    three = new Three();
  });

  it("gives back what a call brought that is cancelled on the way", () => {
    const { got, bob } = three.get(three.carol);
    three.carol.release();
    const carol = got.outcome.result?.cap as Capability;
    const brought = new Keeper();
    const own = local(brought);
    const { call } = start(carol, 0, { text: "hello", cap: own });
    own.release();
    three.settle();
    call.cancel();
    three.settle();
    expect(three.bobToCarol.keeper.cancelled).to.equal(1);
    three.bobToCarol.keeper.answer();
    three.settle();
    expect(brought.released).to.equal(1);
    carol.release();
    bob.release();
    three.expectEmpty();
  });

  it("takes calls, and is released when its last holder lets go", () => {
    const { got, bob } = three.get(three.carol);
    three.carol.release();
    const carol = got.outcome.result?.cap as Capability;
    const { outcome } = start(carol, 0, { text: "hello" });
    three.settle();
    expect(three.bobToCarol.keeper.log).to.deep.equal(["hello"]);
    three.bobToCarol.keeper.answer({ text: "bye" });
    three.settle();
    expect(outcome.result?.text).to.equal("bye");
    expect(three.bobToCarol.right.tables.exports).to.equal(1);
    carol.release();
    bob.release();
    three.expectEmpty();
  });

  it("takes calls that are pipelined on unanswered ones, without a stop in between", () => {
    const { got, bob } = three.get(three.carol);
    const carol = got.outcome.result?.cap as Capability;
    const first = start(carol, 0, { text: "first" });
    const pipelined = first.call.pipeline(CAP);
    const second = start(pipelined, 0, { text: "second" });
    const inner = new Keeper();
    three.settle();
    // Both are with Carol before she has answered anything.
    expect(three.bobToCarol.right.tables.answers).to.equal(2);
    const cap = local(inner);
    three.bobToCarol.keeper.answer({ text: "", cap });
    cap.release();
    three.settle();
    expect(inner.log).to.deep.equal(["second"]);
    start(pipelined, 0, { text: "third" });
    three.settle();
    expect(inner.log).to.deep.equal(["second", "third"]);
    inner.answer({ text: "yes" });
    inner.answer();
    three.settle();
    expect(second.outcome.result?.text).to.equal("yes");
    first.outcome.result?.cap?.release();
    pipelined.release();
    carol.release();
    three.carol.release();
    bob.release();
    three.expectEmpty();
    expect(inner.released).to.equal(1);
  });

  it("is cancelled where it runs", () => {
    const { got, bob } = three.get(three.carol);
    const carol = got.outcome.result?.cap as Capability;
    const { call } = start(carol, 0);
    three.settle();
    call.cancel();
    three.settle();
    expect(three.bobToCarol.keeper.cancelled).to.equal(1);
    three.bobToCarol.keeper.answer();
    carol.release();
    three.carol.release();
    bob.release();
    three.expectEmpty();
  });

  it("keeps the order of calls through a promise that resolves to it", async () => {
    const promise = new PromiseCapability(resolveLimits());
    const { got, bob } = three.get(promise);
    const carol = got.outcome.result?.cap as Capability;
    start(carol, 0, { text: "one" });
    three.settle();
    start(carol, 0, { text: "two" });
    promise.resolve(three.carol);
    promise.release();
    start(carol, 0, { text: "three" });
    three.settle();
    start(carol, 0, { text: "four" });
    three.settle();
    await Promise.resolve();
    three.settle();
    expect(three.bobToCarol.keeper.log).to.deep.equal(["one", "two", "three", "four"]);
    while (three.bobToCarol.keeper.calls.length > 0) three.bobToCarol.keeper.answer();
    three.settle();
    carol.release();
    bob.release();
    three.expectEmpty();
  });
});

describe("vat: an answer that is a promise of the callee's", () => {
  it("keeps the order of calls pipelined on it where the promise turns out to be the caller's own object", async () => {
    const pair = new Pair();
    const api = pair.left.bootstrap();
    const mine = new Keeper();
    const own = local(mine);
    start(api, 0, { text: "keep", cap: own });
    pair.settle();
    const echoed = pair.keeper.calls.shift();
    const promise = new PromiseCapability(resolveLimits());
    const get = start(api, 0, { text: "get" });
    const pipelined = get.call.pipeline(CAP);
    pair.settle();
    pair.keeper.answer({ text: "", cap: promise });
    // Written before the answer is here, so they go to the question.
    start(pipelined, 0, { text: "one" });
    pair.toLeft();
    // The answer is here, what it holds is a promise still. It resolves while the first call is on its way.
    expect(get.outcome.result).to.not.equal(undefined);
    promise.resolve(echoed?.note.cap as Capability);
    promise.release();
    pair.toLeft();
    start(pipelined, 0, { text: "two" });
    // Time enough for a call within this vat.
    await Promise.resolve();
    pair.settle();
    await Promise.resolve();
    expect(mine.log).to.deep.equal(["one", "two"]);
    while (mine.calls.length > 0) mine.answer();
    echoed?.call.returnException(RpcError.failed("done"));
    pipelined.release();
    get.outcome.result?.cap?.release();
    own.release();
    api.release();
    pair.settle();
    pair.expectEmpty();
  });
});

describe("vat: a call that waits for a promise at the callee", () => {
  function waiting() {
    const pair = new Pair();
    const promise = new PromiseCapability(resolveLimits());
    const api = pair.left.bootstrap();
    const get = start(api, 0);
    pair.settle();
    pair.keeper.answer({ text: "", cap: promise });
    pair.settle();
    const cap = get.outcome.result?.cap as Capability;
    const target = new Keeper();
    const resolve = () => {
      promise.resolve(local(target));
      promise.release();
      pair.settle();
    };
    return { pair, api, cap, target, resolve };
  }

  it("never reaches the callee when it was cancelled before", () => {
    const { pair, api, cap, target, resolve } = waiting();
    const cancelled = start(cap, 0, { text: "cancelled" });
    const kept = start(cap, 0, { text: "kept" });
    pair.settle();
    cancelled.call.cancel();
    pair.settle();
    resolve();
    expect(target.log).to.deep.equal(["kept"]);
    target.answer({ text: "yes" });
    pair.settle();
    expect(kept.outcome.result?.text).to.equal("yes");
    cap.release();
    api.release();
    pair.settle();
    pair.expectEmpty();
  });
});
