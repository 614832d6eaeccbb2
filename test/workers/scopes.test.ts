// Section a: what code belongs to that is run because a peer does something, and not because it was awaited.
import { AsyncLocalStorage } from "node:async_hooks";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { type Host, serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { deferred, eventually, failure, item, type Untyped } from "./support/transports.ts";

const scoped = fileURLToPath(new URL("../fixtures/scoped-worker", import.meta.url));
const store = new AsyncLocalStorage<string>();

class Caller extends WorkerEntrypoint<{ SCOPED: Untyped }> {
  override async fetch(request: Request): Promise<Response> {
    const { SCOPED } = this.env;
    const back = async (): Promise<string> => String(await SCOPED.back(() => String(store.getStore())));
    const { pathname } = new URL(request.url);
    if (pathname === "/set-off") await setOff(SCOPED);
    if (pathname === "/acted") return Response.json(await SCOPED.acted());
    return new Response(await (pathname === "/" ? back() : store.run(pathname, back)));
  }
}

/** Does, within an invocation of the caller's, all that sets code of the callee's off. */
async function setOff(api: Untyped): Promise<void> {
  const { sink, source, target } = await api.setOff();
  const writer = sink.getWriter();
  await writer.write("a");
  await writer.close();
  await source.cancel();
  target[Symbol.dispose]();
  await (await api.sinkToAbort()).abort();
  const client = new AbortController();
  for (const end of ["cancel", "abort"]) {
    const started = deferred();
    const call =
      end === "cancel" ? api.whenCancelled(started.resolve) : api.whenAborted(started.resolve, client.signal);
    const outcome = failure(call);
    await started.promise;
    if (end === "cancel") call[Symbol.dispose]();
    else client.abort();
    await outcome;
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
        await get("/set-off");
        await eventually(() => callee.stats().liveInvocations + host.stats().liveInvocations === 0);
        expect(JSON.parse(await get("/acted"))).to.have.members([
          "write",
          "close",
          "cancel",
          "dispose",
          "abort",
          "cancelled call",
          "given signal",
          "given signal's call",
        ]);
      });
    });
  });
}
