import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { HttpError } from "../../../packages/host/src/http/http-error.ts";
import { toRequest } from "../../../packages/host/src/http/request.ts";
import { deferred, type Handler, type Loopback, readUntil, serve } from "./loopback.ts";

describe("host/http: a request from Node's server", () => {
  let server: Loopback | undefined;

  afterEach(async () => {
    await server?.[Symbol.asyncDispose]();
    server = undefined;
  });

  async function start(handler: Handler): Promise<Loopback> {
    server = await serve(handler);
    return server;
  }

  /** The Request that comes of these bytes, or the HttpError, and the first line of the answer. */
  async function receive(text: string): Promise<{ request?: Request; error?: unknown; status: string }> {
    let request: Request | undefined;
    const { raw, failed } = await start((itsRequest) => {
      request = itsRequest;
      return new Response("ok");
    });
    const answer = await raw(text);
    await server?.[Symbol.asyncDispose]();
    server = undefined;
    return { ...(request && { request }), error: failed[0], status: answer.slice(0, answer.indexOf("\r\n")) };
  }

  const get = (target: string, ...headers: string[]) =>
    ["GET ", target, " HTTP/1.1\r\n", ...headers.map((header) => `${header}\r\n`), "Connection: close\r\n\r\n"].join(
      "",
    );

  it("has its method, its URL and a manual redirect", async () => {
    const { origin } = await start((request) =>
      Response.json({ method: request.method, url: request.url, redirect: request.redirect, body: request.body }),
    );
    const response = await fetch(`${origin}/a/b%20c?q=1&q=2`, { method: "PATCH" });
    expect(await response.json()).to.deep.equal({
      method: "PATCH",
      url: `${origin}/a/b%20c?q=1&q=2`,
      redirect: "manual",
      body: null,
    });
  });

  it("has all values of repeated headers, and none that is about the connection", async () => {
    const { request } = await receive(
      "GET / HTTP/1.1\r\nHost: a.test\r\nX-One: 1\r\nx-one: 2\r\nCookie: a=1\r\nCookie: b=2\r\nUser-Agent: x\r\nUser-Agent: y\r\n" +
        "X-Latin: \xe9\r\nKeep-Alive: 5\r\nTE: trailers\r\nX-Private: 1\r\nUpgrade: else\r\nConnection: close, X-Private, upgrade\r\n\r\n",
    );
    expect(Object.fromEntries(request?.headers ?? [])).to.deep.equal({
      cookie: "a=1; b=2",
      host: "a.test",
      upgrade: "else",
      "user-agent": "x, y",
      "x-latin": "\xe9",
      "x-one": "1, 2",
    });
  });

  describe("is at the URL of", () => {
    for (const [what, text, url] of [
      ["the Host header", get("/x", "Host: example.com:81"), "http://example.com:81/x"],
      [
        "the Host header where the target looks like another host",
        get("//evil.test/x", "Host: a.test"),
        "http://a.test//evil.test/x",
      ],
      ["an absolute target", get("http://b.test/y?z", "Host: a.test"), "http://b.test/y?z"],
      ["an absolute target with another scheme", get("https://b.test/", "Host: a.test"), "https://b.test/"],
      ["the host alone for OPTIONS *", get("*", "Host: a.test").replace("GET", "OPTIONS"), "http://a.test/"],
      ["an IPv6 host", get("/", "Host: [::1]:8787"), "http://[::1]:8787/"],
    ] as const) {
      it(what, async () => {
        const { request, status } = await receive(text);
        expect(request?.url).to.equal(url);
        expect(status).to.equal("HTTP/1.1 200 OK");
      });
    }

    it("the server's origin where there is no Host header", async () => {
      const { origin, raw } = await start((request) => new Response(request.url));
      expect(await raw("GET /x HTTP/1.0\r\n\r\n"))
        .to.match(/\r\n\r\n/)
        .and.contain(`${origin}/x`);
      expect(await raw("GET /y HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n")).to.contain(`${origin}/y`);
    });

    it("the server's scheme", async () => {
      const { origin } = await start((_, req, res) => new Response(toRequest(req, "https://me.test", res).url));
      expect(await (await fetch(`${origin}/x`)).text()).to.equal(`https://${new URL(origin).host}/x`);
    });
  });

  describe("is refused as bad (400) for", () => {
    for (const [what, text] of [
      ["a Host with a path", get("/", "Host: a.test/x")],
      ["a Host with a query", get("/", "Host: a.test?x")],
      ["a Host with a user", get("/", "Host: me@a.test")],
      ["a Host with blanks", get("/", "Host: a b")],
      ["a Host with a port that is none", get("/", "Host: a.test:99999")],
      ["two Hosts", get("/", "Host: a.test", "Host: b.test")],
      ["an absolute target with a user", get("http://me:pw@b.test/", "Host: a.test")],
      ["an absolute target that doesn't parse", get("http://a.test:x/", "Host: a.test")],
      ["an absolute target of another protocol", get("ftp://b.test/", "Host: a.test")],
    ] as const) {
      it(what, async () => {
        const { request, error, status } = await receive(text);
        // Node's parser may have refused it before.
        if (error !== undefined) expect(error).to.be.instanceOf(HttpError).with.property("status", 400);
        expect(request).to.equal(undefined);
        expect(status).to.equal("HTTP/1.1 400 Bad Request");
      });
    }
  });

  it("is refused (501) for a method that the fetch API doesn't have", async () => {
    const { error, status } = await receive(get("/", "Host: a.test").replace("GET", "TRACE"));
    expect(error).to.include({ status: 501, message: "Method not supported: TRACE" });
    expect(status).to.equal("HTTP/1.1 501 Not Implemented");
  });

  describe("its body", () => {
    it("is null for GET, for HEAD, and where there is none", async () => {
      const bodies: unknown[] = [];
      const { origin, raw } = await start((request) => {
        bodies.push(request.body);
        return new Response();
      });
      for (const method of ["GET", "HEAD", "POST", "DELETE"]) await fetch(origin, { method });
      await raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      await raw("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
      expect(bodies).to.deep.equal([null, null, null, null, null, null]);
    });

    it("arrives byte for byte, however it is cut", async () => {
      const { origin } = await start(async (request) => new Response(await request.arrayBuffer()));
      const bytes = randomBytes(1_000_000);
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 50_021)
          yield bytes.subarray(at, at + size);
      }
      const body = Readable.toWeb(Readable.from(pieces())) as ReadableStream<Uint8Array>;
      const chunked: RequestInit & { duplex: "half" } = { method: "POST", body, duplex: "half" };
      for (const init of [chunked, { method: "PUT", body: bytes }]) {
        const response = await fetch(origin, init);
        expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).to.equal(true);
      }
    });

    it("arrives whole where its chunks share a buffer, and leaves that buffer as it was", async () => {
      const bytes = new Uint8Array(Buffer.from("abcdefghi"));
      const req = new IncomingMessage(new Socket());
      req.method = "POST";
      req.url = "/";
      req.headers = { "transfer-encoding": "chunked" };
      for (const [from, to] of [
        [0, 3],
        [3, 5],
        [5, 9],
      ] as const)
        req.push(bytes.subarray(from, to));
      req.push(null);
      expect(await toRequest(req, "http://a").text()).to.equal("abcdefghi");
      expect(bytes.length).to.equal(9);
    });

    it("can be taken in every way that a Request has", async () => {
      const { origin } = await start(async (request) => {
        const copy = request.clone();
        const form = await request.clone().formData();
        const blob = await request.clone().blob();
        return Response.json([await copy.text(), form.get("a"), blob.size, (await request.arrayBuffer()).byteLength]);
      });
      const response = await fetch(origin, { method: "POST", body: new URLSearchParams({ a: "1", b: "2" }) });
      expect(await response.json()).to.deep.equal(["a=1&b=2", "1", 7, 7]);
    });

    it("can be read into the reader's own buffers, to the end", async () => {
      const { origin } = await start(async (request) => {
        const reader = (request.body as ReadableStream<Uint8Array>).getReader({ mode: "byob" });
        let text = "";
        for (;;) {
          const { done, value } = await reader.read(new Uint8Array(3));
          if (done) return new Response(`${text}$`);
          text += `${Buffer.from(value).toString()}|`;
        }
      });
      const response = await fetch(origin, { method: "POST", body: "abcdefgh" });
      expect(await response.text()).to.equal("abc|def|gh|$");
    });

    it("streams: what has come can be read before the rest is sent", async () => {
      const { open } = await start(async (request) => {
        const reader = (request.body as ReadableStream<Uint8Array>).getReader();
        const { value } = await reader.read();
        return new Response(Buffer.from(value ?? []).toString());
      });
      const socket = await open();
      socket.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
      expect(await readUntil(socket, /abc$/)).to.contain("200 OK");
      socket.destroy();
    });

    it("is left with its sender until it is asked for", async () => {
      const release = deferred();
      let socketBytes = () => 0;
      const { open } = await start(async (request, req) => {
        socketBytes = () => req.socket.bytesRead;
        const reader = (request.body as ReadableStream<Uint8Array>).getReader();
        await reader.read();
        await release.promise;
        let length = 0;
        for (let result = await reader.read(); !result.done; result = await reader.read())
          length += result.value.byteLength;
        return new Response(`${length}`);
      });
      const socket = await open();
      const size = 32 << 20;
      socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
      socket.write(Buffer.alloc(size));
      await settled(() => socketBytes());
      expect(socketBytes())
        .to.be.greaterThan(0)
        .and.lessThan(1 << 20);
      const answer = readUntil(socket, /\r\n\r\n\d+/);
      release.resolve();
      expect(Number((await answer).split("\r\n\r\n")[1])).to.be.greaterThan(size - (1 << 20));
      socket.destroy();
    });

    it("fails when the client goes away in the middle of it", async () => {
      const failure = deferred<unknown>();
      const reading = deferred();
      const { open } = await start(async (request) => {
        const text = request.text();
        reading.resolve();
        failure.resolve(await text.catch((error: unknown) => error));
        return new Response();
      });
      const socket = await open();
      socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
      await reading.promise;
      socket.destroy();
      expect(await failure.promise).to.include({ name: "AbortError", message: "The client went away." });
    });

    for (const [how, leave] of [
      ["unread", async () => {}],
      ["half-read", async (body: ReadableStream<Uint8Array>) => void (await body.getReader().read())],
      ["cancelled", (body: ReadableStream<Uint8Array>) => body.cancel()],
    ] as const) {
      it(`left ${how} doesn't hold up the next request on the connection`, async () => {
        const { open } = await start(async (request) => {
          if (request.body !== null) await leave(request.body);
          return new Response(new URL(request.url).pathname);
        });
        const socket = await open();
        const size = 4 << 20;
        const second = readUntil(socket, /\/second$/);
        socket.write(`POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
        socket.write(Buffer.alloc(size));
        socket.write("GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
        expect(await second).to.contain("/first");
        socket.destroy();
      });
    }

    it("can't be read on after the response was sent", async () => {
      const failure = deferred<unknown>();
      const { open } = await start((request, _, res) => {
        const reader = (request.body as ReadableStream<Uint8Array>).getReader();
        res.on("close", () => setImmediate(() => reader.read().then(failure.resolve, failure.resolve)));
        return new Response("early");
      });
      const socket = await open();
      socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
      expect(await failure.promise).to.include({
        name: "TypeError",
        message: "Can't read from the request's body after the response was sent.",
      });
      socket.destroy();
    });
  });

  describe("its signal", () => {
    for (const [when, head] of [
      ["without a body", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
      ["whose body was read", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"],
    ] as const) {
      it(`aborts when the client of a request ${when} goes away`, async () => {
        const waiting = deferred();
        const { open, sent } = await start(async (request) => {
          await request.text();
          const aborted = once(request.signal, "abort");
          waiting.resolve();
          await aborted;
          throw request.signal.reason;
        });
        const socket = await open();
        socket.write(head);
        await waiting.promise;
        socket.destroy();
        while (server?.failed.length === 0) await delay(1);
        expect(server?.failed[0]).to.include({ name: "AbortError", message: "The client went away." });
        expect(await sent[0]).to.equal(undefined);
      });
    }

    it("aborts also where the Worker kept nothing of the request but that", async () => {
      const signal = deferred<AbortSignal>();
      const { open } = await start((request) => {
        signal.resolve(request.signal);
        return new Promise<Response>(() => {});
      });
      const socket = await open();
      socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      const kept = await signal.promise;
      for (let i = 0; i < 3; i++) {
        await delay(5);
        collectGarbage();
      }
      socket.destroy();
      await Promise.race([once(kept, "abort"), delay(500)]);
      expect(kept.aborted).to.equal(true);
    });

    it("aborts when the client goes away in the middle of the response", async () => {
      const aborted = deferred<unknown>();
      const { open } = await start((request) => {
        request.signal.addEventListener("abort", () => aborted.resolve(request.signal.reason));
        return new Response(new ReadableStream());
      });
      const socket = await open();
      const head = readUntil(socket, /\r\n\r\n/);
      socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      await head;
      socket.destroy();
      expect(await aborted.promise).to.have.property("name", "AbortError");
    });

    it("doesn't abort once the response was sent, also when the connection closes later", async () => {
      const signals: AbortSignal[] = [];
      const listeners = new Set<number>();
      const closed = deferred();
      const { open, sent } = await start((request, req) => {
        signals.push(request.signal);
        listeners.add(req.socket.listenerCount("close"));
        if (signals.length === 1) req.socket.on("close", () => closed.resolve());
        return new Response("ok");
      });
      const socket = await open();
      for (let i = 0; i < 15; i++) {
        const answer = readUntil(socket, /ok$/);
        socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await answer;
      }
      await Promise.all(sent);
      socket.destroy();
      await closed.promise;
      await delay(5);
      expect(signals.map((signal) => signal.aborted)).to.deep.equal(new Array(15).fill(false));
      // Nor does anything of the requests before stay with the connection; the test's own listener is one.
      expect(Math.max(...listeners) - Math.min(...listeners)).to.equal(1);
    });

    it("aborts for requests that wait behind another on the connection, and no sender is left waiting", async () => {
      const signals: AbortSignal[] = [];
      const { open, sent } = await start((request) => {
        signals.push(request.signal);
        return new Response(new Blob([new Uint8Array(1 << 20)]).stream().pipeThrough(endless(signals.length === 1)));
      });
      const warnings: Error[] = [];
      const onWarning = (warning: Error) => warnings.push(warning);
      process.on("warning", onWarning);
      const socket = await open();
      socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(12));
      while (sent.length < 12) await delay(1);
      await delay(20);
      socket.destroy();
      expect(await Promise.all(sent)).to.deep.equal(new Array(12).fill(undefined));
      expect(signals.every((signal) => signal.aborted)).to.equal(true);
      process.off("warning", onWarning);
      expect(warnings).to.deep.equal([]);
    });

    it("is aborted from the start where the client has gone before", async () => {
      const late = deferred<Request>();
      const { open } = await start(async (_, req, res) => {
        await once(res, "close");
        late.resolve(toRequest(req, "http://a", res));
        return new Response();
      });
      const socket = await open();
      socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
      await delay(10);
      socket.destroy();
      const request = await late.promise;
      expect(request.signal.aborted).to.equal(true);
      expect(await request.text().catch((error: Error) => error.name)).to.equal("AbortError");
    });

    it("follows the socket where there is no response, as for an upgrade", async () => {
      const late = deferred<{ req: IncomingMessage; request: Request }>();
      const { open } = await start((_, req) => {
        late.resolve({ req, request: toRequest(req, "http://a") });
        return new Response("ok");
      });
      const socket = await open();
      const answer = readUntil(socket, /ok$/);
      socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      await answer;
      const { request, req } = await late.promise;
      expect(request.signal.aborted).to.equal(false);
      const closed = once(req.socket, "close");
      socket.destroy();
      await closed;
      expect(request.signal.aborted).to.equal(true);
    });
  });
});

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** Passes chunks on; with `holdEnd` its end never comes. */
function endless(holdEnd: boolean): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({ flush: () => (holdEnd ? new Promise<void>(() => {}) : undefined) });
}

/** Waits until `count` has stopped to grow. */
async function settled(count: () => number): Promise<void> {
  for (let last = -1; count() === 0 || count() !== last; await delay(30)) last = count();
}
