import { expect } from "chai";
import { connect, type Link } from "../../packages/client/src/index.ts";
import { type Host, serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { failure, type Untyped } from "../workers/support/transports.ts";

class Api extends WorkerEntrypoint {
  number(): number {
    return 7;
  }
  promised(value: Untyped): object {
    return { promise: value.promise.dup() };
  }
  async sum(a: Untyped, b: number): Promise<number> {
    return (await a) + b;
  }
}

describe("client: a promise that was received", () => {
  let host: Host;
  let link: Link;
  let api: Untyped;

  before(async () => {
    host = await serve({ port: 0, workers: [{ name: "api", module: { default: Api } }] });
    link = connect(host.url);
    api = link.service();
  });
  after(async () => {
    link.close();
    await host.close();
  });

  it("is asked for only by what can be sent", async () => {
    using number = api.number();
    const result = await api.promised({ promise: number });
    const { questions } = link.tables;
    const failed = failure(api.sum(result.promise, Symbol("q")));
    expect(link.tables.questions).to.equal(questions);
    expect((await failed).message).to.equal("Symbol(q) could not be cloned.");
    expect(await api.sum(result.promise, 1)).to.equal(8);
    result[Symbol.dispose]();
    expect((await failure(api.sum(result.promise, 1))).message).to.equal("RPC promise used after being disposed.");
  });
});
