import { expect } from "chai";
import { copiedBytes } from "../support/copied-bytes.ts";
import { CAP, Keeper, local, Pair, start } from "../support/pair.ts";

describe("vat: large results with a capability in them", () => {
  it("are copied nowhere else, and calls pipelined on them arrive, before and after Return", async () => {
    const pair = new Pair();
    const target = pair.left.bootstrap();
    const { outcome, call } = start(target, 1);
    const inner = call.pipeline(CAP);
    const before = start(inner, 2, { text: "before" });
    pair.toRight();
    const keeper = new Keeper();
    const cap = local(keeper);
    const text = "x".repeat(1024 * 1024);
    expect(await copiedBytes(() => pair.keeper.answer({ text, cap }))).to.equal(0);
    const after = start(inner, 3, { text: "after" });
    pair.toRight();
    expect(keeper.log).to.deep.equal(["before", "after"]);
    keeper.answer();
    keeper.answer();
    pair.settle();
    expect(outcome.result?.text).to.equal(text);
    expect([before.outcome.error, after.outcome.error]).to.deep.equal([undefined, undefined]);
    for (const held of [cap, inner, target]) held.release();
    outcome.result?.cap?.release();
    pair.settle();
    expect(keeper.released).to.equal(1);
    pair.expectEmpty();
  });
});
