import { expect } from "chai";
import { type PayloadEncoder, PromiseCapability } from "../../packages/vat/src/index.ts";
import { resolveLimits } from "../../packages/wire/src/index.ts";
import { CAP, Keeper, local, Pair, start } from "../support/pair.ts";
import { bootstrap, call, noteContent, receiverHosted } from "../support/raw-messages.ts";
import { RawPeer, resolves } from "../support/raw-peer.ts";
import { uncaught } from "../support/uncaught.ts";

describe("vat: a connection that ends", () => {
  it("keeps nothing of a message whose getter ended it", async () => {
    const pair = new Pair();
    const api = pair.left.bootstrap();
    const param = new Keeper();
    const cap = local(param);
    const closing: PayloadEncoder<undefined> = {
      encode(out) {
        pair.left.close("enough");
        out.addCapability(cap);
      },
    };
    const errors: string[] = [];
    api.call(1, 2, 3, closing, undefined, { handleResults: () => {}, handleException: (e) => errors.push(e.message) });
    cap.release();
    pair.settle();
    await Promise.resolve();
    pair.expectLeftEmpty();
    expect(errors).to.deep.equal(["enough"]);
    expect(param.released).to.equal(1);
  });

  it("tells everybody, though somebody throws", async () => {
    const pair = new Pair();
    const api = pair.left.bootstrap();
    const refuse = () => {
      throw new Error("thrown by a sink");
    };
    api.call(1, 2, 3, { encode: () => {} }, undefined, { handleResults: refuse, handleException: refuse });
    const { outcome } = start(api, 0);
    const reasons: string[] = [];
    pair.left.whenClosed((error) => reasons.push(error.message));
    const thrown = uncaught();
    pair.left.close("enough");
    expect(outcome.error?.message).to.equal("enough");
    expect(reasons).to.deep.equal(["enough"]);
    expect((await thrown).message).to.equal("thrown by a sink");
    pair.expectLeftEmpty();
  });

  it("lets go of what a call was given whose results' getter ended it", () => {
    const pair = new Pair();
    const api = pair.left.bootstrap();
    const param = new Keeper();
    const cap = local(param);
    start(api, 0, { text: "", cap });
    cap.release();
    pair.settle();
    const { call, note } = pair.keeper.calls[0] as (typeof pair.keeper.calls)[0];
    note.cap?.release();
    call.returnResults({ encode: () => pair.right.close() }, undefined);
    expect(call.params.capCount).to.equal(0);
    expect(pair.right.tables).to.include({ answers: 0, imports: 0 });
  });

  it("lets go of calls that are answered between its turns, and cancels none of those", async () => {
    const CALLS = 5000;
    const peer = new RawPeer();
    const caps = [receiverHosted(0)];
    const calls = Array.from({ length: CALLS }, (_, i) =>
      call(i + 1, { question: 0 }, { caps, content: noteContent() }),
    );
    peer.send(bootstrap(0), ...calls);
    // With a call pipelined on the last one.
    peer.send(call(CALLS + 1, { question: CALLS, transform: CAP }));
    const { keeper, connection } = peer;
    const all = keeper.calls.map(({ call }) => call);
    let cancelledLate = 0;
    for (const { call, note } of keeper.calls) {
      note.cap?.release();
      let isAnswered = false;
      const returnResults = call.returnResults.bind(call);
      call.returnResults = (encoder, content) => {
        isAnswered = true;
        returnResults(encoder, content);
      };
      call.onCancel = () => {
        if (isAnswered) cancelledLate++;
        else keeper.cancelled++;
      };
    }
    const ended = new Promise((resolve) => connection.whenClosed(resolve));
    connection.close();
    expect(keeper.cancelled).to.be.within(1, CALLS - 1);
    while (keeper.calls.length > 0) keeper.answer();
    expect(all.filter(({ params }) => params.capCount > 0)).to.deep.equal([]);
    // Listeners hear last.
    await ended;
    expect(cancelledLate).to.equal(0);
    expect(keeper.released).to.equal(1);
  });

  it("fails this end's calls before it cancels those of the peer", () => {
    const pair = new Pair();
    const told: string[] = [];
    const own = local({
      dispatch: (call) => {
        call.onCancel = () => told.push("cancelled");
      },
    });
    const sink = { handleResults: () => {}, handleException: () => told.push("failed") };
    const api = pair.left.bootstrap();
    api.call(1, 2, 3, { encode: (out) => out.addCapability(own) }, undefined, sink);
    pair.settle();
    const back = pair.keeper.calls[0]?.call.params.cap(0);
    back?.call(1, 2, 3, { encode: () => {} }, undefined, { handleResults: () => {}, handleException: () => {} });
    pair.settle();
    pair.left.close("enough");
    expect(told).to.deep.equal(["failed", "cancelled"]);
    own.release();
  });

  it("lets go of what calls under an embargo were to reach", () => {
    const victim = new RawPeer();
    const object = new Keeper();
    const own = local(object);
    const promise = victim.offer(5, true);
    start(promise, 0, { text: "", cap: own });
    own.release();
    victim.receive();
    // The promise leads back to the object that came with the call.
    victim.send(resolves(5, receiverHosted(0)));
    start(promise, 0);
    expect(victim.connection.tables.embargoes).to.equal(1);
    promise.release();
    victim.connection.close();
    expect(Object.values(victim.connection.tables)).to.deep.equal([0, 0, 0, 0, 0]);
    expect(object.released).to.equal(1);
  });

  it("tells a listener on a capability once", async () => {
    const pair = new Pair();
    const api = pair.left.bootstrap();
    let told = 0;
    api.whenBroken(() => told++);
    pair.left.close();
    await new Promise((done) => setTimeout(done, 1));
    expect(told).to.equal(1);
  });
});

