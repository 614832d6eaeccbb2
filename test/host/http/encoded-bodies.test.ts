import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { brotliDecompressSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";
import { expect } from "chai";
import { WorkerResponse } from "../../../packages/host/src/index.ts";
import { deferred, type Loopback, serve } from "./loopback.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("host/http: the body of a response that has a content-encoding", () => {
  let server: Loopback | undefined;

  afterEach(async () => {
    await server?.[Symbol.asyncDispose]();
    server = undefined;
  });

  /** Serves a response with this body, which is to be encoded so. */
  async function start(encoding: string, body: () => BodyInit): Promise<Loopback> {
    server = await serve(
      () => new Response(body(), { headers: { "content-encoding": encoding, "content-length": "5" } }),
    );
    return server;
  }

  /** The response as it came over the wire. */
  async function wire(origin: string): Promise<{ readonly head: IncomingMessage; readonly body: Buffer }> {
    const [head] = (await once(get(origin), "response")) as [IncomingMessage];
    return { head, body: Buffer.concat(await head.toArray()) };
  }

  /** A stream that has one chunk, and what it is read by. */
  async function begin(
    encoding: string,
    cancel?: (reason: unknown) => void,
  ): Promise<{
    readonly source: ReadableStreamDefaultController<unknown>;
    readonly reader: ReadableStreamDefaultReader<Uint8Array>;
    readonly client: AbortController;
  }> {
    const begun = deferred<ReadableStreamDefaultController<unknown>>();
    const source: UnderlyingDefaultSource<unknown> = { start: begun.resolve };
    if (cancel !== undefined) source.cancel = cancel;
    const { origin } = await start(encoding, () => new ReadableStream(source) as BodyInit);
    const client = new AbortController();
    const responding = fetch(origin, { signal: client.signal });
    const controller = await begun.promise;
    controller.enqueue(bytes("first"));
    const { body } = await responding;
    if (body === null) throw new Error("There is no body.");
    return { source: controller, reader: body.getReader(), client };
  }

  for (const [encoding, decode] of [
    ["gzip", gunzipSync],
    ["deflate", inflateSync],
    ["br", brotliDecompressSync],
    ["x-gzip", gunzipSync],
    ["gzip, br", (body: Buffer) => gunzipSync(brotliDecompressSync(body))],
    ["BR,deflate", (body: Buffer) => brotliDecompressSync(inflateSync(body))],
  ] as const) {
    it(`is encoded as ${encoding}, without a length that was another's`, async () => {
      const { origin } = await start(encoding, () => "hello");
      const { head, body } = await wire(origin);
      expect(head.headers["content-encoding"]).to.equal(encoding);
      expect(head.headers["content-length"]).not.to.equal("5");
      expect(String(decode(body))).to.equal("hello");
      expect(await (await fetch(origin)).text()).to.equal("hello");
    });
  }

  for (const encoding of ["x-own", "gzip, x-own", "gzip,", "gzip, gzip, gzip, gzip, gzip, gzip"]) {
    it(`goes out as it is where nobody here encodes so: ${encoding}`, async () => {
      const { head, body } = await wire((await start(encoding, () => "as is")).origin);
      expect([head.headers["content-encoding"], String(body)]).to.deep.equal([encoding, "as is"]);
    });
  }

  it("goes out as it is where encodeBody says that it is encoded already", async () => {
    const headers = { "content-encoding": "gzip" };
    server = await serve(() => new WorkerResponse(gzipSync("by hand"), { headers, encodeBody: "manual" }));
    expect(await (await fetch(server.origin)).text()).to.equal("by hand");
  });

  for (const encoding of ["gzip", "gzip, br"]) {
    describe(`as ${encoding}`, () => {
      it("is encoded chunk by chunk: none waits for the next one", async () => {
        const { source, reader } = await begin(encoding);
        expect(String(Buffer.from((await reader.read()).value ?? []))).to.equal("first");
        source.close();
        expect((await reader.read()).done).to.equal(true);
      });

      it("can't be sent with chunks that are no bytes", async () => {
        for (const chunk of ["text", 5, null, { a: 1 }, new ArrayBuffer(2)]) {
          const body = new ReadableStream<unknown>({ start: (controller) => controller.enqueue(chunk) }) as BodyInit;
          const { origin, sent } = await start(encoding, () => body);
          expect((await fetch(origin)).status).to.equal(500);
          expect(await sent[0]).to.have.property("message", "The response's body has a chunk that is no Uint8Array.");
          await server?.[Symbol.asyncDispose]();
        }
      });

      it("breaks off at a later chunk that is no bytes, and where its source fails", async () => {
        for (const end of ["chunk", "error"]) {
          const { source, reader } = await begin(encoding);
          await reader.read();
          if (end === "chunk") source.enqueue("text");
          else source.error(new RangeError("the source is gone"));
          expect(await reader.read().catch((error: Error) => error.message)).to.equal("terminated");
          expect(await server?.sent[0]).to.be.instanceOf(end === "chunk" ? TypeError : RangeError);
          await server?.[Symbol.asyncDispose]();
        }
      });

      it("is cancelled when the client goes away, and that is no failure", async () => {
        const cancelled = deferred<unknown>();
        const { reader, client } = await begin(encoding, cancelled.resolve);
        await reader.read();
        client.abort();
        await reader.closed.catch(() => {});
        await cancelled.promise;
        expect(await server?.sent[0]).to.equal(undefined);
      });
    });
  }
});
