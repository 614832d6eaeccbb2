import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { errorResponse, HttpError } from "../../../packages/host/src/http/http-error.ts";
import { sendResponse } from "../../../packages/host/src/http/response.ts";
import { deferred, type Handler, type Loopback, readAll, readUntil, serve } from "./loopback.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const bytes = (text: string) => new TextEncoder().encode(text);

describe("host/http: a response to Node's server", () => {
  let server: Loopback | undefined;

  afterEach(async () => {
    await server?.[Symbol.asyncDispose]();
    server = undefined;
  });

  async function start(handler: Handler): Promise<Loopback> {
    server = await serve(handler);
    return server;
  }

  /** What goes over the wire for this response: the status line, the headers but `date` in order, and the rest. */
  async function wire(response: Response, request = GET): Promise<{ status: string; headers: string[]; rest: string }> {
    const { raw } = await start(() => response);
    const [head = "", ...rest] = (await raw(request)).split("\r\n\r\n");
    const [status = "", ...headers] = head.split("\r\n");
    const others = headers.filter((header) => !/^(?:date|connection):/i.test(header));
    return { status, headers: others.map((header) => header.toLowerCase()), rest: rest.join("\r\n\r\n") };
  }

  it("has its status, its reason and its headers, each set-cookie on a line of its own", async () => {
    const headers = new Headers({ "X-A": "1", "content-type": "text/x" });
    headers.append("x-a", "2");
    headers.append("set-cookie", "a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT");
    headers.append("set-cookie", "b=2");
    const {
      status,
      headers: sent,
      rest,
    } = await wire(new Response("hi", { status: 418, statusText: "Short & stout", headers }));
    expect(status).to.equal("HTTP/1.1 418 Short & stout");
    expect(sent).to.have.members([
      "content-type: text/x",
      "x-a: 1, 2",
      "set-cookie: a=1; expires=wed, 21 oct 2099 07:28:00 gmt",
      "set-cookie: b=2",
      "content-length: 2",
    ]);
    expect(rest).to.equal("hi");
  });

  it("has the usual reason where it brings none", async () => {
    expect((await wire(new Response(null, { status: 404 }))).status).to.equal("HTTP/1.1 404 Not Found");
  });

  it("has none of the headers that are about another connection", async () => {
    const headers = {
      connection: "keep-alive, x-hop",
      "keep-alive": "9",
      "transfer-encoding": "gzip",
      "x-hop": "1",
      "x-end": "1",
    };
    const { headers: sent, rest } = await wire(new Response("hi", { headers }));
    expect(sent).to.include("x-end: 1").and.include("content-length: 2");
    expect(sent.join()).not.to.match(/x-hop|keep-alive|transfer-encoding/);
    expect(rest).to.equal("hi");
  });

  it("says the length of a body that is there at once, also of an empty one", async () => {
    for (const [body, length] of [
      ["héllo", 6],
      [new Uint8Array(3), 3],
      ["", 0],
      [null, 0],
      [streamOf(bytes("ab"), bytes(""), bytes("cd")), 4],
    ] as const) {
      const { headers } = await wire(new Response(body));
      expect(headers, String(body)).to.include(`content-length: ${length}`);
      await server?.[Symbol.asyncDispose]();
    }
  });

  for (const [what, response, request] of [
    ["HEAD", () => new Response("body", { headers: { "content-length": "4" } }), GET.replace("GET", "HEAD")],
    ["204", () => new Response(null, { status: 204 }), GET],
    ["304", () => new Response(null, { status: 304, headers: { etag: '"x"' } }), GET],
  ] as const) {
    it(`has no body for ${what}`, async () => {
      const { headers, rest } = await wire(response(), request);
      expect(rest).to.equal("");
      expect(headers.join()).not.to.contain("transfer-encoding");
      if (what === "HEAD") expect(headers).to.include("content-length: 4");
      else expect(headers.join()).not.to.contain("content-length");
    });
  }

  it("cancels the body that a HEAD has no use for", async () => {
    const cancelled = deferred<unknown>();
    const { raw } = await start(() => new Response(new ReadableStream({ cancel: () => cancelled.resolve(true) })));
    await raw(GET.replace("GET", "HEAD"));
    expect(await cancelled.promise).to.equal(true);
  });

  describe("with a streamed body", () => {
    it("goes out as it comes: the head before the first chunk, and each chunk before the next", async () => {
      let controller!: ReadableStreamDefaultController<Uint8Array>;
      const { open } = await start(() => new Response(new ReadableStream({ start: (its) => void (controller = its) })));
      const socket = await open();
      const head = readUntil(socket, /\r\n\r\n$/);
      socket.write(GET);
      expect(await head).to.match(/transfer-encoding: chunked/i);
      for (const text of ["one", "two"]) {
        const chunk = readUntil(socket, /\r\n$/);
        controller.enqueue(bytes(text));
        expect(await chunk).to.equal(`3\r\n${text}\r\n`);
      }
      const rest = readAll(socket);
      controller.enqueue(new Uint8Array(0));
      controller.enqueue(bytes("three"));
      controller.close();
      expect(await rest).to.equal("5\r\nthree\r\n0\r\n\r\n");
    });

    it("arrives byte for byte when it is large", async () => {
      const size = 5_000_000;
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          if (sent % 3 === 0) await delay(0);
          const chunk = Uint8Array.from({ length: Math.min(70_001, size - sent) }, (_, i) => (sent + i) % 251);
          sent += chunk.length;
          controller.enqueue(chunk);
          if (sent === size) controller.close();
        },
      });
      const { origin } = await start(() => new Response(body));
      const received = new Uint8Array(await (await fetch(origin)).arrayBuffer());
      expect(received.length).to.equal(size);
      expect(received.every((byte, at) => byte === at % 251)).to.equal(true);
    });

    it("is asked for no more than the client takes", async () => {
      let pulled = 0;
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            pulled++;
            controller.enqueue(new Uint8Array(65_536));
          },
        },
        { highWaterMark: 0 },
      );
      const { open } = await start(() => new Response(body));
      const socket = await open();
      socket.pause();
      socket.write(GET);
      await settled(() => pulled);
      const paused = pulled;
      // What fits in the two ends' socket buffers, and no more: 32 MiB at most.
      expect(paused).to.be.lessThan(512);
      socket.resume();
      while (pulled < paused + 50) await delay(1);
      socket.destroy();
      await settled(() => pulled);
    });

    it("is cancelled when the client goes away, and that is no failure", async () => {
      for (const enqueueFirst of [true, false]) {
        const cancelled = deferred<unknown>();
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            if (enqueueFirst) controller.enqueue(bytes("x"));
          },
          cancel: cancelled.resolve,
        });
        const { open, sent } = await start(() => new Response(body));
        const socket = await open();
        const head = readUntil(socket, /\r\n\r\n/);
        socket.write(GET);
        await head;
        socket.destroy();
        expect(await cancelled.promise).to.include({ name: "AbortError", message: "The client went away." });
        expect(await sent[0]).to.equal(undefined);
        await server?.[Symbol.asyncDispose]();
      }
    });

    it("is cancelled when the client goes away while it takes nothing", async () => {
      const cancelled = deferred<unknown>();
      const pull = (controller: ReadableStreamDefaultController<Uint8Array>) =>
        controller.enqueue(new Uint8Array(1 << 20));
      const { open, sent } = await start(() => new Response(new ReadableStream({ pull, cancel: cancelled.resolve })));
      const socket = await open();
      socket.pause();
      socket.write(GET);
      await delay(100);
      socket.destroy();
      expect(await cancelled.promise).to.have.property("name", "AbortError");
      expect(await sent[0]).to.equal(undefined);
    });

    it("is cancelled where the client has gone before there was a response", async () => {
      const cancelled = deferred<unknown>();
      const asked = deferred();
      const { open, sent } = await start(async (_, req) => {
        asked.resolve();
        await once(req.socket, "close");
        return new Response(new ReadableStream({ cancel: cancelled.resolve }));
      });
      const socket = await open();
      socket.write(GET);
      await asked.promise;
      socket.destroy();
      expect(await cancelled.promise).to.have.property("name", "AbortError");
      expect(await sent[0]).to.equal(undefined);
    });

    it("whose connection its own source destroys is no failure", async () => {
      const { raw, sent } = await start((_, __, res) => {
        const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
          res.destroy();
          controller.enqueue(bytes("late"));
        };
        return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }));
      });
      expect(await raw(GET)).to.equal("");
      expect(await sent[0]).to.equal(undefined);
    });

    it("that fails midway cuts the connection, so that nobody takes it for whole", async () => {
      let controller!: ReadableStreamDefaultController<Uint8Array>;
      const { open, sent } = await start(
        () => new Response(new ReadableStream({ start: (its) => void (controller = its) })),
      );
      const socket = await open();
      const start_ = readUntil(socket, /abc\r\n$/);
      const rest = readAll(socket);
      socket.write(GET.replace("Connection: close\r\n", ""));
      while (controller === undefined) await delay(1);
      await delay(10);
      controller.enqueue(bytes("abc"));
      await start_;
      const error = new Error("the source is gone");
      controller.error(error);
      expect(await rest).not.to.contain("0\r\n\r\n");
      expect(await sent[0]).to.equal(error);
    });

    it("that fails before anything was sent leaves room for another answer", async () => {
      const error = new Error("no source");
      const body = new ReadableStream({ start: (controller) => controller.error(error) });
      const { status, rest, headers } = await wire(
        new Response(body, { headers: { "content-length": "99", "x-a": "1" } }),
      );
      expect(await server?.sent[0]).to.equal(error);
      expect(status).to.equal("HTTP/1.1 500 Internal Server Error");
      expect(headers.join()).not.to.contain("x-a");
      expect(rest).to.equal("Internal Server Error\n");
    });
  });

  describe("can't be sent", () => {
    for (const [what, response, message] of [
      ["whose body was read", () => read(new Response("x")), "The response's body was read already."],
      ["whose body is being read", () => lock(new Response("x")), "The response's body was read already."],
      ["that stands for a network error", () => Response.error(), "A response with the status 0 can't be sent."],
      [
        "with chunks that are no bytes",
        () => new Response(streamOf("text")),
        "The response's body has a chunk that is no Uint8Array.",
      ],
      [
        "with a header that HTTP can't have",
        () => new Response("x", { headers: { "x-a": "\x01" } }),
        "Invalid character in header content",
      ],
    ] as const) {
      it(what, async () => {
        const { status } = await wire(await response());
        expect(status).to.equal("HTTP/1.1 500 Internal Server Error");
        expect(await server?.sent[0])
          .to.be.instanceOf(TypeError)
          .with.property("message")
          .that.contains(message);
      });
    }

    for (const [what, length] of [
      ["longer", "9"],
      ["shorter", "2"],
    ] as const) {
      it(`with a content-length that is ${what} than its body`, async () => {
        const { raw, sent } = await start(() => new Response("hello", { headers: { "content-length": length } }));
        expect(await raw(GET)).not.to.contain("hello");
        expect(await sent[0]).to.have.property("code", "ERR_HTTP_CONTENT_LENGTH_MISMATCH");
      });
    }
  });

  it("that was fetched and arrived encoded goes out as what it has become", async () => {
    const upstream = createServer((_, res) => {
      const body = gzipSync("decoded");
      res.writeHead(200, { "content-encoding": "gzip", "content-length": body.length, "x-a": "1" }).end(body);
    }).listen(0, "127.0.0.1");
    await once(upstream, "listening");
    try {
      const { origin } = await start(() => fetch(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`));
      const response = await fetch(origin);
      expect(response.headers.get("x-a")).to.equal("1");
      expect(response.headers.get("content-encoding")).to.equal(null);
      expect(await response.text()).to.equal("decoded");
    } finally {
      upstream.closeAllConnections();
      upstream.close();
    }
  });

  it("goes to an old client without chunks", async () => {
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await delay(2);
        controller.enqueue(bytes("late"));
        controller.close();
      },
    });
    const { rest } = await wire(new Response(body), "GET / HTTP/1.0\r\n\r\n");
    expect(rest).to.equal("late");
  });

  it("settles only when all was sent", async () => {
    let settledFirst: boolean | undefined;
    const { raw, sent } = await start((_, __, res) => {
      res.on("finish", () => (settledFirst = false));
      return new Response("x");
    });
    await raw(GET);
    await sent[0]?.then(() => (settledFirst ??= true));
    expect(settledFirst).to.equal(false);
  });

  describe("for an error", () => {
    it("tells nothing of what a Worker threw", async () => {
      for (const error of [
        new Error("secret /home/me/worker.js"),
        "secret",
        undefined,
        { status: 200, message: "secret" },
      ]) {
        const response = errorResponse(error);
        expect(response.status).to.equal(500);
        expect(response.headers.get("content-type")).to.equal("text/plain; charset=utf-8");
        expect(await response.text()).to.equal("Internal Server Error\n");
      }
    });

    it("has an HttpError's status and text", async () => {
      const response = errorResponse(new HttpError(400, "Bad Host header"));
      expect(response.status).to.equal(400);
      expect(await response.text()).to.equal("Bad Host header\n");
    });

    it("is 503 where the host is overloaded", () => {
      expect(errorResponse(Object.assign(new Error("too many"), { overloaded: true })).status).to.equal(503);
    });
  });

  it("is sent by itself too, on a response of Node's without a Request", async () => {
    const plain = createServer((_, res) => void sendResponse(res, new Response("plain"))).listen(0, "127.0.0.1");
    await once(plain, "listening");
    expect(await (await fetch(`http://127.0.0.1:${(plain.address() as AddressInfo).port}`)).text()).to.equal("plain");
    plain.closeAllConnections();
    plain.close();
  });
});

function streamOf(...chunks: unknown[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

async function read(response: Response): Promise<Response> {
  await response.text();
  return response;
}

function lock(response: Response): Response {
  response.body?.getReader();
  return response;
}

/** Waits until `count` has stopped to grow. */
async function settled(count: () => number): Promise<void> {
  for (let last = -1; count() === 0 || count() !== last; await delay(50)) last = count();
}
