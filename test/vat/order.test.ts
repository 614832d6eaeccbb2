import { expect } from "chai";
import { type Capability, PromiseCapability } from "../../packages/vat/src/index.ts";
import { resolveLimits } from "../../packages/wire/src/index.ts";
import { CAP, Keeper, local, Pair, start } from "../support/pair.ts";

const promised = () => new PromiseCapability(resolveLimits());

describe("vat: order of calls on one reference", () => {
  it("holds where an object of the caller's by name has become one of the callee's meanwhile", () => {
    const pair = new Pair();
    const api = pair.left.bootstrap();
    const theirs = new Keeper();
    const theirCap = local(theirs);
    const got = start(api, 0);
    pair.settle();
    pair.keeper.answer({ text: "", cap: theirCap });
    pair.settle();
    const held = got.outcome.result?.cap as Capability;
    const mine = promised();
    const echo = start(api, 0, { text: "echo", cap: mine });
    pair.settle();
    const arrived = pair.keeper.calls[0]?.note.cap as Capability;
    const echoed = arrived.addRef();
    const pipelined = echo.call.pipeline(CAP);
    start(pipelined, 0, { text: "one" });
    // Resolve and Return cross: the Return names our export, which by now leads back to where it comes from.
    mine.resolve(held.addRef());
    pair.keeper.answer({ text: "", cap: echoed });
    pair.toLeft();
    start(pipelined, 0, { text: "two" });
    pair.settle();
    expect(theirs.log).to.deep.equal(["one", "two"]);
    while (theirs.calls.length > 0) theirs.answer();
    for (const cap of [echoed, mine, pipelined, theirCap, echo.outcome.result?.cap, held, api]) {
      cap?.release();
    }
    pair.settle();
    pair.expectEmpty();
    expect(theirs.released).to.equal(1);
  });

  it("holds for what was pipelined twice on a call that waits for a promise", async () => {
    const promise = promised();
    const { call } = start(promise, 0, { text: "get" });
    const [first, again] = [call.pipeline(CAP), call.pipeline(CAP)];
    start(first, 0, { text: "one" });
    start(again, 0, { text: "two" });
    start(first, 0, { text: "three" });
    const outer = new Keeper();
    promise.resolve(local(outer));
    await new Promise((done) => setTimeout(done, 1));
    const inner = new Keeper();
    outer.answer({ text: "", cap: local(inner) });
    await new Promise((done) => setTimeout(done, 1));
    expect(inner.log).to.deep.equal(["one", "two", "three"]);
  });

  it("holds where a call is made while those that wait for a promise go out", () => {
    const promise = promised();
    const seen: number[] = [];
    const target = local({
      dispatch: (call) => {
        seen.push(call.methodId);
        // The first one makes another call on the promise at once.
        if (call.methodId === 0) pairCall(promise, 2);
      },
    });
    const pair = new Pair({ bootstrap: { dispatch: (call) => promise.deliver(call) } });
    const api = pair.left.bootstrap();
    start(api, 0);
    start(api, 1);
    pair.settle();
    promise.resolve(target);
    expect(seen).to.deep.equal([0, 1, 2]);
  });
});

/** A call from within, delivered like one that arrived. */
function pairCall(promise: PromiseCapability, methodId: number): void {
  const inner = new Pair({ bootstrap: { dispatch: (call) => promise.deliver(call) } });
  start(inner.left.bootstrap(), methodId);
  inner.settle();
}

describe("vat: two peers that answer each other's calls with each other's answers", () => {
  it("get an error, and never spin", async () => {
    const pair = new Pair();
    const api = pair.left.bootstrap();
    const mine = new Keeper();
    const own = local(mine);
    start(api, 0, { text: "", cap: own });
    pair.settle();
    const callback = pair.keeper.calls[0]?.note.cap?.addRef() as Capability;
    pair.keeper.answer();
    pair.settle();
    const there = start(api, 0);
    const back = start(callback, 0);
    pair.settle();
    const [atRight, atLeft] = [there.call.pipeline(CAP), back.call.pipeline(CAP)];
    mine.answer({ text: "", cap: atRight });
    pair.keeper.answer({ text: "", cap: atLeft });
    pair.toLeft();
    pair.toRight();
    const call = start(atRight, 0);
    pair.settle();
    await Promise.resolve();
    expect(call.outcome.error?.message).to.be.a("string");
    for (const cap of [atRight, atLeft, there.outcome.result?.cap, back.outcome.result?.cap, callback, own, api]) {
      cap?.release();
    }
    pair.settle();
    pair.expectEmpty();
  });
});

describe("vat: a call that is cancelled after something was pipelined on it", () => {
  it("is cancelled at the callee when the last of that is let go", () => {
    const pair = new Pair();
    const api = pair.left.bootstrap();
    const slow = start(api, 0);
    const pipelined = slow.call.pipeline(CAP);
    const next = start(pipelined, 0);
    pair.settle();
    slow.call.cancel();
    pair.settle();
    expect(pair.keeper.cancelled).to.equal(0);
    pipelined.release();
    pair.settle();
    // The pipelined call still waits for what the first one returns.
    expect(pair.keeper.cancelled).to.equal(0);
    next.call.cancel();
    pair.settle();
    expect(pair.keeper.cancelled).to.equal(1);
    pair.keeper.answer();
    api.release();
    pair.settle();
    pair.expectEmpty();
  });

  it("runs to its end where a pipelined call still waits for it", () => {
    const pair = new Pair();
    const api = pair.left.bootstrap();
    const slow = start(api, 0);
    const pipelined = slow.call.pipeline(CAP);
    const next = start(pipelined, 0, { text: "next" });
    pipelined.release();
    slow.call.cancel();
    pair.settle();
    const inner = new Keeper();
    const cap = local(inner);
    pair.keeper.answer({ text: "", cap });
    cap.release();
    expect(inner.log).to.deep.equal(["next"]);
    inner.answer({ text: "done" });
    pair.settle();
    expect(next.outcome.result?.text).to.equal("done");
    api.release();
    pair.settle();
    pair.expectEmpty();
    expect(inner.released).to.equal(1);
  });

  it("gives back its params where it waits within this vat", () => {
    const promise = promised();
    const param = new Keeper();
    const cap = local(param);
    const { call } = start(promise, 0, { text: "", cap });
    cap.release();
    call.cancel();
    expect(param.released).to.equal(1);
  });
});
