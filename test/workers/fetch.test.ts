// Sections f and g: fetch and connect on a binding.
import { expect } from "chai";
import { WebSocketPair, WorkerEntrypoint, WorkerResponse } from "../../packages/host/src/index.ts";
import {
  deferred,
  eventually,
  expectTypeError,
  failure,
  item,
  onBothTransports,
  type Untyped,
} from "./support/transports.ts";

const log: unknown[] = [];
let gate = deferred();

class Api extends WorkerEntrypoint<{ readonly COLOR: string }> {
  override async fetch(...args: Request[]): Promise<Response> {
    const [request] = args as [Request];
    log.push([args.length, request.method, new URL(request.url).pathname, request.redirect]);
    const url = new URL(request.url);
    switch (url.pathname) {
      case "/echo":
        return new Response(request.body, { headers: { "x-type": request.headers.get("content-type") ?? "" } });
      case "/color":
        return new Response(this.env.COLOR, { status: 203 });
      case "/hop": {
        const left = Number(url.searchParams.get("left"));
        if (left === 0) return new Response(`${request.method} ${await request.text()}`);
        const location = `/hop?left=${left - 1}&status=${url.searchParams.get("status")}`;
        return new Response(null, { status: Number(url.searchParams.get("status")), headers: { location } });
      }
      case "/stream":
        return new Response(
          new ReadableStream({
            async start(controller) {
              controller.enqueue(new TextEncoder().encode("first "));
              await gate.promise;
              controller.enqueue(new TextEncoder().encode("second"));
              controller.close();
            },
          }),
        );
      case "/endless":
        request.signal.addEventListener("abort", () => log.push("aborted"));
        return new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(new Uint8Array(1)),
            cancel: (reason) => void log.push((reason as Error).message),
          }),
        );
      case "/unread-hop":
        return new Response(null, { status: 307, headers: { location: "/echo" } });
      case "/partly-read-hop":
        await request.body?.getReader().read();
        return new Response(null, { status: 308, headers: { location: "/echo" } });
      case "/hang":
        request.signal.addEventListener("abort", () => log.push("aborted"));
        await new Promise(() => {});
        return new Response();
      case "/read-hop":
        await request.arrayBuffer();
        return new Response(null, { status: 307, headers: { location: "/echo" } });
      case "/socket": {
        if (request.headers.get("Upgrade") !== "websocket")
          return new Response("Expected a WebSocket", { status: 426 });
        const [client, server] = new WebSocketPair();
        server.accept();
        server.addEventListener("message", ({ data }: Untyped) => {
          if (data === "bye") server.close(4001, "as you wish");
          else if (data === "send") for (let i = 0; i < 100; i++) server.send(String(i));
          else server.send(typeof data === "string" ? data.toUpperCase() : new Uint8Array(data).reverse());
        });
        server.addEventListener("close", ({ code, reason }: Untyped) => log.push(["closed", code, reason]));
        return new WorkerResponse(null, { status: 101, webSocket: client, headers: { "x-made": "here" } });
      }
      case "/proxied-socket":
        return (this.ctx as Untyped).exports.default.fetch(new Request("http://x.test/socket", request));
      case "/throw":
        throw new RangeError("thrown by fetch");
      default:
        return "not a response" as never;
    }
  }

  override async connect(socket: Untyped): Promise<void> {
    const { localAddress } = await socket.opened;
    log.push(localAddress);
    const writer = socket.writable.getWriter();
    for await (const chunk of socket.readable) {
      await writer.write(new TextEncoder().encode(new TextDecoder().decode(chunk).toUpperCase()));
    }
    await writer.close();
    log.push("handler done");
  }
}

class Throwing extends WorkerEntrypoint {
  override async connect(socket: Untyped): Promise<void> {
    await socket.opened;
    throw new RangeError("thrown by connect");
  }
}

class Empty extends WorkerEntrypoint {}

