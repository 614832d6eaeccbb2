import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";
import { type Host, serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";

class Api extends WorkerEntrypoint {
  add(a: number, b: number): number {
    return a + b;
  }
  echo(text: string): string {
    return text;
  }
}

class Other extends Api {}

describe("client: the services of a link", () => {
  let host: Host;

  before(async () => {
    host = await serve({ port: 0, workers: [{ name: "api", module: { default: Api, Other } }] });
  });
  after(() => host.close());

  it("takes one table entry for each service, however often it is asked for", async () => {
    using link = connect<Api>(host.url);
    for (let n = 0; n < 50; n++) {
      expect(await link.service().add(n, 1)).to.equal(n + 1);
      await link.service("api", { entrypoint: "Other" }).add(1, 2);
    }
    // The bootstrap capability and two services.
    expect(link.tables.imports).to.equal(3);
  });

  it("gives stubs that can be duplicated and disposed of, each for itself", async () => {
    using link = connect<Api>(host.url);
    const first = link.service();
    const copy = first.dup();
    {
      using second = link.service();
      expect(await second.add(1, 2)).to.equal(3);
    }
    first[Symbol.dispose]();
    expect(() => first.dup()).to.throw("RPC stub used after being disposed.");
    expect(await copy.add(2, 2)).to.equal(4);
    expect(await link.service().add(3, 2)).to.equal(5);
  });

  it("asks anew for a service that could not be asked for", async () => {
    using link = connect<Api>(host.url, { limits: { maxQueuedBytes: 1000 } });
    const first = link.service();
    const waiting = first.echo("x");
    const failed = await link
      .service("api", { entrypoint: "y".repeat(1000) })
      .echo("x")
      .catch((error: unknown) => error);
    expect(failed).to.include({ overloaded: true });
    expect(await waiting).to.equal("x");
    const error = await link
      .service("api", { entrypoint: "y".repeat(1000) })
      .echo("x")
      .catch((reason: unknown) => reason);
    expect((error as Error).message).to.match(/^No such entrypoint: "y+"/);
  });
});
