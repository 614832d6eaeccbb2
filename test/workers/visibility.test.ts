// Section b: what is callable.
import { expect } from "chai";
import { RpcTarget, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { callPath } from "./support/raw-call.ts";
import { expectTypeError, failure, item, onBothTransports, type Untyped } from "./support/transports.ts";

class Base extends RpcTarget {
  inherited(): string {
    return "inherited";
  }
}

class Target extends Base {
  static shared = (): string => "static";
  readonly own = "own";
  readonly arrow = (): string => "arrow";
  #secret(): string {
    return "secret";
  }
  get getter(): string {
    return "got";
  }
  get nested(): object {
    return { deep: { method: () => "deep", value: 1 } };
  }
  get instance(): object {
    return new NoTarget();
  }
  get bare(): object {
    return Object.assign(Object.create(null), { x: 1 });
  }
  override toString(): string {
    return `overridden${this.#secret().length}`;
  }
  method(): string {
    return "method";
  }
  explode(): void {
    throw new Error("exploded");
  }
  dup(): Target {
    return this;
  }
}

class NoTarget {
  method(): string {
    return "never";
  }
}

class Api extends WorkerEntrypoint {
  readonly arrow = (): string => "arrow";
  #target = new Target();
  get number(): number {
    return 5;
  }
  get target(): Target {
    return this.#target;
  }
  get absent(): undefined {
    return undefined;
  }
  override get valueOf(): undefined {
    return undefined;
  }
  get list(): unknown[] {
    return [() => 1];
  }
  method(): string {
    return "method";
  }
  plain(): object {
    return { value: 1, method: () => "method", toString: () => "own", inner: { value: 2 } };
  }
  callable(): unknown {
    return Object.assign((n: number) => n + 1, { own: "property", more: () => "more" });
  }
  nothing(): void {}
  // Names that mean something to other runtimes' events.
  queue(): string {
    return "queue";
  }
  scheduled(): string {
    return "scheduled";
  }
  tail(): string {
    return "tail";
  }
  test(): string {
    return "test";
  }
  email(): string {
    return "email";
  }
  catch(): string {
    return "catch";
  }
  finally(): string {
    return "finally";
  }
  get(): string {
    return "get";
  }
  put(): string {
    return "put";
  }
  delete(): string {
    return "delete";
  }
  override fetch(): Response {
    return new Response();
  }
  override connect(): void {}
  alarm(): void {}
  webSocketMessage(): void {}
  webSocketClose(): void {}
  webSocketError(): void {}
  dup(): void {}
}

const missing = (name: string): string => `The RPC receiver does not implement the method "${name}".`;
const reserved = (name: string): string => `'${name}' is a reserved method and cannot be called over RPC.`;

