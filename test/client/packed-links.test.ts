import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { WebSocket, WebSocketServer } from "ws";
import { LinkProxy } from "../../packages/cli/src/bench/link-proxy.ts";
import { connect, RpcTarget } from "../../packages/client/src/index.ts";
import {
  type Host,
  type PackedPolicy,
  type ServeOptions,
  serve,
  WorkerEntrypoint,
} from "../../packages/host/src/index.ts";
import type { TrafficRecorder } from "../../packages/vat/src/index.ts";
import { packedBound, packFrame } from "../../packages/wire/src/index.ts";

class Counter extends RpcTarget {
  #value = 0;
  incrementBy(n: number): this {
    this.#value += n;
    return this;
  }
  value(): number {
    return this.#value;
  }
}

class Api extends WorkerEntrypoint {
  add(a: number, b: number): number {
    return a + b;
  }
  echo(value: unknown): unknown {
    return value;
  }
  newCounter(): Counter {
    return new Counter();
  }
  async callBack(callback: (text: string) => Promise<string>, text: string): Promise<string> {
    return `${await callback(text)}!`;
  }
  fail(): void {
    throw new RangeError("out of range");
  }
  numbers(count: number): ReadableStream<Uint8Array> {
    let next = 0;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        if (next < count) controller.enqueue(new Uint8Array(1000).fill(next++));
        else controller.close();
      },
    });
  }
  async sum(stream: ReadableStream<Uint8Array>): Promise<number> {
    let sum = 0;
    for await (const chunk of stream) for (const byte of chunk) sum += byte;
    return sum;
  }
  override async fetch(request: Request): Promise<Response> {
    return new Response(`${request.method} ${await request.text()}`, { headers: { "x-seen": "yes" } });
  }
}

const workers = [{ name: "api", module: { default: Api } }];

/** Records how links were opened, and counts frames. */
function heard(): { readonly record: TrafficRecorder; readonly opened: string[] } {
  const opened: string[] = [];
  const record: TrafficRecorder = () => ({
    handleOpen: (batched, packed) => opened.push(packed ? "packed" : batched ? "plain" : "one by one"),
    handleSent() {},
    handleReceived() {},
    handleClosed() {},
  });
  return { record, opened };
}

function serveApi(options: Partial<ServeOptions> = {}): Promise<Host> {
  return serve({ port: 0, workers, ...options });
}

