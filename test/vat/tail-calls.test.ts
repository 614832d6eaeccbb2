import { expect } from "chai";
import type { Capability, IncomingCall, Server } from "../../packages/vat/src/index.ts";
import { CAP, Keeper, local, Pair, readNote, start } from "../support/pair.ts";

/** Passes every call on to the capability that came with the first one, as a tail call. */
class Forwarder implements Server {
  target: Capability | undefined;

  dispatch(call: IncomingCall): void {
    const { cap } = readNote(call.params);
    if (this.target === undefined) {
      this.target = cap;
      call.returnResults({ encode: () => {} }, undefined);
      return;
    }
    cap?.release();
    this.target.deliver(call);
  }

  letGo(): void {
    this.target?.release();
  }
}

describe("vat: a failing call", () => {
  it("gives back the capabilities among its params once", () => {
    const pair = new Pair();
    const api = pair.left.bootstrap();
    const callback = new Keeper();
    const own = local(callback);
    const { outcome } = start(api, 0, { text: "take", cap: own });
    own.release();
    pair.settle();
    pair.keeper.fail("no");
    pair.settle();
    expect(outcome.error?.message).to.equal("no");
    expect(callback.released).to.equal(1);
    expect(pair.left.closedReason).to.equal(undefined);
    api.release();
    pair.settle();
    pair.expectEmpty();
  });
});

describe("vat: a tail call to the caller's own object", () => {
  function forwarding() {
    const forwarder = new Forwarder();
    const pair = new Pair({ bootstrap: forwarder });
    const api = pair.left.bootstrap();
    const own = new Keeper();
    const cap = local(own);
    start(api, 0, { text: "", cap });
    cap.release();
    pair.settle();
    return { forwarder, pair, api, own };
  }

  it("keeps the results with the caller", () => {
    const { forwarder, pair, api, own } = forwarding();
    const { outcome } = start(api, 0, { text: "round" });
    pair.settle();
    expect(own.log).to.deep.equal(["round"]);
    expect(outcome.result).to.equal(undefined);
    const inner = new Keeper();
    const cap = local(inner);
    own.answer({ text: "trip", cap });
    cap.release();
    pair.settle();
    expect(outcome.result?.text).to.equal("trip");
    outcome.result?.cap?.release();
    expect(inner.released).to.equal(1);
    api.release();
    forwarder.letGo();
    pair.settle();
    pair.expectEmpty();
    expect(own.released).to.equal(1);
  });

  it("takes pipelined calls through it, in order with later ones", async () => {
    const { forwarder, pair, api, own } = forwarding();
    const { outcome, call } = start(api, 0, { text: "get" });
    const pipelined = call.pipeline(CAP);
    start(pipelined, 0, { text: "one" });
    pair.settle();
    const inner = new Keeper();
    const cap = local(inner);
    own.answer({ text: "", cap });
    cap.release();
    start(pipelined, 0, { text: "two" });
    pair.settle();
    await Promise.resolve();
    start(pipelined, 0, { text: "three" });
    pair.settle();
    await Promise.resolve();
    expect(inner.log).to.deep.equal(["one", "two", "three"]);
    while (inner.calls.length > 0) inner.answer();
    pair.settle();
    pipelined.release();
    outcome.result?.cap?.release();
    api.release();
    forwarder.letGo();
    pair.settle();
    pair.expectEmpty();
    expect(inner.released).to.equal(1);
  });

  it("fails with the error of the call that it became", () => {
    const { forwarder, pair, api, own } = forwarding();
    const { outcome } = start(api, 0);
    pair.settle();
    own.fail("not today");
    pair.settle();
    expect(outcome.error?.message).to.equal("not today");
    api.release();
    forwarder.letGo();
    pair.settle();
    pair.expectEmpty();
  });

  it("is cancelled with the call that it became", () => {
    const { forwarder, pair, api, own } = forwarding();
    const { call, outcome } = start(api, 0);
    pair.settle();
    call.cancel();
    pair.settle();
    expect(own.cancelled).to.equal(1);
    own.answer({ text: "too late" });
    pair.settle();
    expect(outcome.result).to.equal(undefined);
    api.release();
    forwarder.letGo();
    pair.settle();
    pair.expectEmpty();
  });

  it("ends with its connection", () => {
    const { forwarder, pair, api, own } = forwarding();
    const { call, outcome } = start(api, 0);
    const pipelined = start(call.pipeline(CAP), 0);
    pair.settle();
    expect(own.log).to.have.length(1);
    pair.left.close();
    expect(outcome.error?.message).to.equal("The link was closed.");
    expect(pipelined.outcome.error?.message).to.equal("The link was closed.");
    pair.expectLeftEmpty();
    api.release();
    forwarder.letGo();
    own.answer();
  });
});