onBothTransports("b. What is callable", { default: Api }, (stage) => {
  item("b.1", () => {
    it("shows methods and getters of the prototype, inherited ones too", async () => {
      using target = await stage.api.target;
      expect(await target.method()).to.equal("method");
      expect(await target.inherited()).to.equal("inherited");
      expect(await target.getter).to.equal("got");
      expect(await stage.api.number).to.equal(5);
    });

    it("hides own properties of instances", async () => {
      using target = await stage.api.target;
      for (const name of ["own", "arrow"]) await expectTypeError(target[name], missing(name));
      await expectTypeError(stage.api.arrow(), missing("arrow"));
    });

    it("shows own properties of plain objects and functions only", async () => {
      using plain = stage.api.plain();
      expect(await plain.value).to.equal(1);
      expect(await plain.method()).to.equal("method");
      await expectTypeError(plain.nowhere, missing("nowhere"));
      using callable = await stage.api.callable();
      expect(await callable(1)).to.equal(2);
      expect(await callable.own).to.equal("property");
      expect(await callable.more()).to.equal("more");
      await expectTypeError(callable.bind(), missing("bind"));
    });
  });

  item("b.2", () => {
    it("takes a getter that gives undefined for missing", async () => {
      await expectTypeError(stage.api.absent, missing("absent"));
      expect((await failure(callPath(stage.host.url, ["valueOf"]))).message).to.contain(missing("valueOf"));
    });

    it("names the method that is missing", async () => {
      await expectTypeError(stage.api.nowhere(), missing("nowhere"));
      await expectTypeError(stage.api.nowhere, missing("nowhere"));
    });

    it("names the segment of the path that is missing", async () => {
      await expectTypeError(stage.api.target.nested.deep.lost.method(), missing("lost"));
      await expectTypeError(stage.api.nowhere.method(), missing("nowhere"));
    });

    it("says the same of private methods and statics", async () => {
      using target = await stage.api.target;
      await expectTypeError(target["#secret"](), missing("#secret"));
      await expectTypeError(target.shared(), missing("shared"));
    });
  });

  item("b.3", () => {
    it("tells the whole path to what is no function", async () => {
      await expectTypeError(stage.api.number(), '"number" is not a function.');
      await expectTypeError(stage.api.target.nested.deep.value(), '"target.nested.deep.value" is not a function.');
    });

    it("calls the target itself (this)", async () => {
      using plain = stage.api.plain();
      await expectTypeError(plain(), '"(this)" is not a function.');
      using target = await stage.api.target;
      await expectTypeError(target(), '"(this)" is not a function.');
    });
  });

  item("b.4", () => {
    it("refuses the names of events, dup and constructor on entrypoints", async () => {
      for (const name of ["alarm", "webSocketMessage", "webSocketClose", "webSocketError"]) {
        await expectTypeError(stage.api[name](), reserved(name));
      }
      // Those that a binding keeps to itself.
      for (const name of ["fetch", "connect", "dup", "constructor"]) {
        expect((await failure(callPath(stage.host.url, [name]))).message).to.contain(reserved(name));
      }
    });

    it("refuses dup and constructor on targets, also deep in a path", async () => {
      await expectTypeError(stage.api.target.dup(), reserved("dup"));
      // Stubs keep it to themselves.
      for (const path of [
        ["target", "constructor"],
        ["target", "nested", "constructor"],
      ]) {
        expect((await failure(callPath(stage.host.url, path))).message).to.contain(reserved("constructor"));
      }
    });
  });

  item("b.5", () => {
    for (const name of ["queue", "scheduled", "tail", "test", "email", "catch", "finally", "get", "put", "delete"]) {
      it(`calls ${name}() like any other method`, async () => {
        expect(await stage.api[name]()).to.equal(name);
      });
    }
  });

  item("b.6", () => {
    it("does not implement __proto__", async () => {
      // A stub would keep the name to itself: ask as a foreign peer could.
      for (const path of [["__proto__"], ["target", "__proto__", "constructor"]]) {
        expect((await failure(callPath(stage.host.url, path))).message).to.contain(missing("__proto__"));
      }
    });
  });

  item("b.7", () => {
    it("stops at instances of other classes and at objects without a prototype", async () => {
      await expectTypeError(stage.api.target.instance.method(), missing("method"));
      await expectTypeError(stage.api.target.bare.x, missing("x"));
      await expectTypeError(stage.api.list.length, missing("length"));
    });
  });

  item("b.8", () => {
    it("has no then on bindings and stubs", async () => {
      expect(stage.api.then).to.equal(undefined);
      using target = await stage.api.target;
      expect(target.then).to.equal(undefined);
    });

    it("keeps symbols, integer-like keys and Object.prototype's names local", async () => {
      using target = await stage.api.target;
      for (const thing of [stage.api, target]) {
        expect(thing[Symbol.iterator]).to.equal(undefined);
        expect(thing[0]).to.equal(undefined);
        expect(thing["12"]).to.equal(undefined);
        expect(thing.hasOwnProperty).to.equal(Object.prototype.hasOwnProperty);
      }
    });

    it("claims every name and lists none", async () => {
      using target = await stage.api.target;
      for (const thing of [stage.api, target]) {
        expect("anything" in thing).to.equal(true);
        expect(Object.keys(thing)).to.deep.equal([]);
      }
    });

    it("is an object as a binding, and a function as stub, promise and property", async () => {
      using target = await stage.api.target;
      using call = stage.api.plain();
      expect([typeof stage.api, typeof target, typeof call, typeof stage.api.number]).to.deep.equal([
        "object",
        "function",
        "function",
        "function",
      ]);
    });

    it("has catch and finally of its own on promises", async () => {
      expect(await stage.api.nowhere().catch((error: Error) => error.name)).to.equal("TypeError");
      let ran = 0;
      await stage.api.method().finally(() => ran++);
      expect(ran).to.equal(1);
    });

    it("keeps the target of a method that was taken off it", async () => {
      const { method } = stage.api;
      expect(await method()).to.equal("method");
      using target = await stage.api.target;
      const inherited = target.inherited;
      expect(await inherited()).to.equal("inherited");
    });
  });

  item("b.9", () => {
    it("refuses the 65th property of a chain", async () => {
      let at: Untyped = stage.api;
      for (let depth = 0; depth < 64; depth++) at = at.x;
      expect(() => at.x).to.throw(Error, "RPC pipelined property path is too deep (max 64).");
    });
  });
});
