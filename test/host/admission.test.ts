import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";
import { type Host, serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";

let started = 0;
let finish: (() => void)[] = [];

class Slow extends WorkerEntrypoint {
  async run(callback?: unknown): Promise<string> {
    started++;
    await new Promise<void>((done) => finish.push(done));
    return typeof callback;
  }
  abortSelf(): Promise<string> {
    this.ctx.abort(new Error("given up"));
    return this.run();
  }
  override fetch(): Response {
    return new Response("fetched");
  }
}

async function settled(isDone: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !isDone(); tries++) await new Promise((done) => setTimeout(done, 5));
  expect(isDone()).to.equal(true);
}

function serveSlow(limits: object): Promise<Host> {
  return serve({ port: 0, limits, workers: [{ name: "slow", module: { default: Slow } }] });
}

describe("host: what it takes on at the same time", () => {
  beforeEach(() => {
    started = 0;
    finish = [];
  });
  afterEach(() => {
    for (const done of finish) done();
  });

  it("gives the place of a cancelled call to another only when its method has settled", async () => {
    await using host = await serveSlow({ maxConcurrentInvocations: 2 });
    using link = connect<Slow>(host.url);
    const slow = link.service();
    const calls = Array.from({ length: 6 }, () => slow.run());
    await settled(() => started === 2);
    for (const call of calls.slice(0, 2)) call[Symbol.dispose]();
    await settled(() => host.stats().liveInvocations === 0);
    await new Promise((done) => setTimeout(done, 20));
    expect(started).to.equal(2);
    finish[0]!();
    await settled(() => started === 3);
    for (const call of calls) call[Symbol.dispose]();
  });

  it("gives it away after the time for tasks where the method never settles, cancelled or aborted", async () => {
    await using host = await serveSlow({ maxConcurrentInvocations: 1, waitUntilTimeoutMs: 30 });
    using link = connect<Slow>(host.url);
    const slow = link.service();
    const call = slow.run();
    await settled(() => started === 1);
    call[Symbol.dispose]();
    const aborted = slow.abortSelf().catch((error: unknown) => error);
    await settled(() => started === 2);
    expect(((await aborted) as Error).message).to.equal("given up");
    const last = slow.run();
    await settled(() => started === 3);
    // No place was given away twice.
    const next = slow.run();
    await new Promise((done) => setTimeout(done, 60));
    expect(started).to.equal(3);
    for (const done of finish) done();
    expect(await last).to.equal("undefined");
    await settled(() => started === 4);
    finish[3]!();
    expect(await next).to.equal("undefined");
  });

  it("lets go of the params of a call that is cancelled while it waits, at once", async () => {
    await using host = await serveSlow({ maxConcurrentInvocations: 1 });
    using link = connect<Slow>(host.url);
    const slow = link.service();
    slow.run().catch(() => {});
    await settled(() => started === 1);
    let disposed = 0;
    const callback = Object.assign(() => 1, { [Symbol.dispose]: () => disposed++ });
    const waiting = slow.run(callback);
    await new Promise((done) => setTimeout(done, 20));
    expect(disposed).to.equal(0);
    waiting[Symbol.dispose]();
    await settled(() => disposed === 1);
    expect(started).to.equal(1);
  });

  it("refuses links past its bound, and takes one again when another has ended", async () => {
    await using host = await serveSlow({ maxLinks: 1 });
    const first = connect<Slow>(host.url);
    first
      .service()
      .run()
      .catch(() => {});
    await settled(() => started === 1);
    using second = connect<Slow>(host.url);
    const error = await second
      .service()
      .run()
      .catch((reason: unknown) => reason);
    expect((error as Error).message).to.equal(
      "The link could not be opened: the server takes no more links (it answered 503)",
    );
    expect(host.stats().links).to.equal(1);
    expect(await (await fetch(host.url)).text()).to.equal("fetched");
    first.close();
    await settled(() => host.stats().links === 0);
    using third = connect<Slow>(host.url);
    const call = third.service().run();
    await settled(() => started === 2);
    finish[1]!();
    expect(await call).to.equal("undefined");
  });

  it("answers a request whose Host header is none with 400, and tells nobody else", async () => {
    const reports: unknown[] = [];
    const report = (error: unknown) => void reports.push(error);
    await using host = await serve({ port: 0, report, workers: [{ name: "slow", module: { default: Slow } }] });
    for (const name of ["[", "a b", "x:99999999"]) {
      const sent = httpRequest(host.url, { headers: { host: name } }).end();
      const [response] = await once(sent, "response");
      expect(response.statusCode).to.equal(400);
      response.resume();
    }
    expect(reports).to.deep.equal([]);
  });
});
