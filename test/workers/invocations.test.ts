// Section a: what an invocation exchanges through its bindings is part of it, and ends with it.
import { expect } from "chai";
import { type Host, RpcTarget, serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { Counter, events } from "./support/counter.ts";
import { deferred, eventually, failure, item, onBothTransports, type Untyped } from "./support/transports.ts";

let gate = deferred();
let kept: Untyped;

class Beyond extends WorkerEntrypoint {
  counter(): Counter {
    return new Counter();
  }
  async slowCounter(): Promise<Counter> {
    await gate.promise;
    return new Counter();
  }
  owned(): object {
    return { value: 1, [Symbol.dispose]: () => events.push("result disposed") };
  }
  async slowOwned(): Promise<object> {
    await gate.promise;
    return this.owned();
  }
  promised(value: Untyped): object {
    return { promise: value.promise };
  }
  keep(callback: Untyped): void {
    kept = callback.dup();
    this.ctx.waitUntil(gate.promise);
  }
  async hang(_callback?: Untyped): Promise<void> {
    this.#note();
    await gate.promise;
  }
  async slowText(): Promise<string> {
    this.#note();
    await gate.promise;
    return "done";
  }
  override async fetch(): Promise<Response> {
    await this.hang();
    return new Response("answered");
  }
  #note(): void {
    events.push("started");
    this.ctx.signal.addEventListener("abort", () => events.push("cancelled"));
  }
}

class Relay extends RpcTarget {
  readonly #env: { readonly BEYOND: Untyped };
  constructor(env: { readonly BEYOND: Untyped }) {
    super();
    this.#env = env;
  }
  pass(): unknown {
    return this.#env.BEYOND.hang();
  }
}

class Api extends WorkerEntrypoint<{ readonly BEYOND: Untyped; readonly COLOR: string }> {
  async useCounter(): Promise<number> {
    const counter = await this.env.BEYOND.counter();
    return await counter.increment();
  }
  async useExport(): Promise<number> {
    const counter = await (this.ctx.exports.default as Untyped).counter();
    return await counter.increment();
  }
  counter(): Counter {
    return new Counter();
  }
  async useOwned(): Promise<number> {
    return (await this.env.BEYOND.owned()).value;
  }
  async leavePromise(): Promise<void> {
    await this.env.BEYOND.promised({ promise: this.env.BEYOND.counter() });
  }
  forget(method: string): void {
    void this.env.BEYOND[method]();
  }
  async forgetText(): Promise<void> {
    this.env.BEYOND.slowText().then((text: string) => events.push(text));
  }
  async handOut(callback: Untyped): Promise<void> {
    const own = callback.dup();
    await this.env.BEYOND.keep(() => own());
  }
  pass(): unknown {
    return this.env.BEYOND.hang();
  }
  async awaits(): Promise<void> {
    try {
      await this.env.BEYOND.hang(() => {});
    } catch (error) {
      events.push((error as Error).name);
      throw error;
    }
  }
  async fetches(): Promise<string> {
    return await (await this.env.BEYOND.fetch("http://x.test/")).text();
  }
  async withTask(): Promise<void> {
    this.ctx.waitUntil(this.env.BEYOND.slowText().then((text: string) => events.push(text)));
    await gate.promise;
  }
  relay(): Relay {
    return new Relay(this.env);
  }
  envOf(): unknown {
    const { BEYOND, COLOR } = { ...this.env };
    return [Object.keys(this.env), "BEYOND" in this.env, COLOR, BEYOND === this.env.BEYOND];
  }
}

const options = { beyond: { default: Beyond }, vars: { COLOR: "red" } };

