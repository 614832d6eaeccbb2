import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { expect } from "chai";
import { LinkProxy, type LinkProxyOptions } from "../../../packages/cli/src/bench/link-proxy.ts";

/** Timers of Node count whole milliseconds, and may be early by the rest. */
const TIMER_MS = 1;

describe("cli: the delay proxy of bench", () => {
  let server: Server;
  let accepted: Promise<Socket>;
  let proxy: LinkProxy;
  let client: Socket;

  /** A client and a host with the proxy between them. */
  async function link(options: Omit<LinkProxyOptions, "host" | "port">): Promise<Socket> {
    server = createServer({ allowHalfOpen: true });
    accepted = once(server, "connection").then(([socket]) => socket as Socket);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    proxy = await LinkProxy.start({ host: "127.0.0.1", port, ...options });
    client = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
    client.on("error", () => {});
    const host = await accepted;
    host.on("error", () => {});
    return host;
  }

  afterEach(async () => {
    client.destroy();
    (await accepted).destroy();
    await proxy.stop();
    server.close();
  });

  /** The end of a socket, in whatever way. */
  function closeOf(socket: Socket): Promise<void> {
    return new Promise((resolve) => socket.once("close", () => resolve()));
  }

  /** When so many bytes have come, and all of them. */
  async function receive(socket: Socket, length: number): Promise<{ at: number; bytes: Buffer }> {
    const pieces: Buffer[] = [];
    let received = 0;
    while (received < length) {
      const [piece] = (await once(socket, "data")) as [Buffer];
      pieces.push(piece);
      received += piece.length;
    }
    return { at: performance.now(), bytes: Buffer.concat(pieces) };
  }

  it("holds bytes back for its delay, each way", async () => {
    const host = await link({ delay: 30 });
    for (const [from, to] of [
      [client, host],
      [host, client],
    ] as const) {
      const arrival = receive(to, 5);
      const sent = performance.now();
      from.write("hello");
      const { at, bytes } = await arrival;
      expect(bytes.toString()).to.equal("hello");
      expect(at - sent).to.be.at.least(30 - TIMER_MS);
    }
  });

  it("delays what is sent while something is on its way by as much, not by more for each piece", async () => {
    const host = await link({ delay: 40 });
    const arrival = receive(host, 20);
    const sent = performance.now();
    let lastSent = sent;
    for (let index = 0; index < 20; index++) {
      lastSent = performance.now();
      client.write("x");
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const { at } = await arrival;
    expect(at - lastSent).to.be.at.least(40 - TIMER_MS);
    // One after the other they would take 20 delays; sending took the rest.
    expect(at - sent).to.be.below(lastSent - sent + 20 * 40);
  });

  it("keeps the order of bytes", async () => {
    const host = await link({ delay: 3 });
    const all = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7) % 251));
    const there = receive(host, all.length);
    for (let at = 0; at < all.length; at += 997) {
      client.write(all.subarray(at, at + 997));
      if (at % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await there).bytes.equals(all)).to.equal(true);
    expect(proxy.passed).to.deep.equal({ toHost: all.length, toClient: 0 });
  });

  it("lets no more bytes through than its bandwidth allows", async () => {
    const host = await link({ delay: 0, bandwidth: 1_000_000 });
    const arrival = receive(host, 100_000);
    const sent = performance.now();
    client.write(Buffer.alloc(100_000));
    expect((await arrival).at - sent).to.be.at.least(100 - TIMER_MS);
  });

  it("passes an end on behind the last bytes, and leaves the other direction open", async () => {
    const host = await link({ delay: 10 });
    const ended = once(host, "end");
    const arrival = receive(host, 4);
    client.end("last");
    expect((await arrival).bytes.toString()).to.equal("last");
    await ended;
    const answer = receive(client, 5);
    host.end("still");
    expect((await answer).bytes.toString()).to.equal("still");
  });

  it("breaks one side when the other breaks", async () => {
    const host = await link({ delay: 5 });
    const closed = closeOf(client);
    client.resume().write("x");
    await once(host, "data");
    host.resetAndDestroy();
    await closed;
  });

  it("drops what it holds when it stops", async () => {
    const host = await link({ delay: 5_000 });
    let received = 0;
    client.resume().write("x");
    const closed = closeOf(client);
    host.on("data", () => received++);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await proxy.stop();
    await closed;
    expect(received).to.equal(0);
    proxy = await LinkProxy.start({ host: "127.0.0.1", port: 9, delay: 0 });
  });

  it("leaves no socket behind where it stops while it passes an end on", async () => {
    const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const before = sockets();
    const host = await link({ delay: 0 });
    const aside = createServer();
    aside.listen(0, "127.0.0.1");
    await once(aside, "listening");
    const there = connect({ port: (aside.address() as AddressInfo).port, host: "127.0.0.1" });
    const [here] = (await once(aside, "connection")) as [Socket];
    const closed = [client, host, here, there].map(closeOf);
    // What is sent here arrives right behind the end: the proxy has passed that on, and it is not through yet.
    client.end(() => there.write("now"));
    await once(here, "data");
    await proxy.stop();
    for (const socket of [client, host, here, there]) socket.destroy();
    await Promise.all(closed);
    for (const listener of [server, aside]) listener.close();
    // What closes is counted until the turn after.
    await turn();
    await turn();
    expect(sockets()).to.equal(before);
    proxy = await LinkProxy.start({ host: "127.0.0.1", port: 9, delay: 0 });
  });
});
