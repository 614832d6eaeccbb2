// cloudflare:sockets against TCP and TLS servers of this process.
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket as TcpSocket } from "node:net";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import { expect } from "chai";
import { generate } from "selfsigned";
import { connect } from "../../packages/host/src/platform/cloudflare-sockets.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("cloudflare:sockets", () => {
  let certificate: { key: string; cert: string };
  const servers: Server[] = [];

  before(async () => {
    const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }]);
    certificate = { key, cert };
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.close();
      await once(server, "close");
    }
  });

  /** Listens; returns the port. */
  async function listen(server: Server, host = "127.0.0.1"): Promise<number> {
    servers.push(server);
    server.listen(0, host);
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  /** Runs `body` where certificates that nobody signed are taken. */
  async function trusting(body: () => Promise<void>): Promise<void> {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      await body();
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  }

  const echo = (socket: TcpSocket): void => void socket.on("error", () => {}).pipe(socket);

  /** Sends a word through an echo, and closes. */
  async function expectEcho(socket: ReturnType<typeof connect>): Promise<void> {
    await socket.opened;
    const writer = socket.writable.getWriter();
    const reader = socket.readable.getReader();
    await writer.write(encode("hello"));
    expect(new TextDecoder().decode((await reader.read()).value)).to.equal("hello");
    await socket.close();
    expect((await reader.read()).done).to.equal(true);
  }

  it("carries bytes over TCP, and closes while its streams are held", async () => {
    const port = await listen(createServer(echo));
    const socket = connect({ hostname: "127.0.0.1", port });
    expect([socket.secureTransport, socket.upgraded]).to.deep.equal(["off", false]);
    expect((await socket.opened).remoteAddress).to.equal(`127.0.0.1:${port}`);
    await expectEcho(socket);
    await socket.closed;
  });

  it("connects over IPv6", async function () {
    let port = 0;
    try {
      port = await listen(createServer(echo), "::1");
    } catch {
      this.skip();
    }
    const socket = connect(`[::1]:${port}`);
    expect((await socket.opened).remoteAddress).to.equal(`[::1]:${port}`);
    await expectEcho(socket);
  });

  it("is closed when the other end ends, unless it may stay half open", async () => {
    let handleReceived: (text: string) => void = () => {};
    const received = new Promise<string>((resolve) => {
      handleReceived = resolve;
    });
    const port = await listen(
      createServer({ allowHalfOpen: true }, (socket) => {
        socket.on("error", () => {}).on("data", (chunk) => handleReceived(String(chunk)));
        socket.on("end", () => socket.destroy());
        socket.end("bye");
      }),
    );
    const whole = connect(`127.0.0.1:${port}`);
    const writer = whole.writable.getWriter();
    expect(await new Response(whole.readable as BodyInit).text()).to.equal("bye");
    await whole.closed;
    await writer.close();
    const half = connect(`127.0.0.1:${port}`, { allowHalfOpen: true });
    expect(await new Response(half.readable as BodyInit).text()).to.equal("bye");
    const late = half.writable.getWriter();
    await late.write(encode("still here"));
    await late.close();
    await half.closed;
    expect(await received).to.equal("still here");
  });

  it("speaks TLS from the start", async () => {
    const port = await listen(createTlsServer(certificate, echo));
    await trusting(async () => {
      const socket = connect(`localhost:${port}`, { secureTransport: "on" });
      expect(socket.secureTransport).to.equal("on");
      await expectEcho(socket);
    });
  });

  it("closes at once where it is not open yet, and has nothing to send", async () => {
    const held: TcpSocket[] = [];
    // Says nothing, so that TLS never begins.
    const port = await listen(createServer((socket) => held.push(socket.on("error", () => {}))));
    const socket = connect(`localhost:${port}`, { secureTransport: "on" });
    const reader = socket.readable.getReader();
    await socket.close();
    await socket.closed;
    expect((await reader.read()).done).to.equal(true);
    await socket.opened.then(
      () => expect.fail("it was opened"),
      (error) => expect(error.message).to.equal("Network connection lost."),
    );
    for (const end of held) end.destroy();
  });

  it("reads into buffers that the reader brings", async () => {
    const port = await listen(createServer((socket) => void socket.on("error", () => {}).end("hello")));
    const reader = connect(`127.0.0.1:${port}`).readable.getReader({ mode: "byob" });
    let text = "";
    for (let at = await reader.read(new Uint8Array(3)); !at.done; at = await reader.read(new Uint8Array(3))) {
      text += new TextDecoder().decode(at.value);
    }
    expect(text).to.equal("hello");
  });

  it("refuses a certificate that nobody signed", async () => {
    const port = await listen(createTlsServer(certificate, echo));
    const socket = connect(`localhost:${port}`, { secureTransport: "on" });
    const error = await socket.opened.then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.message).to.match(/self.signed/);
    expect(await socket.closed.catch((reason: Error) => reason)).to.be.instanceOf(Error);
  });

  it("goes on with TLS where asked to", async () => {
    const port = await listen(
      createServer((plain) => {
        plain.on("error", () => {});
        plain.once("data", (chunk) => {
          plain.write(`${chunk}?`);
          const secure = new TLSSocket(plain, { isServer: true, ...certificate });
          secure.on("error", () => {}).on("data", (bytes) => secure.write(`${bytes}`));
        });
      }),
    );
    await trusting(async () => {
      const plain = connect(`localhost:${port}`, { secureTransport: "starttls" });
      const writer = plain.writable.getWriter();
      const reader = plain.readable.getReader();
      await writer.write(encode("STARTTLS"));
      expect(new TextDecoder().decode((await reader.read()).value)).to.equal("STARTTLS?");
      const secure = plain.startTls({ expectedServerHostname: "localhost" });
      expect([plain.upgraded, plain.secureTransport, secure.upgraded, secure.secureTransport]).to.deep.equal([
        true,
        "starttls",
        false,
        "on",
      ]);
      expect(() => plain.startTls()).to.throw(TypeError, "upgraded already");
      expect((await reader.read()).done).to.equal(true);
      await plain.closed;
      await expectEcho(secure);
    });
  });

  it("sends all kinds of buffers as bytes", async () => {
    const port = await listen(createServer(echo));
    const socket = connect(`127.0.0.1:${port}`, { allowHalfOpen: true });
    const writer = socket.writable.getWriter() as WritableStreamDefaultWriter<unknown>;
    const { buffer } = Uint8Array.of(65, 66, 67);
    for (const chunk of [buffer, new DataView(buffer, 1), Uint16Array.of(0x4444)]) await writer.write(chunk);
    await writer.close();
    expect(await new Response(socket.readable as BodyInit).text()).to.equal("ABCBCDD");
  });

  it("ends the connection where what is no bytes is written", async () => {
    const ended: Promise<unknown>[] = [];
    const port = await listen(
      createServer(
        (tcp) =>
          void ended.push(
            once(
              tcp.on("error", () => {}),
              "close",
            ),
          ),
      ),
    );
    const socket = connect(`127.0.0.1:${port}`, { allowHalfOpen: true });
    await socket.opened;
    const reader = socket.readable.getReader();
    const writer = socket.writable.getWriter() as WritableStreamDefaultWriter<unknown>;
    const failed = [writer.write("text"), reader.read(), socket.closed].map((part) => part.catch((error) => error));
    for (const error of await Promise.all(failed)) {
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.equal("A socket takes bytes alone: an ArrayBuffer, or a view of one.");
    }
    await Promise.all(ended);
  });

  it("was not opened where it is given up before", async () => {
    const socket = connect(`127.0.0.1:${await listen(createServer(echo))}`);
    await socket.writable.abort();
    for (const part of [socket.opened, socket.closed]) {
      expect(await part.catch((error: Error) => error.message)).to.equal("Network connection lost.");
    }
  });

  it("tells of addresses that are none", () => {
    expect(() => connect("h:99999")).to.throw(TypeError, '"h:99999" is not an address: ports are from 1 to 65535.');
    expect(() => connect("h:0")).to.throw(TypeError, "ports are from 1 to 65535");
    expect(() => connect("::1:80")).to.throw(TypeError, "[address]:port for IPv6");
    expect(() => connect("127.0.0.1:1").startTls()).to.throw(TypeError, "must be set to 'starttls'");
  });

  it("breaks both streams where the connection is refused", async () => {
    const port = await listen(createServer());
    for (const server of servers.splice(0)) server.close();
    const socket = connect(`127.0.0.1:${port}`);
    const error = await socket.opened.catch((reason: Error) => reason);
    expect(error).to.be.instanceOf(Error);
    expect(
      await socket.readable
        .getReader()
        .read()
        .catch((reason: Error) => reason),
    ).to.equal(error);
    expect(await socket.writable.getWriter().closed.catch((reason: Error) => reason)).to.equal(error);
  });
});
