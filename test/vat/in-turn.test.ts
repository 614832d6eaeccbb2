import { expect } from "chai";
import { InTurn } from "../../packages/vat/src/capabilities/in-turn.ts";
import { uncaught } from "../support/uncaught.ts";

describe("vat: steps that lead to one another", () => {
  it("run however many there are, each once and in order", () => {
    const LONG = 2_000_000;
    let next = 0;
    let isInOrder = true;
    const chain = new InTurn<number>((step) => {
      if (step !== next) isInOrder = false;
      if (++next < LONG) chain.run(next);
    });
    chain.run(0);
    expect(next).to.equal(LONG);
    expect(isInOrder).to.equal(true);
  });

  it("run though one that waited throws", async () => {
    const run: number[] = [];
    const chain = new InTurn<number>((step) => {
      if (step > 0) chain.run(step - 1);
      if (step === 0) for (const waiting of [-1, -2, -3, -4]) chain.run(waiting);
      if (step < 0) run.push(step);
      if (step === -2) throw new Error("thrown by a step");
    });
    const thrown = uncaught();
    chain.run(63);
    expect(run).to.deep.equal([-1, -2, -3, -4]);
    expect((await thrown).message).to.equal("thrown by a step");
  });

  it("throw what the first one threw, and run again after that", () => {
    let run = 0;
    const chain = new InTurn<boolean>((isBad) => {
      run++;
      if (isBad) throw new Error("thrown by a step");
    });
    for (let i = 0; i < 100; i++) expect(() => chain.run(true)).to.throw("thrown by a step");
    chain.run(false);
    expect(run).to.equal(101);
  });
});
