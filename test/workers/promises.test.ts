// Section d: promises, pipelining, errors.
import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";
import { RpcTarget, serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { deferred, expectTypeError, failure, item, onBothTransports, type Untyped } from "./support/transports.ts";

let gate = deferred();

class Chain extends RpcTarget {
  readonly #length: number;
  constructor(length: number) {
    super();
    this.#length = length;
  }
  next(): Chain {
    return new Chain(this.#length + 1);
  }
  get length(): number {
    return this.#length;
  }
}

class CustomError extends Error {
  override name = "CustomError";
  readonly code = 42;
}

class Api extends WorkerEntrypoint {
  chain(): Chain {
    return new Chain(0);
  }
  async slowChain(): Promise<Chain> {
    await gate.promise;
    return new Chain(0);
  }
  object(): object {
    return { inner: { chain: new Chain(5), greet: (name: string) => `Hello, ${name}` }, list: [1, 2] };
  }
  greeter(): unknown {
    return (name: string) => `Hello, ${name}`;
  }
  list(): unknown[] {
    return [{ x: 1 }];
  }
  map(): unknown {
    return new Map([["x", 1]]);
  }
  date(): Date {
    return new Date(0);
  }
  number(): number {
    return 7;
  }
  async slowNumber(): Promise<number> {
    await gate.promise;
    return 7;
  }
  async slowFailure(): Promise<never> {
    await gate.promise;
    throw new RangeError("out of range");
  }
  echo(value: unknown): unknown {
    return value;
  }
  async lengthOf(chain: Untyped): Promise<number> {
    return await chain.length;
  }
  async resolveNested(value: { readonly promised: Untyped }): Promise<unknown> {
    return await value.promised;
  }
  returnsPromise(callback: Untyped): unknown {
    return callback();
  }
  throwError(kind: string): never {
    switch (kind) {
      case "TypeError":
        throw new TypeError("type");
      case "RangeError":
        throw new RangeError("range");
      case "SyntaxError":
        throw new SyntaxError("syntax");
      case "ReferenceError":
        throw new ReferenceError("reference");
      case "EvalError":
        throw new EvalError("eval");
      case "URIError":
        throw new URIError("uri");
      case "AggregateError":
        throw new AggregateError([new TypeError("first"), new RangeError("second")], "many");
      case "mixed errors":
        throw new AggregateError([new TypeError("first"), Symbol("none"), "third"], "many");
      case "CustomError":
        throw new CustomError("custom");
      case "DOMException":
        throw new DOMException("not now", "AbortError");
      case "cause":
        throw new Error("outer", { cause: new TypeError("inner", { cause: { depth: 2 } }) });
      case "properties":
        throw Object.assign(new Error("with properties"), {
          code: "E_CODE",
          detail: { a: [1] },
          bad: Promise.resolve(),
        });
      case "primitive":
        throw "just text";
      case "object":
        throw { reason: "an object", list: [1] };
      case "undefined":
        throw undefined;
      case "overloaded":
        throw Object.assign(new Error("too much"), { overloaded: true });
      default:
        throw new Error("plain");
    }
  }
}

onBothTransports("d. Promises, pipelining, errors", { default: Api }, (stage) => {
  beforeEach(() => {
    gate = deferred();
  });
  afterEach(async () => {
    gate.resolve();
    await stage.idle();
  });

  item("d.1", () => {
    it("rejects where it could throw", async () => {
      const call = stage.api.echo(Symbol("q"));
      const error = await failure(call);
      expect(error.name).to.equal("DataCloneError");
    });

    it("fetches a property only when it is awaited", async () => {
      const property = stage.api.nowhere;
      await new Promise((done) => setTimeout(done, 5));
      await expectTypeError(property, 'The RPC receiver does not implement the method "nowhere".');
    });
  });

  item("d.2", () => {
    it("pipelines a chain of calls and a property at its end", async () => {
      using one = stage.api.slowChain();
      using two = one.next();
      using three = two.next();
      const length = three.length;
      gate.resolve();
      expect(await length).to.equal(2);
    });

    it("pipelines through the objects and functions of a result, before and after it is there", async () => {
      using result = stage.api.object();
      expect(await result.inner.greet("Ada")).to.equal("Hello, Ada");
      expect(await result.inner.chain.length).to.equal(5);
      await result;
      expect(await result.inner.greet("Bob")).to.equal("Hello, Bob");
      using greeter = stage.api.greeter();
      expect(await greeter("Eve")).to.equal("Hello, Eve");
    });

    it("gives the same object each time it is awaited", async () => {
      using result = stage.api.object();
      const first = await result;
      expect(await result).to.equal(first);
    });

    it("does not pipeline through arrays, maps, dates and numbers while they are pending", async () => {
      for (const name of ["list", "map", "date", "slowNumber"]) {
        const call = stage.api[name]();
        const pipelined = call.x();
        gate.resolve();
        await expectTypeError(pipelined, 'The RPC receiver does not implement the method "x".');
        await call;
      }
    });

    it("says of a number that has arrived that it is no object", async () => {
      const call = stage.api.number();
      expect(await call).to.equal(7);
      const text = "Can't pipeline on RPC that did not return an object.";
      expect((await failure(call.x())).message).to.equal(text);
    });
  });

  item("d.3", () => {
    it("fails what is pipelined on a call that fails with the same error", async () => {
      const call = stage.api.slowFailure();
      const pipelined = call.x.y();
      gate.resolve();
      const [first, second] = [await failure(call), await failure(pipelined)];
      for (const error of [first, second]) {
        expect(error).to.be.instanceOf(RangeError);
        expect(error.message).to.equal("out of range");
      }
    });

    it("awaits a promise that the callee returns", async () => {
      expect(await stage.api.returnsPromise(async () => "awaited")).to.equal("awaited");
    });

    it("passes a promise as an argument: the receiver sees a promise for the value", async () => {
      using chain = stage.api.slowChain();
      using next = chain.next();
      const length = stage.api.lengthOf(next);
      gate.resolve();
      expect(await length).to.equal(1);
    });

    it("passes a promise within a value", async () => {
      const number = stage.api.slowNumber();
      const resolved = stage.api.resolveNested({ promised: number });
      gate.resolve();
      expect(await resolved).to.equal(7);
    });

    it("passes the failure of a promise that was passed", async () => {
      const failing = stage.api.slowFailure();
      const resolved = stage.api.resolveNested({ promised: failing });
      gate.resolve();
      expect((await failure(resolved)).message).to.equal("out of range");
      await failure(failing);
    });
  });

  item("d.4", () => {
    for (const kind of ["TypeError", "RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError"]) {
      it(`keeps ${kind}`, async () => {
        const error = await failure(stage.api.throwError(kind));
        expect(error.constructor.name).to.equal(kind);
        expect(error.message).to.equal(kind.replace("Error", "").toLowerCase());
        expect(error.remote).to.equal(true);
      });
    }

    it("keeps the errors of an AggregateError", async () => {
      const error = await failure(stage.api.throwError("AggregateError"));
      expect(error).to.be.instanceOf(AggregateError);
      expect(error.errors[0]).to.be.instanceOf(TypeError);
      expect(error.errors[1].message).to.equal("second");
    });

    it("drops those of an AggregateError's errors that cannot be sent, and those alone", async () => {
      const error = await failure(stage.api.throwError("mixed errors"));
      expect(error.errors).to.have.length(2);
      expect(error.errors[0]).to.be.instanceOf(TypeError);
      expect(error.errors[1]).to.equal("third");
    });

    it("keeps causes of causes", async () => {
      const error = await failure(stage.api.throwError("cause"));
      expect(error.cause).to.be.instanceOf(TypeError);
      expect(error.cause.message).to.equal("inner");
      expect(error.cause.cause).to.deep.equal({ depth: 2 });
    });

    it("makes of a subclass an Error with its name", async () => {
      const error = await failure(stage.api.throwError("CustomError"));
      expect(error.constructor).to.equal(Error);
      expect(error).to.include({ name: "CustomError", message: "custom", code: 42 });
    });

    it("keeps name and code of a DOMException", async () => {
      const error = await failure(stage.api.throwError("DOMException"));
      expect(error).to.be.instanceOf(DOMException);
      expect(error).to.include({ name: "AbortError", code: 20, message: "not now" });
    });

    it("drops those properties that cannot be sent, and those alone", async () => {
      const error = await failure(stage.api.throwError("properties"));
      expect(error.code).to.equal("E_CODE");
      expect(error.detail).to.deep.equal({ a: [1] });
      expect("bad" in error).to.equal(false);
    });

    it("makes an Error of a thrown primitive, and keeps a thrown object", async () => {
      expect(await failure(stage.api.throwError("primitive"))).to.include({ name: "Error", message: "just text" });
      expect((await failure(stage.api.throwError("undefined"))).message).to.equal("undefined");
      expect(await failure(stage.api.throwError("object"))).to.deep.include({ reason: "an object", list: [1] });
    });

    it("does not send the callee's stack", async () => {
      const error = await failure(stage.api.throwError("plain"));
      expect(error.stack).to.not.contain("throwError");
    });
  });

  item("d.4", () => {
    it("sends the callee's stack where the host wants it", async () => {
      await using host = await serve({
        port: 0,
        sendStacks: true,
        workers: [{ name: "callee", module: { default: Api } }],
      });
      using link = connect(host.url);
      const error = await failure((link.service("callee") as Untyped).throwError("plain"));
      expect(error.stack).to.contain("throwError");
    });
  });

  item("d.5", () => {
    it("marks overload", async () => {
      expect(await failure(stage.api.throwError("overloaded"))).to.include({ overloaded: true, remote: true });
    });

    it("marks a lost link as retryable", async () => {
      await using host = await serve({ port: 0, workers: [{ name: "callee", module: { default: Api } }] });
      const link = connect(host.url);
      const call = failure((link.service("callee") as Untyped).slowNumber());
      link.close();
      expect(await call).to.include({ retryable: true });
    });
  });
});
