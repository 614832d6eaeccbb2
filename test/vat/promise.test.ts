import { expect } from "chai";
import { PromiseCapability } from "../../packages/vat/src/index.ts";
import { resolveLimits } from "../../packages/wire/src/index.ts";
import { CAP, Keeper, local, start } from "../support/pair.ts";

const LIMITS = resolveLimits();
/** Local calls and failures come with the microtasks. */
const turn = (): Promise<void> => new Promise((done) => setImmediate(done));
const ITSELF = "A promise for a capability resolved to itself.";

describe("vat: a promise of this vat", () => {
  it("breaks where it resolves to what a call that waits for it will return", async () => {
    const promise = new PromiseCapability(LIMITS);
    const { call, outcome } = start(promise, 0);
    promise.resolve(call.pipeline(CAP));
    await turn();
    expect(outcome.error?.message).to.equal(ITSELF);
    promise.release();
  });

  it("breaks so through other promises and calls between, too", async () => {
    const first = new PromiseCapability(LIMITS);
    const second = new PromiseCapability(LIMITS);
    const onFirst = start(first, 0);
    const onSecond = start(second, 0);
    const deep = start(onSecond.call.pipeline(CAP), 0);
    second.resolve(onFirst.call.pipeline(CAP));
    first.resolve(deep.call.pipeline(CAP));
    await turn();
    for (const { outcome } of [onFirst, onSecond, deep]) expect(outcome.error?.message).to.equal(ITSELF);
  });

  it("may resolve to what a call on something else will return", async () => {
    const promise = new PromiseCapability(LIMITS);
    const other = new PromiseCapability(LIMITS);
    const keeper = new Keeper();
    const early = start(promise, 0, { text: "early" });
    promise.resolve(start(other, 0, { text: "get" }).call.pipeline(CAP));
    other.resolve(local(keeper));
    await turn();
    const result = new Keeper();
    const cap = local(result);
    keeper.answer({ text: "", cap });
    cap.release();
    await turn();
    expect(result.log).to.deep.equal(["early"]);
    result.answer({ text: "done" });
    await turn();
    expect(early.outcome.result?.text).to.equal("done");
    promise.release();
  });
});
