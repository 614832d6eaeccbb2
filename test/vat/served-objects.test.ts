import { expect } from "chai";
import { callMethod, InterfaceServer, LocalCapability } from "../../packages/vat/src/index.ts";
import { Pair } from "../support/pair.ts";

const NOTHING = { dataWords: 0, pointers: 0 };
const WAIT = { interfaceId: 1n, methodId: 0, params: NOTHING, results: NOTHING };

/** Lets promises that are settled go on. */
const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

describe("vat: an object whose last holder lets it go", () => {
  for (const [how, fails] of [
    ["has returned", false],
    ["has failed", true],
  ] as const) {
    it(`is over once the last call that runs on it ${how}`, async () => {
      const waiting: { resolve(): void; reject(error: Error): void }[] = [];
      let over = 0;
      const handle = (): Promise<void> => new Promise((resolve, reject) => waiting.push({ resolve, reject }));
      const server = new InterfaceServer([{ method: WAIT, handle }], () => over++);
      const pair = new Pair({ bootstrap: server });
      const object = pair.left.bootstrap();
      const calls = [callMethod(object, WAIT), callMethod(object, WAIT)];
      pair.settle();
      object.release();
      pair.right.close();
      expect(waiting).to.have.length(2);
      waiting[0]?.resolve();
      await turn();
      expect(over).to.equal(0);
      if (fails) waiting[1]?.reject(new Error("no"));
      else waiting[1]?.resolve();
      await turn();
      expect(over).to.equal(1);
      for (const call of calls) await call.then(undefined, () => {});
    });
  }

  it("is over at once where none runs", () => {
    let over = 0;
    new LocalCapability(new InterfaceServer([], () => over++)).release();
    expect(over).to.equal(1);
  });
});
