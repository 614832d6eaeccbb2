// Section a: what code belongs to that is run because a peer does something, and not because it was awaited.
import { AsyncLocalStorage } from "node:async_hooks";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { type Host, serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { eventually, item, type Untyped } from "./support/transports.ts";

const scoped = fileURLToPath(new URL("../fixtures/scoped-worker", import.meta.url));
const store = new AsyncLocalStorage<string>();

let scopedWorker: Untyped;

class Caller extends WorkerEntrypoint<{ SCOPED: Untyped }> {
  async fetch(request: Request): Promise<Response> {
    scopedWorker = this.env.SCOPED;
    const back = async (): Promise<string> => String(await scopedWorker.back(() => String(store.getStore())));
    const { pathname } = new URL(request.url);
    return new Response(await (pathname === "/" ? back() : store.run(pathname, back)));
  }
}

for (const transport of ["in process", "over a link"]) {
  describe(`scopes ${transport}`, () => {
    let host: Host;
    let callee: Host;

    before(async () => {
      const services = [{ binding: "SCOPED", service: "scoped" }];
      const caller = { name: "caller", module: { default: Caller }, services };
      if (transport === "in process") {
        callee = host = await serve({ port: 0, workers: [caller, scoped] });
      } else {
        callee = await serve({ port: 0, workers: [scoped] });
        host = await serve({ port: 0, workers: [caller], services: { scoped: callee.url } });
      }
      // The first call opens the link, within a store.
      await get("/first");
    });
    after(async () => {
      await host.close();
      await callee.close();
    });

    async function get(path: string): Promise<string> {
      return await (await fetch(`${host.url}${path}`)).text();
    }

    item("a.8", () => {
      it("keeps what one request stored from the callbacks of others", async () => {
        expect(await get("/")).to.equal("undefined");
        expect(await get("/second")).not.to.equal("/first");
      });

      it("lets streams, disposers and listeners act on their invocation when a peer sets them off", async () => {
        const api = scopedWorker;
        const before = await api.finished();
        const { sink, source, target } = await api.setOff();
        const writer = sink.getWriter();
        await writer.write("a");
        await writer.close();
        await source.cancel();
        target[Symbol.dispose]();
        await eventually(() => callee.stats().liveInvocations <= 1);
        const client = new AbortController();
        const given = api.whenCancelled(client.signal).catch(() => {});
        await new Promise((done) => setTimeout(done, 10));
        client.abort();
        await given;
        let finished = 0;
        for (let turn = 0; turn < 200 && finished < before + 6; turn++) finished = await api.finished();
        expect(finished).to.equal(before + 6);
      });
    });
  });
}
