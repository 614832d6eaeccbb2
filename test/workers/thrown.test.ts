// Section d: what Workers throw that is unlike an error, or fights being read.
import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";
import { RpcTarget, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { deferred, eventually, failure, item, onBothTransports, type Untyped } from "./support/transports.ts";

const MAX_BYTES = 100_000;

let gate = deferred();
const notes: string[] = [];

function refusing(part: string): object {
  return Object.defineProperty(new Error("x"), part, {
    get() {
      throw new Error("not to be read");
    },
  });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** What is thrown, by name. */
const THROWN: { readonly [name: string]: () => unknown } = {
  name: () => refusing("name"),
  message: () => refusing("message"),
  retryable: () => refusing("retryable"),
  overloaded: () => refusing("overloaded"),
  stack: () => refusing("stack"),
  "revoked proxy": revoked,
  "proxy without a prototype": () =>
    new Proxy(
      {},
      {
        getPrototypeOf() {
          throw new Error("not to be read");
        },
      },
    ),
  symbol: () => Symbol("q"),
  "symbol message": () => Object.assign(new Error(), { message: Symbol("q") }),
  function: () => function secret() {},
  "null prototype": () => Object.create(null),
  "long message": () => new Error("x".repeat(2 * MAX_BYTES)),
  "object with a function": () => ({ code: 7, call() {}, list: [1] }),
  "large property": () => Object.assign(new Error("large"), { code: 7, large: new Uint8Array(2 * MAX_BYTES), last: 1 }),
  "large text": () => Object.assign(new Error("large"), { large: "x".repeat(2 * MAX_BYTES), last: 1 }),
  "many objects": () => Object.assign(new Error("many"), { many: Array.from({ length: 2000 }, () => []), last: 1 }),
  "large object": () => ({ code: 7, large: new Uint8Array(2 * MAX_BYTES) }),
  DOMException: () =>
    Object.assign(new DOMException("m", "NotFoundError"), { code2: 5, bad: Promise.resolve(), at: new Date(0) }),
  "DOMException's cause": () =>
    Object.defineProperty(new DOMException("m", "AbortError"), "cause", { value: new RangeError("why") }),
  "plain DOMException": () => new DOMException("m", "AbortError"),
};

class Target extends RpcTarget {
  x(): void {}
}

class Api extends WorkerEntrypoint {
  throwNow(name: string): never {
    throw THROWN[name]?.();
  }
  async throwLater(name: string): Promise<never> {
    throw THROWN[name]?.();
  }
  async throwWithCallback(name: string, _callback: Untyped): Promise<never> {
    throw THROWN[name]?.();
  }
  abort(name: string): Promise<void> {
    this.ctx.abort(THROWN[name]?.());
    return new Promise(() => {});
  }
  tooLarge(): unknown {
    return new Uint8Array(2 * MAX_BYTES);
  }
  target(): Target {
    return new Target();
  }
  note(text: string): void {
    notes.push(text);
  }
  ping(): string {
    return "pong";
  }
  async hold(): Promise<void> {
    await gate.promise;
  }
}

const module = { default: Api };
const limits = { value: { maxBytes: MAX_BYTES, maxObjects: 1000 } };

onBothTransports(
  "d. What is thrown",
  module,
  (stage) => {
    item("d.4", () => {
      for (const name of Object.keys(THROWN)) {
        it(`answers a call that throws: ${name}`, async () => {
          expect(await failure(stage.api.throwNow(name))).to.include({ remote: true });
          expect(await failure(stage.api.throwLater(name))).to.include({ remote: true });
          expect(await failure(stage.api.throwWithCallback(name, () => {}))).to.include({ remote: true });
          expect(await failure(stage.api.abort(name))).to.include({ remote: true });
          expect(await stage.api.ping()).to.equal("pong");
          await stage.idle();
        });
      }

      it("keeps the message where the name cannot be read, and the other way round", async () => {
        expect((await failure(stage.api.throwNow("name"))).message).to.equal("x");
        expect(await failure(stage.api.throwNow("message"))).to.be.instanceOf(Error);
      });

      it("makes an Error of a symbol, and does not tell the source of a function", async () => {
        expect((await failure(stage.api.throwNow("symbol"))).message).to.equal("Symbol(q)");
        expect((await failure(stage.api.throwNow("function"))).message).to.not.contain("secret");
      });

      it("drops of a thrown object what cannot be sent, and that alone", async () => {
        const thrown = await failure(stage.api.throwNow("object with a function"));
        expect(thrown).to.deep.equal({ code: 7, list: [1], remote: true });
      });

      for (const name of ["large property", "large text", "many objects"]) {
        it(`drops a property over the limit, and that alone: ${name}`, async () => {
          const error = await failure(stage.api.throwNow(name));
          expect(Object.keys(error))
            .to.include("last")
            .and.to.not.include.members([name.split(" ")[0]]);
          expect(error.message).to.equal(name.split(" ")[0]);
          expect(await failure(stage.api.throwNow("large object"))).to.deep.equal({ code: 7, remote: true });
        });
      }

      it("keeps the start of a message over the limit", async () => {
        expect((await failure(stage.api.throwNow("long message"))).message).to.match(/^x{1000,}$/);
      });

      it("keeps the properties and the cause of a DOMException", async () => {
        const error = await failure(stage.api.throwNow("DOMException"));
        expect(error).to.be.instanceOf(DOMException);
        expect(error).to.include({ name: "NotFoundError", code: 8, message: "m", code2: 5 });
        expect(error.at).to.deep.equal(new Date(0));
        expect("bad" in error).to.equal(false);
        const { cause } = await failure(stage.api.throwNow("DOMException's cause"));
        expect(cause).to.be.instanceOf(RangeError);
        expect(cause.message).to.equal("why");
      });

      for (const name of ["DOMException", "plain DOMException", "DOMException's cause"]) {
        it(`does not send the callee's stack: ${name}`, async () => {
          const error = await failure(stage.api.throwNow(name));
          expect(String(error.stack)).to.not.contain("throwNow");
        });
      }
    });

    item("d.5", () => {
      it("marks what goes wrong with a result remote", async () => {
        const error = await failure(stage.api.tooLarge());
        expect(error.message).to.contain("Serialized RPC arguments or return values are limited to");
        expect(error.remote).to.equal(true);
      });
    });
  },
  { limits },
);

onBothTransports(
  "d. Overload",
  module,
  (stage) => {
    item("d.5", () => {
      it("marks a refusal of the callee's host remote and overloaded", async () => {
        gate = deferred();
        const held = [stage.api.hold(), stage.api.ping(), stage.api.ping()];
        expect(await failure(stage.api.ping())).to.include({ remote: true, overloaded: true });
        gate.resolve();
        await Promise.all(held);
      });
    });

    item("e.9", () => {
      it("does not start a call that was cancelled while it waited, and starts the next", async () => {
        gate = deferred();
        const held = stage.api.hold();
        const waiting = stage.api.note("cancelled");
        const next = stage.api.note("next");
        await new Promise((done) => setTimeout(done, 10));
        waiting[Symbol.dispose]();
        await new Promise((done) => setTimeout(done, 10));
        gate.resolve();
        await Promise.all([held, next]);
        expect(notes).to.deep.equal(["next"]);
        await stage.api.note("last");
        expect(notes.splice(0)).to.deep.equal(["next", "last"]);
      });
    });

    item("e.8", () => {
      it("tells listeners why as calls are told", async () => {
        const link = connect(stage.host.url);
        const heard: Untyped[] = [];
        link.onBroken((error) => heard.push(error));
        const target = await (link.service("callee") as Untyped).target();
        target.onRpcBroken((error: unknown) => heard.push(error));
        link.close();
        await eventually(() => heard.length === 2);
        for (const error of heard) {
          expect(error.constructor).to.equal(Error);
          expect(error).to.include({ retryable: true });
        }
        await stage.idle();
      });
    });
  },
  { limits: { maxConcurrentInvocations: 1, maxWaitingInvocations: 2 } },
);
