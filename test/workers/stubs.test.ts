// Section e: stubs, who owns them, and when they end.
import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";
import { RpcTarget, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { deferred, eventually, failure, item, onBothTransports, type Untyped } from "./support/transports.ts";

const log: string[] = [];
let gate = deferred();
let kept: Untyped;

class Counter extends RpcTarget {
  #count = 0;
  increment(by = 1): number {
    this.#count += by;
    return this.#count;
  }
  async slow(): Promise<string> {
    await gate.promise;
    return "slow";
  }
  async append(text: string): Promise<void> {
    log.push(text);
  }
  [Symbol.dispose](): void {
    log.push("counter disposed");
  }
}

class Api extends WorkerEntrypoint {
  counter(): Counter {
    return new Counter();
  }
  pair(): object {
    return { left: new Counter(), right: { deep: new Counter() } };
  }
  closable(): object {
    return { open: true, [Symbol.dispose]: () => log.push("result disposed") };
  }
  async use(callback: Untyped): Promise<unknown> {
    return await callback("used");
  }
  hold(callback: Untyped): string {
    kept = callback;
    return "held";
  }
  holdCopy(callback: Untyped): Counter {
    kept = callback.dup();
    return new Counter();
  }
  async useKept(): Promise<unknown> {
    return await kept("kept");
  }
  passBack(stub: Untyped): unknown {
    return stub.dup();
  }
  same(a: unknown, b: { readonly c: unknown }): boolean {
    return a === b.c;
  }
  throwing(): object {
    return {
      target: () => 1,
      [Symbol.dispose]: () => {
        throw new RangeError("thrown by a disposer");
      },
    };
  }
  async forgetWriter(stream: WritableStream<unknown>): Promise<void> {
    await stream.getWriter().write("first");
  }
  fail(_callback: unknown): void {
    throw new Error("failed");
  }
  async hang(): Promise<void> {
    this.ctx.signal.addEventListener("abort", () => log.push("cancelled"));
    log.push("hanging");
    await new Promise(() => {});
  }
}

/** A function that tells when its last reference is gone. */
function callback(name: string): Untyped {
  return Object.assign((text: string) => `${name} ${text}`, { [Symbol.dispose]: () => log.push(`${name} disposed`) });
}

onBothTransports("e. Stubs", { default: Api }, (stage) => {
  beforeEach(() => {
    log.length = 0;
    gate = deferred();
  });
  afterEach(async () => {
    gate.resolve();
    await stage.idle();
  });

  item("e.1", () => {
    it("disposes once, however often it is asked", async () => {
      const counter = await stage.api.counter();
      counter[Symbol.dispose]();
      counter[Symbol.dispose]();
      await eventually(() => log.length > 0);
      expect(log).to.deep.equal(["counter disposed"]);
    });

    it("refuses calls on a disposed stub", async () => {
      const counter = await stage.api.counter();
      counter[Symbol.dispose]();
      expect((await failure(counter.increment())).message).to.equal("RPC stub used after being disposed.");
    });

    it("refuses calls on a disposed promise, and awaiting it", async () => {
      const call = stage.api.counter();
      call[Symbol.dispose]();
      expect((await failure(call.increment())).message).to.equal("RPC promise used after being disposed.");
      expect((await failure(call)).message).to.equal("RPC promise used after being disposed.");
    });
  });

  item("e.2", () => {
    it("disposes of every stub in a result with the result", async () => {
      const pair = await stage.api.pair();
      expect(Object.keys(pair)).to.deep.equal(["left", "right"]);
      expect(await pair.right.deep.increment()).to.equal(1);
      pair[Symbol.dispose]();
      await eventually(() => log.length === 2);
      expect((await failure(pair.left.increment())).message).to.equal("RPC stub used after being disposed.");
    });

    it("disposes of a result with the promise that gave it", async () => {
      {
        using call = stage.api.pair();
        expect(await call.left.increment()).to.equal(1);
        await call;
      }
      await eventually(() => log.length === 2);
    });
  });

  item("e.3", () => {
    it("keeps the object until all its handles are disposed of", async () => {
      const first = await stage.api.counter();
      const second = first.dup();
      first[Symbol.dispose]();
      expect(await second.increment(2)).to.equal(2);
      expect(log).to.deep.equal([]);
      second[Symbol.dispose]();
      await eventually(() => log.length === 1);
    });

    it("offers neither dup nor a disposer on bindings", () => {
      expect(stage.api.dup).to.equal(undefined);
      expect(stage.api[Symbol.dispose]).to.equal(undefined);
    });
  });

  item("e.4", () => {
    it("ends a parameter's stub with the call", async () => {
      expect(await stage.api.hold(callback("c"))).to.equal("held");
      await eventually(() => log.length === 1);
      expect(log).to.deep.equal(["c disposed"]);
      expect((await failure(kept("late"))).message).to.equal("RPC stub used after being disposed.");
    });

    it("ends a parameter's stub with a call that fails", async () => {
      await failure(stage.api.fail(callback("c")));
      await eventually(() => log.length === 1);
    });

    it("lets the callee keep a duplicate", async () => {
      const counter = await stage.api.holdCopy(callback("c"));
      expect(await stage.api.useKept()).to.equal("c kept");
      expect(log).to.deep.equal([]);
      counter[Symbol.dispose]();
      await eventually(() => log.includes("c disposed"));
    });

    it("leaves the sender's own stub usable", async () => {
      using counter = await stage.api.counter();
      using back = await stage.api.passBack(counter);
      expect(await back.increment(3)).to.equal(3);
      expect(await counter.increment(1)).to.equal(4);
    });

    it("disposes of a target once for each time it was sent", async () => {
      const c = callback("c");
      await stage.api.use(c);
      await stage.api.use(c);
      await eventually(() => log.length === 2);
      expect(log).to.deep.equal(["c disposed", "c disposed"]);
    });

    it("sends the duplicate of a target that has dup(), and disposes of that", async () => {
      class Shared extends RpcTarget {
        dup(): Shared {
          log.push("dup");
          return new Shared();
        }
        [Symbol.dispose](): void {
          log.push("dispose");
        }
      }
      await stage.api.hold({ shared: new Shared() });
      await eventually(() => log.length === 2);
      expect(log).to.deep.equal(["dup", "dispose"]);
    });

    it("makes one stub of what is in a message twice", async () => {
      const c = callback("c");
      expect(await stage.api.same(c, { c })).to.equal(true);
      await eventually(() => log.length === 1);
    });
  });

  item("e.5", () => {
    it("runs the returned object's own disposer when the result is disposed of", async () => {
      const result = await stage.api.closable();
      expect(result).to.deep.equal({ open: true });
      expect(log).to.deep.equal([]);
      result[Symbol.dispose]();
      result[Symbol.dispose]();
      await eventually(() => log.length > 0);
      expect(log).to.deep.equal(["result disposed"]);
    });
  });

  item("e.7", () => {
    it("keeps the order of calls, pipelined ones before the stub is there included", async () => {
      using counter = stage.api.counter();
      const calls = [];
      for (let n = 0; n < 20; n++) calls.push(counter.append(`early ${n}`));
      const stub = await counter;
      for (let n = 0; n < 20; n++) calls.push((n % 2 === 0 ? stub : counter).append(`late ${n}`));
      await Promise.all(calls);
      expect(log).to.deep.equal([
        ...Array.from({ length: 20 }, (_, n) => `early ${n}`),
        ...Array.from({ length: 20 }, (_, n) => `late ${n}`),
      ]);
    });

    it("lets calls finish that were in flight when the stub was disposed of", async () => {
      const counter = await stage.api.counter();
      const slow = counter.slow();
      counter[Symbol.dispose]();
      gate.resolve();
      expect(await slow).to.equal("slow");
    });
  });

  item("e.8", () => {
    it("tells once that the object is out of reach, after pending calls were rejected", async () => {
      const link = connect(stage.host.url);
      const counter = await (link.service("callee") as Untyped).counter();
      const order: string[] = [];
      counter.onRpcBroken(() => order.push("broken"));
      const unwanted = counter.onRpcBroken(() => order.push("unwanted"));
      unwanted[Symbol.dispose]();
      const pending = failure(counter.slow()).then(() => order.push("rejected"));
      link.close();
      await pending;
      await eventually(() => order.length === 2);
      expect(order).to.have.members(["rejected", "broken"]);
    });
  });

  item("e.5", () => {
    it("reports what a disposer throws, and goes on", async () => {
      const result = await stage.api.throwing();
      result[Symbol.dispose]();
      await eventually(() => stage.reports.length === 1);
      expect((stage.reports[0] as Error).message).to.equal("thrown by a disposer");
      await stage.idle();
    });
  });

  item("e.4", () => {
    it("breaks a stream that the callee left unclosed when its invocation ends", async () => {
      const written: unknown[] = [];
      let reason: Untyped;
      const stream = new WritableStream({
        write: (chunk) => void written.push(chunk),
        abort: (why) => void (reason = why),
      });
      await stage.api.forgetWriter(stream);
      await eventually(() => reason !== undefined);
      expect(written).to.deep.equal(["first"]);
      expect(reason.message).to.equal("The writer of this stream is gone.");
    });
  });

  item("e.9", () => {
    it("cancels a pending call whose promise is disposed of", async () => {
      const call = stage.api.hang();
      await eventually(() => log.length === 1);
      call[Symbol.dispose]();
      await eventually(() => log.length === 2);
      expect(log).to.deep.equal(["hanging", "cancelled"]);
    });
  });
});
