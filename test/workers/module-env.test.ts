// Section a: `env` of "cloudflare:workers" alone, at a module's top level and in invocations.
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { type Host, serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { Counter, events } from "./support/counter.ts";
import { deferred, eventually, failure, item } from "./support/transports.ts";

const folder = fileURLToPath(new URL("../fixtures/env-worker", import.meta.url));

describe("env of cloudflare:workers", () => {
  const gate = deferred();
  let host: Host;

  class Beyond extends WorkerEntrypoint {
    counter(): Counter {
      return new Counter();
    }
    async hang(): Promise<void> {
      this.ctx.signal.addEventListener("abort", () => events.push("cancelled"));
      events.push("started");
      await gate.promise;
    }
  }

  before(async () => {
    events.length = 0;
    const workers = [folder, { name: "beyond", module: { default: Beyond } }];
    host = await serve({ port: 0, workers, report: () => {} });
  });
  after(() => host.close());

  async function get(path: string): Promise<string> {
    return await (await fetch(`${host.url}${path}`)).text();
  }
  const idle = (): Promise<void> => eventually(() => host.stats().liveInvocations === 0);

  item("a.8", () => {
    it("gives back what an invocation received through it", async () => {
      expect(await get("/")).to.equal("1");
      await idle();
    });

    it("has bindings at the module's top level, whose calls are the current invocation's", async () => {
      expect(await get("/top-level")).to.equal("1");
      await idle();
    });

    it("refuses to be frozen, which would keep its bindings from later invocations", async () => {
      for (const path of ["/freeze/own", "/freeze/imported"]) {
        expect(await get(path)).to.equal("TypeError");
        expect(await get("/")).to.equal("1");
      }
      await idle();
    });

    it("refuses a call while the module is loaded", async () => {
      expect(await get("/early")).to.equal(
        'The binding "BEYOND" cannot be used while Workers are loaded: call it in a handler.',
      );
    });
  });

  item("a.10", () => {
    it("cancels the calls that a handler made through it and waits for", async () => {
      const client = new AbortController();
      const gone = failure(fetch(`${host.url}/wait`, { signal: client.signal }));
      await eventually(() => events.includes("started"));
      client.abort();
      await gone;
      await eventually(() => events.includes("cancelled"));
      gate.resolve();
      await idle();
    });
  });
});
