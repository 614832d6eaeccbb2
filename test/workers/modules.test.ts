// What Workers import from the platform: served from files, as their bundles get it.
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";
import { type Host, serve } from "../../packages/host/src/index.ts";
import { eventually, item, type Untyped } from "./support/transports.ts";

const scoped = fileURLToPath(new URL("../fixtures/scoped-worker", import.meta.url));

describe("modules of the platform", () => {
  let host: Host;
  let link: ReturnType<typeof connect>;
  let api: Untyped;

  before(async () => {
    host = await serve({ port: 0, workers: [scoped] });
    link = connect(host.url);
    api = link.service();
  });

  after(async () => {
    link.close();
    await host.close();
  });

  item("a.8", () => {
    it("has env at the module's top level, and in invocations", async () => {
      expect(await api.topLevel()).to.equal("Hi");
      expect(await api.greet("Ada")).to.equal("Hi, Ada");
    });

    it("replaces env for a while with withEnv()", async () => {
      expect(await api.replaced()).to.deep.equal(["Bye", "Hi"]);
    });

    it("keeps the invocation alive with waitUntil()", async () => {
      await eventually(() => host.stats().liveInvocations === 0);
      const before = await api.finished();
      await api.greet("Ada");
      expect(host.stats().liveInvocations).to.equal(1);
      await eventually(() => host.stats().liveInvocations === 0);
      expect(await api.finished()).to.equal(before + 1);
    });

    it("keeps it alive for a task of an object behind new RpcStub()", async () => {
      await eventually(() => host.stats().liveInvocations === 0);
      const before = await api.finished();
      const session = await api.session();
      await session.task();
      session[Symbol.dispose]();
      await eventually(() => host.stats().liveInvocations === 0);
      expect(await api.finished()).to.equal(before + 1);
    });

    it("calls the Worker's own entrypoints through exports", async () => {
      expect(await api.viaExports()).to.equal(5);
    });

    it("lets a module keep its own exports from its top level on, and call them in invocations", async () => {
      for (let call = 0; call < 2; call++) {
        expect(await api.viaEarlyExports()).to.deep.equal([
          'exports from "cloudflare:workers" works only within an invocation.',
          'There is no entrypoint "Missing".',
          3,
          13,
          7,
        ]);
      }
    });

    it("sees what was assigned to env, and leaves withEnv()'s to the invocation that it is of", async () => {
      expect(await api.assigned()).to.deep.equal(["set", true, undefined]);
      expect(await api.otherWithEnv()).to.deep.equal(["Bye", "Hi", "Bye"]);
    });

    it("sees what was defined on env", async () => {
      expect(await api.defined()).to.deep.equal(["defined", ["GREETING", "LATER"], undefined]);
    });

    it("refuses to freeze env, and to give it another prototype", async () => {
      const errors = ["TypeError", "TypeError", "TypeError", "TypeError"];
      expect(await api.frozen()).to.deep.equal([errors, { GREETING: "Hi" }, true]);
      expect(await api.greet("Ada")).to.equal("Hi, Ada");
    });

    it("has WebSocketPair on the global object too", async () => {
      expect(await api.pairs()).to.deep.equal([true, true, false]);
    });

    it("has the classes of stubs, promises and properties", async () => {
      expect(await api.kinds(() => {})).to.deep.equal([true, true, true]);
    });
  });

  item("g.2", () => {
    it("carries bytes over TCP both ways, and tells of a connection that is refused", async () => {
      const echo = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
      await once(echo, "listening");
      const { port } = echo.address() as AddressInfo;
      try {
        expect(await api.tcp(port, "over TCP")).to.equal("over TCP");
      } finally {
        echo.close();
        await once(echo, "close");
      }
      expect(await api.refused(port)).to.equal("ECONNREFUSED");
      expect(await api.badAddress()).to.equal(
        'TypeError: "undefined" is not an address: write host:port, or [address]:port for IPv6.',
      );
    });

    it("ends a connection that was left open with its invocation", async () => {
      const ended: Promise<unknown>[] = [];
      const server = createServer((socket) => ended.push(once(socket.resume(), "close"))).listen(0, "127.0.0.1");
      await once(server, "listening");
      await api.leaveOpen((server.address() as AddressInfo).port);
      await eventually(() => ended.length === 1);
      await Promise.all(ended);
      server.close();
      await once(server, "close");
    });
  });
});
