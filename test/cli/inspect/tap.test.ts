import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { WebSocket, WebSocketServer } from "ws";
import { openTap, type Tap, type TapOptions } from "../../../packages/cli/src/inspect/tap.ts";

describe("cli: a tap", () => {
  let server: WebSocketServer;
  let tap: Tap;
  let lines: string[];
  let requests: IncomingMessage[];
  let picks = true;
  let pick = "capnp";

  /** A host that takes `pick` and sends back what it gets, and a tap before it. */
  async function open(options: Partial<TapOptions> = {}): Promise<void> {
    lines = [];
    requests = [];
    server = new WebSocketServer({
      port: 0,
      host: "127.0.0.1",
      handleProtocols: (offered) => (picks && offered.has(pick) ? pick : false),
    });
    await once(server, "listening");
    server.on("connection", (socket, req) => {
      requests.push(req);
      socket.on("message", (data, binary) => socket.send(data, { binary }));
    });
    tap = await openTap({
      target: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/_capstan`,
      port: 0,
      note: (text) => lines.push(text),
      ready: () => undefined,
      record: () => ({
        handleOpen: (batched, packed) => lines.push(`open ${batched}${packed ? " packed" : ""}`),
        handleSent: (frame) => lines.push(`sent ${frame.length}`),
        handleReceived: (frame) => lines.push(`received ${frame.length}`),
        handleClosed: (reason) => lines.push(`closed ${reason}`),
      }),
      ...options,
    });
  }

  function close(): void {
    tap.close();
    for (const socket of server.clients) socket.terminate();
    server.close();
  }
  afterEach(close);

  const dial = (protocols: string[] = [], path = "/_capstan", headers: { [name: string]: string } = {}) =>
    new WebSocket(tap.url + path, protocols, { headers });

  /** The HTTP status that refuses a link. */
  async function refusal(socket: WebSocket): Promise<number | undefined> {
    const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
    response.destroy();
    return response.statusCode;
  }

  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise((done) => setTimeout(done, 5));
  }

  it("negotiates the subprotocol through, and passes on who the caller is", async () => {
    await open();
    for (const [offered, taken] of [
      [["capstan.1", "capnp"], "capnp"],
      [["capnp"], "capnp"],
      [[], ""],
    ] as const) {
      const socket = dial([...offered], "/_capstan?x", { authorization: "Bearer x" });
      await once(socket, "open");
      expect(socket.protocol).to.equal(taken);
      expect(requests.at(-1)?.headers).to.include({ authorization: "Bearer x" });
      expect(requests.at(-1)?.headers["sec-websocket-protocol"]).to.equal(
        offered.length === 0 ? undefined : offered.join(","),
      );
      socket.close();
      await once(socket, "close");
    }
    expect(lines.filter((line) => line.startsWith("open"))).to.deep.equal(["open false", "open false", "open false"]);
  });

  it("passes links on to a host that picks no subprotocol, as it would be linked to without it", async () => {
    await open();
    picks = false;
    const socket = dial(["capstan.1", "capnp"]);
    await once(socket, "open");
    picks = true;
    expect(socket.protocol).to.equal("capnp");
    expect(lines).to.deep.equal(["open false"]);
    expect(await refusal(dial(["capstan.1"]))).to.equal(502);
  });

  it("lets packed frames be heard unpacked, and passes them on as they are, those too that are none", async () => {
    pick = "capstan.1.packed";
    await open();
    const socket = dial(["capstan.1", "capstan.1.packed", "capnp"]);
    await once(socket, "open");
    pick = "capnp";
    expect(socket.protocol).to.equal("capstan.1.packed");
    for (const packed of [new Uint8Array([0, 3]), new Uint8Array([0xff, 1])]) {
      socket.send(packed);
      const [data] = (await once(socket, "message")) as [Buffer];
      expect([...data]).to.deep.equal([...packed]);
    }
    const broken = "A frame passed that cannot be unpacked: a packed frame that ends within a word";
    expect(lines).to.deep.equal(["open true packed", "sent 32", "received 32", broken, broken]);
  });

  it("passes frames of both ends, and how each of them closes", async () => {
    await open();
    const socket = dial();
    await once(socket, "open");
    socket.send(new Uint8Array(24));
    const [data] = (await once(socket, "message")) as [Buffer];
    expect(data.length).to.equal(24);
    const [atHost] = [...server.clients];
    const hostHears = once(atHost!, "close");
    socket.close(4001, "enough");
    expect(String(await hostHears)).to.equal("4001,enough");
    await until(() => lines.length === 4);
    expect(lines).to.deep.equal(["open false", "sent 24", "received 24", "closed The caller closed the link: enough"]);
    const second = dial();
    await once(second, "open");
    const callerHears = once(second, "close");
    for (const client of server.clients) client.close(4002, "gone");
    expect(String(await callerHears)).to.equal("4002,gone");
  });

  it("reads no more than can be heard", async () => {
    let release: (() => void) | undefined;
    let heard: Promise<void> | undefined = new Promise((done) => {
      release = done;
    });
    await open({ ready: () => heard });
    const socket = dial();
    await once(socket, "open");
    // Far more than one read takes.
    const count = 4000;
    for (let i = 0; i < count; i++) socket.send(new Uint8Array(1024));
    const sent = () => lines.filter((line) => line.startsWith("sent")).length;
    let before: number;
    do {
      before = sent();
      await new Promise((done) => setTimeout(done, 200));
    } while (sent() === 0 || sent() > before);
    expect(before).to.be.lessThan(count / 2);
    heard = undefined;
    release?.();
    await until(() => sent() === count && lines.filter((line) => line.startsWith("received")).length === count);
  });

  it("refuses links elsewhere, those that no host takes, and those that ask for nonsense", async () => {
    await open();
    expect(await refusal(dial([], "/elsewhere"))).to.equal(404);
    expect((await fetch(tap.url)).status).to.equal(404);
    close();
    await open({ target: "ws://127.0.0.1:9/_capstan" });
    expect(await refusal(dial(["capnp"]))).to.equal(502);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/^closed The host could not be reached: /);
    const headers = { connection: "upgrade", upgrade: "websocket", "sec-websocket-protocol": "a,a" };
    const socket = dial([], "/_capstan", headers);
    expect(await refusal(socket)).to.equal(400);
  });
});