describe("vat: a promise that is sent again and again", () => {
  it("keeps no listener of a reference that was given back", () => {
    const pair = new Pair();
    const api = pair.left.bootstrap();
    const promise = new PromiseCapability(resolveLimits());
    let listeners = 0;
    const whenResolved = promise.whenResolved.bind(promise);
    promise.whenResolved = (listener) => {
      listeners++;
      const off = whenResolved(listener);
      return () => {
        listeners--;
        off();
      };
    };
    for (let i = 0; i < 10; i++) {
      start(api, 0, { text: "", cap: promise });
      pair.settle();
      pair.keeper.answer();
      pair.settle();
    }
    expect(pair.left.tables.exports).to.equal(0);
    expect(listeners).to.equal(0);
  });
});

describe("vat: a peer that does not know calls", () => {
  it("gives back what the params held", () => {
    const pair = new Pair();
    const api = pair.left.bootstrap();
    const param = new Keeper();
    const cap = local(param);
    const { outcome } = start(api, 0, { text: "", cap });
    cap.release();
    pair.bounceToLeft();
    expect(outcome.error?.type).to.equal(3);
    expect(param.released).to.equal(1);
  });
});

describe("vat: a message larger than a frame may be", () => {
  it("fails its call alone, with nothing sent", () => {
    const pair = new Pair({ limits: { maxFrameBytes: 2048 } });
    const api = pair.left.bootstrap();
    expect(() => start(api, 0, { text: "x".repeat(4000) })).to.throw("larger than a frame may be");
    const { outcome } = start(api, 0, { text: "small" });
    pair.settle();
    pair.keeper.answer({ text: "yes" });
    pair.settle();
    expect(outcome.result?.text).to.equal("yes");
  });

  it("is never made of several smaller ones", () => {
    const pair = new Pair({ limits: { maxFrameBytes: 2048 } });
    const api = pair.left.bootstrap();
    for (let i = 0; i < 20; i++) start(api, 0, { text: "x".repeat(400) });
    let frames = 0;
    while (pair.toRight()) frames++;
    expect(frames).to.be.greaterThan(3);
    expect(pair.right.closedReason).to.equal(undefined);
    expect(pair.keeper.log).to.have.length(20);
  });
});
