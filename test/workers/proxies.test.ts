// Objects of a third host, reached through a second: what they take and give goes all the way.
import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";
import { type Host, RpcTarget, serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { eventually, failure, item, type Untyped } from "./support/transports.ts";

const log: unknown[] = [];

class Far extends RpcTarget {
  async textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
    return await new Response(stream).text();
  }
  text(): ReadableStream<Uint8Array> {
    return new Response("from afar").body as ReadableStream<Uint8Array>;
  }
  endless(): ReadableStream<Uint8Array> {
    return new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1000)),
      cancel: (reason) => void log.push((reason as Error).message),
    });
  }
  async call(callback: Untyped): Promise<unknown> {
    return await callback("called from afar");
  }
  signal(): AbortSignal {
    return AbortSignal.timeout(20);
  }
  async watch(signal: AbortSignal): Promise<string> {
    await new Promise((done) => signal.addEventListener("abort", done));
    return (signal.reason as Error).message;
  }
  async hang(): Promise<void> {
    await new Promise(() => {});
  }
  [Symbol.dispose](): void {
    log.push("far disposed");
  }
}

class Third extends WorkerEntrypoint {
  far(): Far {
    return new Far();
  }
  async hang(): Promise<void> {
    this.ctx.signal.addEventListener("abort", () => log.push("cancelled afar"));
    log.push("hanging");
    await new Promise(() => {});
  }
}

class Second extends WorkerEntrypoint<{ readonly THIRD: Untyped }> {
  async far(): Promise<unknown> {
    return await this.env.THIRD.far();
  }
  async hang(): Promise<void> {
    const call = this.env.THIRD.hang();
    this.ctx.signal.addEventListener("abort", () => call[Symbol.dispose]());
    await call;
  }
}

describe("c. Values through a third host", () => {
  let third: Host;
  let second: Host;
  let link: ReturnType<typeof connect>;
  let far: Untyped;

  beforeEach(async () => {
    log.length = 0;
    third = await serve({
      port: 0,
      limits: { gracePeriodMs: 100 },
      workers: [{ name: "third", module: { default: Third } }],
    });
    second = await serve({
      limits: { gracePeriodMs: 100 },
      port: 0,
      workers: [{ name: "second", module: { default: Second }, services: [{ binding: "THIRD", service: "third" }] }],
      services: { third: third.url },
    });
    link = connect(second.url);
    far = await (link.service("second") as Untyped).far();
  });

  afterEach(async () => {
    link.close();
    await second.close();
    await third.close();
  });

  item("c.3", () => {
    it("carries streams there and back through a host in between", async () => {
      expect(await far.textOf(new Response("to afar").body)).to.equal("to afar");
      expect(await new Response(await far.text()).text()).to.equal("from afar");
      const reader = (await far.endless()).getReader();
      await reader.read();
      await reader.cancel(new Error("enough"));
      await eventually(() => log.length === 1);
      expect(log).to.deep.equal(["enough"]);
    });

    it("carries callbacks and signals through a host in between", async () => {
      expect(await far.call((text: string) => text.toUpperCase())).to.equal("CALLED FROM AFAR");
      const signal: AbortSignal = await far.signal();
      await eventually(() => signal.aborted);
      const controller = new AbortController();
      const watched = far.watch(controller.signal);
      controller.abort(new Error("over two hops"));
      expect((await failure(watched)).message).to.equal("over two hops");
    });
  });

  item("e.4", () => {
    it("releases an object when its last holder, two hosts away, lets go", async () => {
      far[Symbol.dispose]();
      await eventually(() => log.includes("far disposed"));
      await eventually(() => second.stats().liveInvocations + third.stats().liveInvocations === 0);
    });
  });

  item("e.9", () => {
    it("cancels across one more hop", async () => {
      const call = (link.service("second") as Untyped).hang();
      await eventually(() => log.includes("hanging"));
      call[Symbol.dispose]();
      await eventually(() => log.includes("cancelled afar"));
    });
  });

  item("d.5", () => {
    it("says that a lost host in between can be tried again", async () => {
      const call = failure(far.hang());
      await second.close();
      expect(await call).to.include({ retryable: true });
    });
  });
});
