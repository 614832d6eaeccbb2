import { expect } from "chai";
import { type Host, serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";

class Callee extends WorkerEntrypoint {
  hello(): string {
    return "hello";
  }
}

class Caller extends WorkerEntrypoint<{ readonly CALLEE: { hello(): Promise<string> } }> {
  override async fetch(): Promise<Response> {
    try {
      return new Response(await this.env.CALLEE.hello());
    } catch (error) {
      return new Response(String(error), { status: 502 });
    }
  }
}

const callee = { name: "callee", module: { default: Callee } };
const services = [
  { binding: "CALLEE", service: "callee" },
  { binding: "AGAIN", service: "callee" },
];

/** A host with the callee, on `port`. */
function serveCallee(port = 0): Promise<Host> {
  return serve({ port, workers: [callee] });
}

describe("host: a binding to another host", () => {
  it("needs the other end only when it is called, and opens its link again when that was lost", async () => {
    const first = await serveCallee();
    const { port } = first;
    await first.close();
    await using caller = await serve({
      port: 0,
      workers: [{ name: "caller", module: { default: Caller }, services }],
      services: { callee: `http://127.0.0.1:${port}` },
    });
    expect((await fetch(caller.url)).status).to.equal(502);
    {
      await using _again = await serveCallee(port);
      expect(await (await fetch(caller.url)).text()).to.equal("hello");
    }
    expect((await fetch(caller.url)).status).to.equal(502);
    await using again = await serveCallee(port);
    expect(await (await fetch(caller.url)).text()).to.equal("hello");
    expect(again.stats().links).to.equal(1);
  });
});
