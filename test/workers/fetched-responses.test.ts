// What a Response says of where it came from, and what becomes of bodies that arrived encoded.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { item, onBothTransports, type Untyped } from "./support/transports.ts";

const gzip = { "content-encoding": "gzip" };

/** The origin of a server that encodes what it sends. */
let upstream = "";

class Api extends WorkerEntrypoint {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/hop") return new Response(null, { status: 302, headers: { location: "/last?a=b#c" } });
    if (pathname === "/fetched") return await fetch(upstream);
    if (pathname === "/encoded") return new Response(gzipSync("encoded here"), { headers: gzip });
    return new Response("body");
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
        await response.text();
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

    for (const [path, text] of [
      ["/fetched", "encoded upstream"],
      ["/encoded", "encoded here"],
    ]) {
      it(`passes on to HTTP clients what a binding answers with: ${path}`, async () => {
        const module = { default: { fetch: (request: Request): Promise<Response> => stage.api.fetch(request) } };
        await using front = await serve({ port: 0, workers: [{ name: "front", module: module as Untyped }] });
        expect(await (await fetch(`${front.url}${path}`)).text()).to.equal(text);
      });
    }
  });
});
