// WebSockets of HTTP clients, taken by a Worker on this host, or through its binding by one on another.
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { WebSocket } from "ws";
import { type Host, serve, WebSocketPair, WorkerResponse } from "../../../packages/host/src/index.ts";
import { eventually, type Untyped } from "../../workers/support/transports.ts";

const sockets = fileURLToPath(new URL("../../fixtures/socket-worker", import.meta.url));

const gateway = {
  name: "gateway",
  module: { default: { fetch: (request: Request, env: Untyped) => env.SOCKETS.fetch(request) } },
  services: [{ binding: "SOCKETS", service: "sockets" }],
};

describe("WebSockets from HTTP clients", () => {
  let host: Host;
  let front: Host;
  const reports: unknown[] = [];

  before(async () => {
    const report = (error: unknown): void => void reports.push(error);
    host = await serve({ port: 0, workers: [sockets], report });
    front = await serve({ port: 0, workers: [gateway], services: { sockets: host.url }, report });
  });

  after(async () => {
    await front.close();
    await host.close();
  });

  beforeEach(() => void reports.splice(0));
  afterEach(() => eventually(() => host.stats().liveInvocations + front.stats().liveInvocations === 0));

  /** What a raw request is answered with, as text, until the connection ends. */
  async function raw(text: string): Promise<string> {
    const socket = connectTcp(host.port, "127.0.0.1");
    let answer = "";
    socket.on("data", (data) => {
      answer += data.toString();
    });
    socket.write(text);
    await once(socket, "close");
    return answer;
  }

  async function seen(): Promise<unknown[]> {
    return (await (await fetch(`${host.url}/seen`)).json()) as unknown[];
  }

  for (const [through, url] of [
    ["a Worker here", () => host.url],
    ["a binding to another host", () => front.url],
  ] as const) {
    describe(through, () => {
      it("completes the handshake with the response's headers, and carries text and bytes", async () => {
        const client = new WebSocket(url(), "chat");
        const [[upgrade]] = await Promise.all([once(client, "upgrade"), once(client, "open")]);
        expect([upgrade.headers["x-made"], client.protocol]).to.deep.equal(["here", "chat"]);
        const received: unknown[] = [];
        client.on("message", (data: Buffer, isBinary) => received.push(isBinary ? [...data] : data.toString()));
        client.send("text ✓");
        client.send(Uint8Array.of(0, 255));
        await eventually(() => received.length === 2);
        expect(received).to.deep.equal(["text ✓", [0, 255]]);
        client.close(3001, "enough");
        const [code, reason] = await once(client, "close");
        expect([code, String(reason)]).to.deep.equal([3001, "enough"]);
        expect((await seen()).at(-1)).to.deep.equal([3001, true]);
      });

      it("lets the Worker close", async () => {
        const client = new WebSocket(url(), "chat");
        await once(client, "open");
        client.send("bye");
        const [code, reason] = await once(client, "close");
        expect([code, String(reason)]).to.deep.equal([4001, "as you wish"]);
      });

      it("tells the Worker of a client that is gone", async () => {
        const client = new WebSocket(url(), "chat");
        await once(client, "open");
        expect(host.stats().liveInvocations).to.equal(1);
        client.terminate();
        await eventually(() => host.stats().liveInvocations === 0);
        expect((await seen()).slice(-2)).to.deep.equal(["Network connection lost.", [1006, false]]);
      });

      it("carries a megabyte in each of 50 messages, in order", async function () {
        this.timeout(20_000);
        const client = new WebSocket(url(), "chat");
        await once(client, "open");
        const first: number[] = [];
        client.on("message", (data: Buffer) => first.push(data[0] ?? -1));
        for (let i = 0; i < 50; i++) client.send(new Uint8Array(1_000_000).fill(i));
        while (first.length < 50) await once(client, "message");
        expect(first).to.deep.equal(Array.from({ length: 50 }, (_, i) => i));
        client.close();
        const [code] = await once(client, "close");
        expect(code).to.equal(1005);
      });

      it("answers as plain HTTP where the Worker does", async () => {
        const client = new WebSocket(`${url()}/throw`);
        const [, response] = await once(client, "unexpected-response");
        expect(response.statusCode).to.equal(500);
        expect(reports.map(String)).to.include("Error: not today");
        client.on("error", () => {});
        client.terminate();
      });
    });
  }

  it("answers an offer of another protocol as if it were not made", async () => {
    const answer = await raw("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    expect(answer).to.match(/^HTTP\/1\.1 426 /);
    expect(answer).to.match(/\r\nConnection: close\r\n/i);
    expect(answer).to.match(/Expected a WebSocket$/);
  });

  it("refuses a handshake without its key, after which the Worker sees the connection lost", async () => {
    const answer = await raw("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    expect(answer).to.match(/^HTTP\/1\.1 400 /);
    expect((await seen()).at(-1)).to.deep.equal([1006, false]);
  });

  it("says goodbye to clients when the host closes", async () => {
    const short = await serve({ port: 0, workers: [sockets] });
    const client = new WebSocket(short.url, "chat");
    await once(client, "open");
    const closed = once(client, "close");
    await short.close();
    expect((await closed)[0]).to.equal(1001);
  });

  it("refuses a body and a target that is none", async () => {
    const head = "HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
    expect(await raw(`POST / ${head}Content-Length: 1\r\n\r\nx`)).to.match(/^HTTP\/1\.1 400 /);
    expect(await raw(`GET //[ ${head}\r\n`)).to.match(/^HTTP\/1\.1 [45]\d\d /);
  });

  it("are closed where the Worker's invocation is aborted", async () => {
    const handler = {
      fetch(_request: Request, _env: unknown, ctx: Untyped): Response {
        const [client, server] = new WebSocketPair();
        server.accept();
        server.addEventListener("message", () => ctx.abort(new RangeError("given up")));
        return new WorkerResponse(null, { status: 101, webSocket: client });
      },
    };
    const workers = [{ name: "aborting", module: { default: handler } }];
    await using aborting = await serve({ port: 0, workers, report: (error) => void reports.push(error) });
    const client = new WebSocket(aborting.url);
    await once(client, "open");
    client.send("now");
    expect((await once(client, "close"))[0]).to.equal(1011);
    await eventually(() => aborting.stats().liveInvocations === 0);
    expect(reports).to.deep.equal([]);
  });
});
