import { expect } from "chai";
import { RpcStub, RpcTarget } from "../../packages/client/src/index.ts";

class Counter extends RpcTarget {
  #count = 0;
  increment(by: number): number {
    this.#count += by;
    return this.#count;
  }
  child(): Counter {
    return new Counter();
  }
}

describe("client: a stub of one's own object", () => {
  it("calls the object, and pipelines, as over a link", async () => {
    using stub = new RpcStub(new Counter());
    expect(await stub.increment(2)).to.equal(2);
    expect(await stub.child().increment(5)).to.equal(5);
    expect(stub).to.be.instanceOf(RpcStub);
  });

  it("wraps functions, plain objects and stubs, and nothing else", async () => {
    using double = new RpcStub((n: number) => n * 2);
    expect(await double(4)).to.equal(8);
    using plain = new RpcStub({ answer: 42 });
    expect(await plain.answer).to.equal(42);
    for (const other of [new Map(), [1], new Date()]) {
      expect(() => new RpcStub(other)).to.throw(
        TypeError,
        "RpcStubs can only wrap plain objects, functions, and RpcTarget derivatives.",
      );
    }
  });

  it("keeps the object until the last duplicate is disposed of, then runs its disposer once", async () => {
    let disposed = 0;
    const target = Object.assign(() => 1, { [Symbol.dispose]: () => disposed++ });
    const stub = new RpcStub(target);
    const twin = stub.dup();
    stub[Symbol.dispose]();
    stub[Symbol.dispose]();
    expect(disposed).to.equal(0);
    expect(await twin()).to.equal(1);
    twin[Symbol.dispose]();
    expect(disposed).to.equal(1);
    let thrown: unknown;
    await (stub() as Promise<unknown>).catch((error: unknown) => {
      thrown = error;
    });
    expect((thrown as Error).message).to.equal("RPC stub used after being disposed.");
  });

  it("shows the client only what a stub has", () => {
    using stub = new RpcStub(new Counter());
    expect(typeof stub).to.equal("function");
    expect(Object.keys(stub)).to.deep.equal([]);
    expect("anything" in stub).to.equal(true);
    expect((stub as unknown as { then: unknown }).then).to.equal(undefined);
  });

  it("refuses a path of more than 64 names", () => {
    using stub = new RpcStub({});
    let at: Record<string, unknown> = stub as never;
    for (let depth = 0; depth < 64; depth++) at = at.x as Record<string, unknown>;
    expect(() => at.x).to.throw("RPC pipelined property path is too deep (max 64).");
  });
});
