import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect } from "chai";
import { WebSocket, WebSocketServer } from "ws";
import { connect } from "../../packages/client/src/index.ts";
import { serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";

interface Api {
  echo(text: string): Promise<string>;
}

class Echo extends WorkerEntrypoint {
  echo(text: string): string {
    return text;
  }
}

async function failure(promise: PromiseLike<unknown>): Promise<Error & { retryable?: boolean; overloaded?: boolean }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("It did not fail.");
}

describe("client: connecting", () => {
  it("makes calls wait until the link is open", async () => {
    await using host = await serve({ port: 0, workers: [{ name: "echo", module: { default: Echo } }] });
    using link = connect(host.url);
    const api = link.service<Api>();
    expect(await Promise.all([api.echo("a"), api.echo("b")])).to.deep.equal(["a", "b"]);
  });

  it("refuses calls past the bound on what waits", async () => {
    await using host = await serve({ port: 0, workers: [{ name: "echo", module: { default: Echo } }] });
    using link = connect(host.url, { limits: { maxQueuedBytes: 10_000 } });
    const api = link.service<Api>();
    const text = "x".repeat(4000);
    const calls = [1, 2, 3, 4].map(() => api.echo(text));
    expect(await failure(calls[3]!)).to.include({ overloaded: true });
    expect((await Promise.all(calls.slice(0, 3))).length).to.equal(3);
    expect(await api.echo("open now")).to.equal("open now");
  });

  it("fails the calls that wait where nobody listens, and tells whoever asked to hear of it", async () => {
    const link = connect("http://127.0.0.1:9");
    let broken: Error | undefined;
    link.onBroken((error) => {
      broken = error;
    });
    const error = await failure(link.service<Api>().echo("x"));
    expect(error.message).to.match(/^The link could not be opened: .*ECONNREFUSED/);
    expect(error.retryable).to.equal(true);
    expect(broken?.message).to.equal(error.message);
    expect((await failure(link.service<Api>().echo("later"))).retryable).to.equal(true);
  });

  it("fails them after the connect timeout where the other end never answers", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const link = connect(`ws://127.0.0.1:${port}`, { limits: { connectTimeoutMs: 50 } });
    expect((await failure(link.service<Api>().echo("x"))).message).to.match(/could not be opened: .*timed out/);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it("sends one message a frame to a server that picks no subprotocol", async () => {
    await using host = await serve({ port: 0, workers: [{ name: "echo", module: { default: Echo } }] });
    // Passes frames on to the host, without a subprotocol.
    const plain = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => false });
    const frames: Buffer[] = [];
    plain.on("connection", (near) => {
      const far = new WebSocket(`${host.url.replace("http:", "ws:")}/_capstan`);
      const opened = once(far, "open");
      near.on("message", async (data: Buffer) => {
        frames.push(data);
        await opened;
        far.send(data);
      });
      far.on("message", (data) => near.send(data));
      near.on("close", () => far.close());
    });
    try {
      await once(plain, "listening");
      using link = connect(`ws://127.0.0.1:${(plain.address() as AddressInfo).port}`);
      const api = link.service<Api>();
      expect(await Promise.all([api.echo("a"), api.echo("b")])).to.deep.equal(["a", "b"]);
      expect(frames.length).to.be.at.least(4);
      for (const frame of frames) {
        expect(frame.readUInt32LE(0)).to.equal(0);
        expect(frame.length).to.equal(8 + 8 * frame.readUInt32LE(4));
      }
    } finally {
      plain.close();
    }
  });

  it("says of a server that is no host what it answered", async () => {
    const handlers = { fetch: () => new Response("not here", { status: 404 }) };
    await using host = await serve({ port: 0, workers: [{ name: "plain", module: { default: handlers } }] });
    using link = connect(`${host.url}/elsewhere`);
    expect((await failure(link.service<Api>().echo("x"))).message).to.equal(
      "The link could not be opened: no link at /elsewhere (the server answered 404); links are at /_capstan",
    );
  });

  it("asks whether the other end speaks TLS where it does not", async () => {
    await using host = await serve({ port: 0, workers: [{ name: "echo", module: { default: Echo } }] });
    using link = connect(host.url.replace("http:", "https:"));
    expect((await failure(link.service<Api>().echo("x"))).message).to.match(
      /^The link could not be opened: [\w ]+: does the other end speak TLS\?$/,
    );
  });

  it("refuses what is no URL, or one of another scheme, at once", () => {
    expect(() => connect("nonsense")).to.throw(TypeError, '"nonsense" is not a URL.');
    expect(() => connect("ftp://x")).to.throw(TypeError, "use http, https, ws or wss");
    expect(() => connect("http://x", { limits: { maxQuestions: 0 } })).to.throw(RangeError);
  });
});