describe("client: packed links", () => {
  const agreed: readonly [packed: boolean | undefined, policy: PackedPolicy | undefined, opened: string][] = [
    [undefined, undefined, "plain"],
    [undefined, "always", "packed"],
    [undefined, "never", "plain"],
    [true, undefined, "packed"],
    [true, "remote", "packed"],
    [true, "never", "plain"],
    [false, undefined, "plain"],
    [false, "always", "plain"],
  ];
  for (const [packed, policy, opened] of agreed) {
    it(`are ${opened} on one machine where the client says ${packed} and the host ${policy ?? "nothing"}`, async () => {
      const [near, far] = [heard(), heard()];
      await using host = await serveApi({ packed: policy, record: far.record });
      using link = connect(host.url, { packed, record: near.record });
      expect(link.packed).to.equal(false);
      expect(await link.service<Api>().add(1, 2)).to.equal(3);
      expect(link.packed).to.equal(opened === "packed");
      expect([near.opened, far.opened]).to.deep.equal([[opened], [opened]]);
    });
  }

  it("are what the hosts on both ends of a binding agree on", async () => {
    for (const [caller, callee, opened] of [
      ["remote", "always", "packed"],
      ["always", "remote", "packed"],
      ["always", "never", "plain"],
      ["never", "always", "plain"],
      ["remote", "remote", "plain"],
    ] as const) {
      const near = heard();
      await using far = await serveApi({ packed: callee });
      class Caller extends WorkerEntrypoint<{ readonly API: { add(a: number, b: number): Promise<number> } }> {
        override async fetch(): Promise<Response> {
          return new Response(String(await this.env.API.add(20, 22)));
        }
      }
      const services = [{ binding: "API", service: "api" }];
      await using host = await serve({
        port: 0,
        workers: [{ name: "caller", module: { default: Caller }, services }],
        services: { api: far.url },
        packed: caller,
        record: near.record,
      });
      expect(await (await fetch(host.url)).text()).to.equal("42");
      expect(near.opened, `${caller} calls ${callee}`).to.deep.equal([opened]);
    }
  });

  /** Passes links on to `host`, as a server that knows no packing. */
  async function withOldServer(host: Host, picks: string | false, use: (url: string) => Promise<void>): Promise<void> {
    const offered: string[][] = [];
    const old = new WebSocketServer({
      port: 0,
      host: "127.0.0.1",
      handleProtocols: (names) => {
        offered.push([...names]);
        return picks;
      },
    });
    old.on("connection", (near) => {
      const far = new WebSocket(`${host.url.replace("http:", "ws:")}/_capstan`, picks === false ? [] : [picks]);
      const opened = once(far, "open");
      near.on("message", async (data: Buffer) => {
        await opened;
        far.send(data);
      });
      far.on("message", (data) => near.send(data));
      near.on("close", () => far.close());
    });
    try {
      await once(old, "listening");
      await use(`ws://127.0.0.1:${(old.address() as AddressInfo).port}`);
      expect(offered).to.deep.equal([["capstan.1.packed", "capstan.1", "capnp"]]);
    } finally {
      old.close();
    }
  }

  for (const [picks, opened] of [
    ["capstan.1", "plain"],
    ["capnp", "one by one"],
    [false, "one by one"],
  ] as const) {
    it(`are ${opened} with a server that knows no packing and picks ${picks || "nothing"}`, async () => {
      await using host = await serveApi();
      await withOldServer(host, picks, async (url) => {
        const near = heard();
        using link = connect(url, { packed: true, record: near.record });
        expect(await link.service<Api>().echo("old")).to.equal("old");
        expect(near.opened).to.deep.equal([opened]);
      });
    });
  }

  it("are plain with a client that knows no packing", async () => {
    await using host = await serveApi({ packed: "always" });
    for (const [offered, taken] of [
      [["capstan.1", "capnp"], "capstan.1"],
      [["capnp"], "capnp"],
      [[], ""],
    ] as const) {
      const socket = new WebSocket(`${host.url.replace("http:", "ws:")}/_capstan`, [...offered]);
      await once(socket, "open");
      expect(socket.protocol).to.equal(taken);
      socket.terminate();
    }
  });

  it("carry calls, pipelines, callbacks, errors, streams and fetch in both directions", async () => {
    await using host = await serveApi();
    using link = connect(host.url, { packed: true });
    const api = link.service<Api>("api");
    expect(await Promise.all(Array.from({ length: 200 }, (_, i) => api.add(i, 1)))).to.deep.equal(
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
    expect(await api.newCounter().incrementBy(40).incrementBy(2).value()).to.equal(42);
    expect(await api.callBack(async (text) => text.toUpperCase(), "hey")).to.equal("HEY!");
    let thrown: unknown;
    await api.fail().catch((error: unknown) => {
      thrown = error;
    });
    expect(thrown).to.be.instanceOf(RangeError).with.property("message", "out of range");
    const value = { deep: [1, -1, 2n ** 70n, "é", new Map([[1, new Date(0)]])], bytes: new Uint8Array(3000) };
    expect(await api.echo(value)).to.deep.equal(value);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await api.numbers(5)) chunks.push(chunk);
    expect(Buffer.concat(chunks).length).to.equal(5000);
    expect(await api.sum(new Blob([new Uint8Array(70_000).fill(2)]).stream())).to.equal(140_000);
    const response = await api.fetch("http://host/", { method: "POST", body: "body" });
    expect([await response.text(), response.headers.get("x-seen")]).to.deep.equal(["POST body", "yes"]);
  });

  it("take what grows when it is packed up to the same size as others", async () => {
    const limits = { maxFrameBytes: 64 * 1024 };
    await using host = await serveApi({ limits });
    using link = connect(host.url, { packed: true, limits });
    // Words without zeros and with two by turns.
    const worst = new Uint8Array(64 * 1024 - 200).map((_, at) => (at % 16 < 8 || at % 8 > 1 ? 1 : 0));
    const aligned = worst.length - (worst.length % 8);
    expect(packFrame(worst.subarray(0, aligned)).length).to.be.greaterThan(limits.maxFrameBytes);
    expect(packedBound(limits.maxFrameBytes)).to.be.greaterThan(limits.maxFrameBytes);
    const api = link.service<Api>();
    for (let shift = 0; shift < 8; shift++) {
      const bytes = worst.subarray(shift);
      expect(Buffer.compare((await api.echo(bytes)) as Uint8Array, bytes)).to.equal(0);
    }
    let thrown: unknown;
    await api.echo(new Uint8Array(64 * 1024)).catch((error: unknown) => {
      thrown = error;
    });
    expect(String(thrown)).to.contain("is larger than a frame may be (65536)");
    expect(await api.add(1, 2)).to.equal(3);
  });

  it("take no more bytes for a plain call than capnweb's 97, with all headers of frames", async () => {
    await using host = await serveApi();
    const proxy = await LinkProxy.start({ host: "127.0.0.1", port: host.port, delay: 0 });
    try {
      using link = connect(`http://127.0.0.1:${proxy.port}`, { packed: true });
      const api = link.service<Api>("api");
      await api.add(1, 2);
      await api.add(1, 2);
      const before = proxy.passed;
      for (let calls = 0; calls < 10; calls++) await api.add(1, 2);
      const { toHost, toClient } = proxy.passed;
      expect({ toHost: (toHost - before.toHost) / 10, toClient: (toClient - before.toClient) / 10 }).to.deep.equal({
        toHost: 64,
        toClient: 29,
      });
    } finally {
      await proxy.stop();
    }
  });

  it("are nothing but true, false or left out", () => {
    for (const packed of ["always", 1, null] as unknown as boolean[]) {
      expect(() => connect("http://127.0.0.1:9", { packed })).to.throw(
        TypeError,
        `The option "packed" must be true or false, not ${JSON.stringify(packed)}.`,
      );
    }
  });
});
