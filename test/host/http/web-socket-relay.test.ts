// A Worker that accepts its client's WebSocket and one of another Worker's, and carries what comes from one to the other.
import { once } from "node:events";
import { expect } from "chai";
import { WebSocket } from "ws";
import { type Host, serve, WebSocketPair, WorkerResponse } from "../../../packages/host/src/index.ts";
import { eventually, type Untyped } from "../../workers/support/transports.ts";

/** What the Worker at the end of the line has seen: messages, or their sizes, and how it was closed. */
const seen: unknown[] = [];
/** What happened to the signals of the relay's requests. */
const aborted: string[] = [];

const end = {
  name: "end",
  module: {
    default: {
      fetch(): Response {
        const [client, server] = new WebSocketPair();
        server.accept();
        server.addEventListener("message", ({ data }: Untyped) => {
          if (data === "bye") server.close(4002, "as you wish");
          else seen.push(typeof data === "string" ? data : data.byteLength);
        });
        server.addEventListener("close", ({ code, reason, wasClean }: Untyped) => seen.push([code, reason, wasClean]));
        return new WorkerResponse(null, { status: 101, webSocket: client });
      },
    },
  },
};

const relay = {
  name: "relay",
  services: [{ binding: "END", service: "end" }],
  module: {
    default: {
      async fetch(request: Request, env: Untyped): Promise<Response> {
        const { pathname } = new URL(request.url);
        request.signal.addEventListener("abort", () => aborted.push(pathname));
        if (pathname === "/straight") return await env.END.fetch(request);
        const upgrade = { headers: { Upgrade: "websocket" } };
        const answer = await (pathname === "/request"
          ? env.END.fetch(request)
          : env.END.fetch("http://end.test/", upgrade));
        const { webSocket: up } = answer;
        const [client, down] = new WebSocketPair();
        up.accept();
        down.accept();
        down.addEventListener("message", ({ data }: Untyped) => up.send(data));
        up.addEventListener("message", ({ data }: Untyped) => down.send(data));
        down.addEventListener("close", ({ code, reason, wasClean }: Untyped) => {
          if (!wasClean || up.readyState !== 1) return;
          up.send("last words");
          up.close(code, reason);
        });
        up.addEventListener("close", ({ code, reason, wasClean }: Untyped) => wasClean && down.close(code, reason));
        return new WorkerResponse(null, { status: 101, webSocket: client });
      },
    },
  },
};

/** Takes the clients of the relay. */
const gate = {
  name: "gate",
  services: [{ binding: "RELAY", service: "relay" }],
  module: { default: { fetch: (request: Request, env: Untyped): Promise<Response> => env.RELAY.fetch(request) } },
};

for (const place of ["in process", "over a link", "over two links"] as const) {
  describe(`A relay of WebSockets to a Worker ${place}`, () => {
    const hosts: Host[] = [];
    let front: Host;

    before(async () => {
      if (place === "in process") hosts.push(await serve({ port: 0, workers: [relay, end] }));
      else {
        const back = await serve({ port: 0, workers: [end] });
        const middle = await serve({ port: 0, workers: [relay], services: { end: back.url } });
        hosts.push(back, middle);
        if (place === "over two links") {
          hosts.push(await serve({ port: 0, workers: [gate], services: { relay: middle.url } }));
        }
      }
      front = hosts.at(-1) as Host;
    });
    after(async () => {
      for (const host of hosts.reverse()) await host.close();
    });
    beforeEach(() => {
      seen.length = 0;
      aborted.length = 0;
    });
    afterEach(() => eventually(() => hosts.every((host) => host.stats().liveInvocations === 0)));

    async function open(path: string): Promise<WebSocket> {
      const client = new WebSocket(`${front.url}${path}`);
      await once(client, "open");
      return client;
    }

    for (const path of ["/request", "/url"]) {
      it(`hands on how the client closes: ${path}`, async () => {
        const client = await open(path);
        client.send("hello");
        client.close(4001, "enough");
        await eventually(() => seen.length === 3);
        expect(seen).to.deep.equal(["hello", "last words", [4001, "enough", true]]);
        expect(aborted).to.deep.equal([]);
      });

      it(`hands on how the other Worker closes: ${path}`, async () => {
        const client = await open(path);
        client.send("bye");
        const [code, reason] = await once(client, "close");
        expect([code, String(reason)]).to.deep.equal([4002, "as you wish"]);
        await eventually(() => seen.length === 1);
        expect(seen).to.deep.equal([[4002, "as you wish", true]]);
      });

      it(`loses the other Worker's WebSocket with a client that is gone: ${path}`, async () => {
        const client = await open(path);
        client.terminate();
        await eventually(() => seen.length === 1);
        expect(seen).to.deep.equal([[1006, "", false]]);
        expect(aborted).to.deep.equal([]);
      });
    }

    for (const path of ["/straight", "/request", "/url"]) {
      it(`delivers large messages that a client sends as it closes: ${path}`, async () => {
        const client = await open(path);
        const size = 1_000_000;
        for (let i = 0; i < 5; i++) client.send(new Uint8Array(size));
        client.close(4001, "enough");
        await eventually(() => seen.some(Array.isArray));
        const words = path === "/straight" ? [] : ["last words"];
        expect(seen).to.deep.equal([...new Array(5).fill(size), ...words, [4001, "enough", true]]);
      });
    }
  });
}