onBothTransports(
  "a. Invocations and their bindings",
  { default: Api },
  (stage) => {
    beforeEach(() => {
      gate = deferred();
      events.length = 0;
    });

    item("a.3", () => {
      it("shows variables and bindings alike in env", async () => {
        expect(await stage.api.envOf()).to.deep.equal([["COLOR", "BEYOND"], true, "red", true]);
      });
    });

    item("a.5", () => {
      it("gives back the stubs that it received from a binding", async () => {
        expect(await stage.api.useCounter()).to.equal(1);
        await stage.idle();
        expect(events).to.deep.equal(["counter disposed"]);
      });

      it("gives back those that it received from its own exports", async () => {
        expect(await stage.api.useExport()).to.equal(1);
        await stage.idle();
      });

      it("disposes of the results that it received", async () => {
        expect(await stage.api.useOwned()).to.equal(1);
        await stage.idle();
        expect(events).to.deep.equal(["result disposed"]);
      });

      it("disposes of the promises that it received", async () => {
        await stage.api.leavePromise();
        await stage.idle();
      });

      for (const method of ["slowCounter", "slowOwned"]) {
        it(`gives back what arrives when it has ended: ${method}`, async () => {
          await stage.api.forget(method);
          gate.resolve();
          await stage.idle();
          await eventually(() => events.length === 1);
        });
      }

      it("lets calls that it did not wait for go on", async () => {
        await stage.api.forgetText();
        gate.resolve();
        await eventually(() => events.includes("done"));
        expect(events).to.deep.equal(["started", "done"]);
      });
    });

    item("a.6", () => {
      it("stays open as long as a callee holds a function of its", async () => {
        let disposed = false;
        const callback = Object.assign(() => "called", { [Symbol.dispose]: () => void (disposed = true) });
        await stage.api.handOut(callback);
        expect(await kept()).to.equal("called");
        expect(await kept()).to.equal("called");
        expect(disposed).to.equal(false);
        gate.resolve();
        await eventually(() => disposed);
        await stage.idle();
      });
    });

    item("a.10", () => {
      for (const method of ["pass", "awaits", "fetches"]) {
        it(`cancels the calls that a cancelled call waits for: ${method}`, async () => {
          const call = stage.api[method]();
          await eventually(() => events.length === 1);
          call[Symbol.dispose]();
          await eventually(() => events.includes("cancelled"));
          if (method === "awaits") await eventually(() => events.includes("AbortError"));
          gate.resolve();
          await stage.idle();
        });
      }

      it("leaves calls alone while there are tasks, whose they may be", async () => {
        const call = stage.api.withTask();
        await eventually(() => events.length === 1);
        call[Symbol.dispose]();
        await new Promise((done) => setTimeout(done, 20));
        gate.resolve();
        await eventually(() => events.includes("done"));
        expect(events).to.deep.equal(["started", "done"]);
        await stage.idle();
      });
    });

    item("e.9", () => {
      it("cancels the call that a cancelled call of an object returned", async () => {
        using relay = await stage.api.relay();
        const call = relay.pass();
        await eventually(() => events.length === 1);
        call[Symbol.dispose]();
        await eventually(() => events.includes("cancelled"));
        gate.resolve();
      });
    });
  },
  options,
);

describe("a. Invocations for HTTP", () => {
  let host: Host;
  class Front extends WorkerEntrypoint<{ readonly BEYOND: Untyped }> {
    override async fetch(request: Request): Promise<Response> {
      if (request.url.endsWith("/wait")) await this.env.BEYOND.hang();
      return new Response(String(await (await this.env.BEYOND.counter()).increment()));
    }
  }
  before(async () => {
    const services = [{ binding: "BEYOND", service: "beyond" }];
    const workers = [
      { name: "front", module: { default: Front }, services },
      { name: "beyond", module: { default: Beyond } },
    ];
    host = await serve({ port: 0, workers, report: () => {} });
  });
  beforeEach(() => {
    gate = deferred();
    events.length = 0;
  });
  after(() => host.close());

  item("a.5", () => {
    it("gives back the stubs that a request's handler received", async () => {
      expect(await (await fetch(host.url)).text()).to.equal("1");
      await eventually(() => host.stats().liveInvocations === 0);
    });
  });

  item("a.10", () => {
    it("cancels the calls of a request whose client goes away", async () => {
      const client = new AbortController();
      const gone = failure(fetch(`${host.url}/wait`, { signal: client.signal }));
      await eventually(() => events.length === 1);
      client.abort();
      await gone;
      await eventually(() => events.includes("cancelled"));
      gate.resolve();
      await eventually(() => host.stats().liveInvocations === 0);
    });
  });
});
