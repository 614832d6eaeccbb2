import { isDeepStrictEqual } from "node:util";
// Section c over links alone: what streams and signals leave behind, and what becomes of them when a link is lost.
import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";
import { type Host, serve } from "../../packages/host/src/index.ts";
import { eventually, failure, item, type Untyped } from "./support/transports.ts";
import { Api, bytes, gate, log } from "./support/values-worker.ts";

describe("c. Values on a link", () => {
  let host: Host;
  let link: ReturnType<typeof connect>;
  let api: Untyped;

  beforeEach(async () => {
    log.length = 0;
    gate.renew();
    host = await serve({ port: 0, workers: [{ name: "callee", module: { default: Api } }] });
    link = connect(host.url);
    api = link.service("callee");
    await api.note("open");
  });

  afterEach(async () => {
    gate.resolve();
    link.close();
    await host.close();
  });

  item("a.10", () => {
    it("aborts a signal among the arguments too where the link is lost meanwhile", async () => {
      const call = failure(api.watch(new AbortController().signal));
      await eventually(() => log.length === 2);
      link.close();
      await call;
      await eventually(() => log.length === 4);
      const lost = "The AbortSignal was received over RPC, and its sender is gone.";
      expect(log).to.have.members(["open", false, "ctx aborted", lost]);
    });
  });

  item("c.8", () => {
    it("leaves nothing in the tables of the link", async () => {
      const before = link.tables;
      await api.textOf(bytes("a", "b"));
      await (await api.response()).text();
      for await (const _chunk of await api.bytes(3));
      await api.writeInto(new WritableStream());
      const writer = (await api.sink()).getWriter();
      await writer.write("x");
      await writer.close();
      // Given to the call, so it cancels it.
      await api.whenAborted(AbortSignal.abort(new Error("now"))).catch(() => {});
      await eventually(() => host.stats().liveInvocations === 0 && isDeepStrictEqual(link.tables, before));
      expect(link.tables).to.deep.equal(before);
    });

    it("cancels a source whose reader returned without reading it", async () => {
      let cancelled: unknown;
      await api.describe(new ReadableStream({ cancel: (reason) => void (cancelled = reason) }));
      await eventually(() => cancelled !== undefined);
    });

    it("refuses more than it keeps of a stream whose writer does not wait", async () => {
      const limits = { maxStreamBytes: 4 << 16, streamWindowBytes: 1 << 16 };
      await using small = await serve({ port: 0, limits, workers: [{ name: "callee", module: { default: Api } }] });
      using eager = connect(small.url, { limits: { streamWindowBytes: 1 << 30 } });
      let pulled = 0;
      let cancelled: Untyped;
      const source = new ReadableStream({
        type: "bytes",
        async pull(controller) {
          await new Promise((done) => setImmediate(done));
          if (pulled++ < 1000) controller.enqueue(new Uint8Array(1 << 16));
          else controller.close();
        },
        cancel: (reason) => void (cancelled = reason),
      });
      const held = failure((eager.service("callee") as Untyped).hold(source));
      await eventually(() => cancelled !== undefined);
      expect(cancelled.message).to.equal(`More than ${limits.maxStreamBytes} bytes of this stream wait unread.`);
      expect(pulled).to.be.lessThan(1000);
      eager.close();
      await held;
    });

    it("ends sources, readers, writers and invocations when the link is lost", async () => {
      let cancelled: unknown;
      const held = failure(api.hold(new ReadableStream({ cancel: (reason) => void (cancelled = reason) })));
      const reader = (await api.bytes(1000)).getReader();
      await reader.read();
      const writer = (await api.sink()).getWriter();
      await writer.write("written");
      link.close();
      expect(await held).to.include({ retryable: true });
      await eventually(() => cancelled !== undefined);
      const lost = await failure(
        (async () => {
          for (;;) await reader.read();
        })(),
      );
      expect(lost.message).to.equal("ReadableStream received over RPC disconnected prematurely.");
      expect((await failure(writer.write("more"))).message).to.equal(
        "WritableStream received over RPC was disconnected because the remote execution context has ended.",
      );
      await eventually(() => host.stats().liveInvocations === 0);
      expect(log).to.deep.include(["aborted", "The writer of this stream is gone."]);
    });
  });
});
