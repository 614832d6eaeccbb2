import { expect } from "chai";
import { BrokenCapability, type Capability, PromiseCapability, RpcError } from "../../packages/vat/src/index.ts";
import { local, Pair, start } from "../support/pair.ts";
import { uncaught } from "../support/uncaught.ts";

/** An object that throws when it is let go. */
const throwing = (): Capability =>
  local({
    dispatch: () => {},
    release: () => {
      throw new Error("thrown by release()");
    },
  });

describe("vat: an object that throws when it is let go", () => {
  it("keeps none of the calls from failing that wait for the same promise", async () => {
    const promise = new PromiseCapability();
    const calls = [0, 1, 2, 3, 4].map((i) => {
      const cap = i === 1 ? throwing() : undefined;
      const { outcome } = start(promise, 0, { text: "", cap });
      cap?.release();
      return outcome;
    });
    const thrown = uncaught();
    promise.resolve(new BrokenCapability(RpcError.failed("broken")));
    expect((await thrown).message).to.equal("thrown by release()");
    expect(calls.map(({ error }) => error?.message)).to.deep.equal(Array(5).fill("broken"));
    const late = start(promise, 0).outcome;
    await Promise.resolve();
    expect(late.error?.message).to.equal("broken");
  });

  it("is let go as any other by a peer, whose link lives", async () => {
    const pair = new Pair();
    const api = pair.left.bootstrap();
    const cap = throwing();
    const { outcome } = start(api, 0, { text: "", cap });
    cap.release();
    pair.settle();
    const thrown = uncaught();
    pair.keeper.answer({ text: "done" });
    pair.settle();
    expect((await thrown).message).to.equal("thrown by release()");
    expect(outcome.result?.text).to.equal("done");
    expect(pair.left.closedReason).to.equal(undefined);
    expect(pair.left.tables.exports).to.equal(0);
  });
});

describe("vat: a listener that throws", () => {
  it("keeps no other from hearing that a promise resolved", async () => {
    const promise = new PromiseCapability();
    promise.whenResolved(() => {
      throw new Error("thrown by a listener");
    });
    let told = 0;
    promise.whenResolved(() => told++);
    const thrown = uncaught();
    promise.resolve(new BrokenCapability(RpcError.failed("broken")));
    expect((await thrown).message).to.equal("thrown by a listener");
    expect(told).to.equal(1);
    expect(promise.isPromise).to.equal(false);
  });
});
