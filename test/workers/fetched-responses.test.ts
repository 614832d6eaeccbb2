// What a Response says of where it came from, and what becomes of bodies that arrived encoded.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import { serve, WorkerEntrypoint, WorkerResponse } from "../../packages/host/src/index.ts";
import { item, onBothTransports, type Untyped } from "./support/transports.ts";

const gzip = { "content-encoding": "gzip" };

/** The origin of a server that encodes what it sends. */
let upstream = "";

class Api extends WorkerEntrypoint {
  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/hop") return new Response(null, { status: 302, headers: { location: "/last?a=b#c" } });
    if (pathname === "/fetched") return await fetch(upstream);
    if (pathname === "/wrapped") return new Response((await fetch(upstream)).body, { headers: gzip });
    if (pathname === "/to-encode") return new Response("encoded later", { headers: gzip });
    if (pathname === "/encoded") {
      return new WorkerResponse(gzipSync("encoded here"), { headers: gzip, encodeBody: "manual" });
    }
    if (pathname === "/encoded-again") return new WorkerResponse(new Blob([gzipSync("a copy")]), this.encoded());
    if (pathname === "/brotli") {
      return new WorkerResponse(brotliCompressSync("brotli"), {
        headers: { "content-encoding": "br" },
        encodeBody: "manual",
      });
    }
    return new Response("body");
  }
  encoded(): Response {
    return new WorkerResponse(gzipSync("a value"), { headers: gzip, encodeBody: "manual" });
  }
  fetched(): Promise<Response> {
    return fetch(upstream);
  }
}

onBothTransports("f. Fetched Responses", { default: Api }, (stage) => {
  let server: Server;

  before(async () => {
    server = createServer((_, res) => {
      const body = gzipSync("encoded upstream");
      res.writeHead(200, { ...gzip, "content-length": body.length, "x-a": "1" }).end(body);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  item("f.1", () => {
    it("names the URL that was last requested, without its fragment, in the response", async () => {
      for (const [url, last] of [
        ["http://x.test/first#part", "http://x.test/first"],
        ["http://x.test/hop", "http://x.test/last?a=b"],
        ["http://x.test/fetched", "http://x.test/fetched"],
      ]) {
        const response = await stage.api.fetch(url);
        expect(response.url).to.equal(last);
        const copy = response.clone();
        expect([copy.url, copy.redirected, copy.clone().url]).to.deep.equal([last, response.redirected, last]);
        expect(await copy.text()).to.equal(await response.text());
      }
    });

    it("hands over a body that arrived encoded as what it has become", async () => {
      const response = await stage.api.fetch("http://x.test/fetched");
      const { headers } = response;
      expect([headers.get("content-encoding"), headers.get("content-length"), headers.get("x-a")]).to.deep.equal([
        null,
        null,
        "1",
      ]);
      expect(await response.text()).to.equal("encoded upstream");
      const returned = await stage.api.fetched();
      expect([returned.url, await returned.text()]).to.deep.equal([upstream, "encoded upstream"]);
    });

    it("gives whoever fetches a decoded body, and who is handed a Response one as it was made", async () => {
      for (const [path, text] of [
        ["/to-encode", "encoded later"],
        ["/encoded", "encoded here"],
        ["/encoded-again", "a copy"],
      ]) {
        const response = await stage.api.fetch(`http://x.test${path}`);
        expect(response.headers.get("content-encoding")).to.equal("gzip");
        expect(await response.text()).to.equal(text);
      }
      const value = await stage.api.encoded();
      expect(Buffer.from(await value.clone().arrayBuffer())).to.deep.equal(gzipSync("a value"));
      await value.body?.cancel();
    });

    it("refuses to encode bodies in another way than by itself or not at all", () => {
      for (const encodeBody of ["foo", "Manual", ""]) {
        const make = (): Response => new WorkerResponse("body", { headers: gzip, encodeBody: encodeBody as "manual" });
        expect(make).to.throw(TypeError, `encodeBody is "automatic" or "manual", and not "${encodeBody}".`);
      }
      for (const encodeBody of ["automatic", undefined] as const) {
        expect(new WorkerResponse("body", { encodeBody }).status).to.equal(200);
      }
    });

    for (const [path, text] of [
      ["/fetched", "encoded upstream"],
      ["/wrapped", "encoded upstream"],
      ["/to-encode", "encoded later"],
      ["/encoded", "encoded here"],
      ["/encoded-again", "a copy"],
      ["/brotli", "brotli"],
    ]) {
      it(`passes on to HTTP clients what a binding answers with: ${path}`, async () => {
        const module = { default: { fetch: (request: Request): Promise<Response> => stage.api.fetch(request) } };
        await using front = await serve({ port: 0, workers: [{ name: "front", module: module as Untyped }] });
        expect(await (await fetch(`${front.url}${path}`)).text()).to.equal(text);
      });
    }
  });
});