const handlers = {
  fetch: (...args: unknown[]) => new Response(`${args.length} ${(args[1] as { readonly COLOR: string }).COLOR}`),
};

onBothTransports(
  "f. and g. fetch and connect",
  { default: Api, Empty, Throwing, handlers },
  (stage) => {
    beforeEach(() => {
      log.length = 0;
      gate = deferred();
    });
    afterEach(async () => {
      gate.resolve();
      await stage.idle();
    });

    item("f.1", () => {
      it("hands one Request to a class, whose redirect is manual, and env and ctx too to an object", async () => {
        const response = await stage.api.fetch("http://any.test/color", { redirect: "follow" });
        expect([response.status, await response.text()]).to.deep.equal([203, "green"]);
        expect(log).to.deep.equal([[1, "GET", "/color", "manual"]]);
        expect(await (await stage.env.handlers.fetch("http://x.test")).text()).to.equal("3 green");
      });

      it("makes a Request of its arguments", async () => {
        await expectTypeError(stage.api.fetch("not a url"), "Failed to parse URL from not a url");
        const request = new Request("http://x.test/echo", { method: "POST", body: "from a Request" });
        expect(await (await stage.api.fetch(request)).text()).to.equal("from a Request");
      });

      it("streams bodies both ways", async () => {
        const body = new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode("streamed "));
            controller.enqueue(new TextEncoder().encode("up and down"));
            controller.close();
          },
        });
        // Also from where a request inherits it.
        const init = Object.create({ method: "POST", body });
        expect(await (await stage.api.fetch("http://x.test/echo", init)).text()).to.equal("streamed up and down");
        const reader = (await stage.api.fetch("http://x.test/stream")).body.getReader();
        expect(new TextDecoder().decode((await reader.read()).value)).to.equal("first ");
        gate.resolve();
        expect(new TextDecoder().decode((await reader.read()).value)).to.equal("second");
        expect((await reader.read()).done).to.equal(true);
      });

      it("gives HEAD no body", async () => {
        const response = await stage.api.fetch("http://x.test/stream", { method: "HEAD" });
        expect([response.status, response.body, response.url]).to.deep.equal([200, null, "http://x.test/stream"]);
        expect(await response.text()).to.equal("");
      });

      it("follows redirects through the same binding", async () => {
        const response = await stage.api.fetch("http://x.test/hop?left=3&status=302");
        expect(await response.text()).to.equal("GET ");
        expect(response.redirected).to.equal(true);
        expect(log).to.have.length(4);
      });

      for (const [status, outcome] of [
        [301, "GET "],
        [302, "GET "],
        [303, "GET "],
        [307, "POST body"],
        [308, "POST body"],
      ]) {
        it(`follows a ${status} of a POST as ${outcome}`, async () => {
          const url = `http://x.test/hop?left=2&status=${status}`;
          expect(await (await stage.api.fetch(url, { method: "POST", body: "body" })).text()).to.equal(outcome);
        });
      }

      it("follows a 303 of a HEAD as HEAD", async () => {
        const response = await stage.api.fetch("http://x.test/hop?left=1&status=303", { method: "HEAD" });
        await response.body?.cancel();
        expect(log.map((entry) => (entry as unknown[])[1])).to.deep.equal(["HEAD", "HEAD"]);
      });

      it("follows at most 20", async () => {
        expect(await (await stage.api.fetch("http://x.test/hop?left=20&status=302")).text()).to.equal("GET ");
        await expectTypeError(stage.api.fetch("http://x.test/hop?left=21&status=302"), "Too many redirects.");
      });

      it("hands a redirect over as it is, or refuses it, where asked to", async () => {
        const url = "http://x.test/hop?left=1&status=302";
        expect((await stage.api.fetch(url, { redirect: "manual" })).status).to.equal(302);
        await failure(stage.api.fetch(url, { redirect: "error" }));
      });

      it("aborts the handler's request with the caller's signal", async () => {
        const controller = new AbortController();
        const call = failure(stage.api.fetch("http://x.test/hang", { signal: controller.signal }));
        await eventually(() => log.length === 1);
        controller.abort(new RangeError("given up"));
        expect((await call).message).to.equal("given up");
        await eventually(() => log.length === 2);
      });
    });

    item("f.1", () => {
      for (const path of ["/hop?left=2&status=307", "/unread-hop", "/partly-read-hop"]) {
        it(`sends the body of a Request once more for a redirect: ${path}`, async () => {
          const url = `http://x.test${path}`;
          const texts = ["str", "x".repeat(300_000)];
          for (const body of texts) {
            const response = await stage.api.fetch(new Request(url, { method: "POST", body }));
            const expected = path.startsWith("/hop") ? `POST ${body}` : body;
            expect((await response.text()) === expected).to.equal(true);
          }
        });
      }

      it("does not keep a body that is large, or given as a stream", async () => {
        const large = new Uint8Array(17 * 1024 * 1024);
        const request = new Request("http://x.test/read-hop", { method: "POST", body: large });
        const text = "A body that is a stream cannot be sent once more for a redirect.";
        await expectTypeError(stage.api.fetch(request), text);
        const body = new ReadableStream({ start: (controller) => controller.close() });
        const init = { method: "POST", body, duplex: "half" };
        await expectTypeError(stage.api.fetch("http://x.test/unread-hop", init), text);
      });

      it("breaks the body, and aborts the handler's request, with a signal that aborts after the head", async () => {
        const controller = new AbortController();
        const response = await stage.api.fetch("http://x.test/endless", { signal: controller.signal });
        const reader = response.body.getReader();
        await reader.read();
        log.length = 0;
        const pending = failure(reader.read());
        controller.abort(new RangeError("given up"));
        expect((await pending).message).to.equal("given up");
        await eventually(() => log.length === 2);
        expect([...log].sort()).to.deep.equal(["aborted", "given up"]);
      });
    });

    item("f.2", () => {
      it("refuses what is no Response", async () => {
        await expectTypeError(
          stage.api.fetch("http://x.test/nothing"),
          "Incorrect type for Promise: the Promise did not resolve to 'Response'.",
        );
      });

      it("tells of a missing handler", async () => {
        await expectTypeError(stage.env.Empty.fetch("http://x.test"), "Handler does not export a fetch() function.");
      });

      it("passes on what the handler throws", async () => {
        expect(await failure(stage.api.fetch("http://x.test/throw"))).to.be.instanceOf(RangeError);
      });
    });

    item("f.3", () => {
      const upgrade = { headers: { Upgrade: "websocket" } };

      /** Accepts the response's WebSocket, and collects what it receives. */
      async function open(path: string): Promise<{ socket: Untyped; events: unknown[] }> {
        const response = await stage.api.fetch(`http://x.test${path}`, upgrade);
        expect([response.status, response.ok, response.headers.get("x-made")]).to.deep.equal([101, false, "here"]);
        const socket = response.webSocket;
        const events: unknown[] = [];
        socket.addEventListener("message", ({ data }: Untyped) => {
          events.push(typeof data === "string" ? data : [...new Uint8Array(data)]);
        });
        socket.addEventListener("close", ({ code, reason, wasClean }: Untyped) =>
          events.push({ code, reason, wasClean }),
        );
        socket.accept();
        return { socket, events };
      }

      for (const path of ["/socket", "/proxied-socket"]) {
        it(`hands over a WebSocket that carries text and bytes both ways: ${path}`, async () => {
          const { socket, events } = await open(path);
          socket.send("hello");
          socket.send(Uint8Array.of(1, 2, 3));
          socket.send(Uint8Array.of(9, 4, 5, 6).subarray(1).buffer);
          await eventually(() => events.length === 3);
          expect(events).to.deep.equal(["HELLO", [3, 2, 1], [6, 5, 4, 9]]);
          expect(stage.host.stats().liveInvocations).to.be.greaterThan(0);
          socket.close(3000, "done");
          await eventually(() => events.length === 4);
          expect(events[3]).to.deep.equal({ code: 3000, reason: "done", wasClean: true });
          expect(log.at(-1)).to.deep.equal(["closed", 3000, "done"]);
          expect(socket.readyState).to.equal(3);
        });
      }

      it("keeps messages in order, and lets the handler close", async () => {
        const { socket, events } = await open("/socket");
        socket.send("send");
        socket.send("bye");
        await eventually(() => events.length === 101);
        expect(events.slice(0, 100)).to.deep.equal(Array.from({ length: 100 }, (_, i) => String(i)));
        expect(events[100]).to.deep.equal({ code: 4001, reason: "as you wish", wasClean: true });
        expect(() => socket.send("late")).to.throw(TypeError, "Can't call WebSocket send() after close().");
      });

      it("answers other requests in the ordinary way, without a WebSocket", async () => {
        const response = await stage.api.fetch("http://x.test/socket");
        expect([response.status, response.webSocket]).to.deep.equal([426, undefined]);
        await response.body?.cancel();
      });

      it("refuses what is done in the wrong order", async () => {
        const [client, server] = new WebSocketPair();
        expect(() => client.send("early")).to.throw(TypeError, "You must call accept() on this WebSocket before");
        expect(() => new WorkerResponse(null, { webSocket: client })).to.throw(
          RangeError,
          "Responses with a WebSocket must have status code 101.",
        );
        expect(() => new WorkerResponse(null, { status: 101 })).to.throw(TypeError, "takes a webSocket");
        client.accept();
        expect(() => client.accept()).to.throw(TypeError, "accepted already");
        expect(() => new WorkerResponse(null, { status: 101, webSocket: client })).to.throw(TypeError);
        server.accept();
        expect(() => server.close(1005)).to.throw(TypeError, "Invalid WebSocket close code: 1005.");
        expect(() => server.send(1 as never)).to.throw(TypeError, "takes a string");
        const ordinary = new WorkerResponse("body", { status: 201 });
        expect([ordinary.status, ordinary instanceof Response, await ordinary.text()]).to.deep.equal([
          201,
          true,
          "body",
        ]);
      });
    });

    item("g.1", () => {
      it("carries bytes both ways until both ends are closed", async () => {
        const socket = stage.api.connect("somewhere:80");
        expect(await socket.opened).to.deep.equal({ remoteAddress: "somewhere:80" });
        const writer = socket.writable.getWriter();
        const reader = socket.readable.getReader();
        for (const word of ["hello", "again"]) {
          await writer.write(new TextEncoder().encode(word));
          expect(new TextDecoder().decode((await reader.read()).value)).to.equal(word.toUpperCase());
        }
        await writer.close();
        expect((await reader.read()).done).to.equal(true);
        await socket.closed;
        await eventually(() => log.length === 2);
        expect(log).to.deep.equal(["somewhere:80", "handler done"]);
      });

      it("takes an address in two parts, and closes when asked to", async () => {
        const socket = stage.api.connect({ hostname: "h", port: 1 });
        await socket.opened;
        await socket.close();
        await socket.closed;
        await eventually(() => log.includes("handler done"));
        expect(log[0]).to.equal("h:1");
      });

      it("breaks both directions where the handler throws, and reports it", async () => {
        const socket = stage.env.Throwing.connect("x:1");
        await socket.opened;
        const text = new Response(socket.readable).text();
        expect((await failure(text)).message).to.equal("thrown by connect");
        await failure(socket.closed);
        await eventually(() => stage.reports.length > 0);
        expect((stage.reports[0] as Error).message).to.equal("thrown by connect");
      });

      it("tells of a missing handler", async () => {
        const socket = stage.env.Empty.connect("x:1");
        await expectTypeError(socket.opened, "Handler does not export a connect() function.");
        await failure(socket.closed);
      });
    });
  },
  { vars: { COLOR: "green" } },
);
