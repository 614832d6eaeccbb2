// Sections a and e: what keeps an invocation open, whatever it was wrapped in or came from.
import { expect } from "chai";
import { RpcStub } from "../../packages/client/src/index.ts";
import { RpcTarget, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { Counter, events } from "./support/counter.ts";
import { deferred, eventually, failure, item, onBothTransports, type Untyped } from "./support/transports.ts";

let gate = deferred();
let kept: Untyped;

class Beyond extends WorkerEntrypoint {
  counter(): Counter {
    return new Counter();
  }
  keep(callback: Untyped): void {
    kept = callback.dup();
    this.ctx.waitUntil(gate.promise);
  }
}

class Session extends RpcTarget {
  readonly #counter: Untyped;
  constructor(counter: Untyped) {
    super();
    this.#counter = counter;
  }
  next(): unknown {
    return this.#counter.increment();
  }
  twin(): Session {
    return new Session(this.#counter.dup());
  }
  [Symbol.dispose](): void {
    events.push("session disposed");
  }
}

class Api extends WorkerEntrypoint<{ readonly BEYOND: Untyped }> {
  counter(): Counter {
    return new Counter();
  }
  async laterCounter(): Promise<Counter> {
    await null;
    return new Counter();
  }
  get property(): Counter {
    events.push("property read");
    return new Counter();
  }
  ignore(..._values: Untyped[]): void {}
  note(): void {
    events.push("noted");
  }
  refused(): object {
    return { property: (this.ctx.exports.default as Untyped).property, symbol: Symbol("q") };
  }
  promised(value: Untyped): object {
    return { promise: value.promise.dup() };
  }
  async open(): Promise<unknown> {
    return new RpcStub(new Session(await this.env.BEYOND.counter()));
  }
  async openTwin(): Promise<unknown> {
    const stub = new RpcStub(new Session(await this.env.BEYOND.counter())) as Untyped;
    return { twin: await stub.twin() };
  }
  async wrapAgain(): Promise<number> {
    const stub = new RpcStub(await this.env.BEYOND.counter()) as Untyped;
    return await stub.increment();
  }
  async subscribe(callback: Untyped): Promise<unknown> {
    kept = callback.dup();
    return this.env.BEYOND.counter();
  }
  async subscribeWithin(callback: Untyped): Promise<unknown> {
    kept = callback.dup();
    return { counter: await this.env.BEYOND.counter() };
  }
  echo(callback: Untyped): unknown {
    kept = callback.dup();
    return callback.dup();
  }
  async handOut(): Promise<void> {
    const counter = await this.env.BEYOND.counter();
    await this.env.BEYOND.keep(new RpcStub(() => counter.increment()));
  }
}

onBothTransports(
  "a. What belongs to an invocation",
  { default: Api },
  (stage) => {
    beforeEach(() => {
      gate = deferred();
      events.length = 0;
    });

    item("a.5", () => {
      it("stays open for a stub of its own that it returned", async () => {
        const session = await stage.api.open();
        expect(await session.next()).to.equal(1);
        expect(await session.next()).to.equal(2);
        session[Symbol.dispose]();
        await stage.idle();
        expect(events).to.have.members(["session disposed", "counter disposed"]);
      });

      it("stays open for what came out of a stub of its own", async () => {
        const result = await stage.api.openTwin();
        expect(await result.twin.next()).to.equal(1);
        result[Symbol.dispose]();
        await stage.idle();
      });

      it("gives back a stub that it wrapped again", async () => {
        expect(await stage.api.wrapAgain()).to.equal(1);
        await stage.idle();
        await eventually(() => events.includes("counter disposed"));
      });

      it("ends though the value of a property was sent that nobody read", async () => {
        await stage.api.ignore(stage.api.property);
        await stage.idle();
      });
    });

    item("c.4", () => {
      it("reads no property beside something that cannot be sent", async () => {
        for (const args of [
          [stage.api.property, Symbol("q")],
          [Symbol("q"), stage.api.property],
          [new Blob(["text"]), stage.api.property, Symbol("q")],
        ]) {
          expect((await failure(stage.api.ignore(...args))).message).to.equal("Symbol(q) could not be cloned.");
        }
        expect((await failure(stage.api.refused())).message).to.equal("Symbol(q) could not be cloned.");
        await stage.api.ignore();
        await stage.idle();
        expect(events).to.deep.equal([]);
      });

      it("reads a property once where it goes beside a Blob or a stream", async () => {
        const call = stage.api.ignore(new Blob(["text"]), stage.api.property, new Blob(["more"]));
        await stage.api.note();
        await call;
        await stage.idle();
        expect(events.filter((event) => event !== "counter disposed")).to.deep.equal(["property read", "noted"]);
        const result = await stage.api.promised({ promise: stage.api.property, body: new Blob(["x"]).stream() });
        expect(await (await result.promise).increment()).to.equal(1);
        result[Symbol.dispose]();
        await stage.idle();
        expect(events.filter((event) => event === "property read")).to.have.length(2);
      });
    });

    item("e.4", () => {
      it("holds no more than the capability of a property that was wrapped", async () => {
        const stub = new RpcStub(stage.api.property) as Untyped;
        expect(await stub.increment()).to.equal(1);
        stub[Symbol.dispose]();
        await stage.idle();
      });
    });

    item("e.9", () => {
      for (const method of ["counter", "laterCounter"]) {
        it(`gives back what is under way when its promise is disposed of: ${method}`, async () => {
          for (let turns = 0; turns < 12; turns++) {
            const call = stage.api[method]();
            call.catch(() => {});
            for (let turn = 0; turn < turns; turn++) await null;
            call[Symbol.dispose]();
            await stage.idle();
          }
        });
      }
    });

    item("a.6", () => {
      it("stays open as long as a callee holds a stub of its own", async () => {
        await stage.api.handOut();
        expect(await kept()).to.equal(1);
        expect(await kept()).to.equal(2);
        gate.resolve();
        await stage.idle();
        expect(events).to.deep.equal(["counter disposed"]);
      });

      it("stays open as long as the caller holds a stub from elsewhere that it returned", async () => {
        const counter = await stage.api.subscribe(() => "called");
        expect(await kept()).to.equal("called");
        expect(await counter.increment()).to.equal(1);
        expect(await kept()).to.equal("called");
        counter[Symbol.dispose]();
        await stage.idle();
        expect((await failure(kept())).message).to.equal("RPC stub used after being disposed.");
        await eventually(() => events.length === 1);
      });

      for (const [what, dispose] of Object.entries({
        result: (result: Untyped) => result[Symbol.dispose](),
        stub: (result: Untyped) => result.counter[Symbol.dispose](),
      })) {
        it(`stays open for one within a result, until that ${what} is disposed of`, async () => {
          const result = await stage.api.subscribeWithin(() => "called");
          expect(await result.counter.increment()).to.equal(1);
          expect(await kept()).to.equal("called");
          dispose(result);
          await stage.idle();
          await eventually(() => events.length === 1);
        });
      }

      it("does not stay open for the caller's own that it returned", async () => {
        const callback = await stage.api.echo(() => "called");
        await stage.idle();
        expect((await failure(kept())).message).to.equal("RPC stub used after being disposed.");
        expect(await callback()).to.equal("called");
        callback[Symbol.dispose]();
      });
    });
  },
  { beyond: { default: Beyond } },
);
