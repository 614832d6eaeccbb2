import { expect } from "chai";
import { command, endHosts, startHost } from "./support/command.ts";

describe("cli: what call prints", () => {
  let url: string;
  let firstLine: string;
  let stderr: () => string;

  before(async () => {
    ({ url, firstLine, stderr } = await startHost("test/fixtures/odd-worker"));
  });
  after(endHosts);

  it("finds the host's address in the first line of its output, whatever the Worker printed before", () => {
    expect(firstLine).to.equal(`listening on ${url}`);
    expect(stderr()).to.contain("log at load\ninfo at load\nwritten at load\n");
  });

  const printed: readonly [title: string, method: string, stdout: string][] = [
    ["a result with a cycle", "cycle", "<ref *1> [ 1, [Circular *1] ]\n"],
    ["a bigint in a result", "big", "{ amount: 12n }\n"],
    ["a stub", "stub", "[RpcStub]\n"],
    ["stubs in a result", "stubs", "{ one: [RpcStub], more: Map(1) { 'two' => [RpcStub] } }\n"],
    ["what a method returns whose name stubs have too", "onRpcBroken", '"remote onRpcBroken"\n'],
    ["what a method returns whose name all objects have", "toString", '"remote toString"\n'],
    ["what a nested fetch returns", "nested.fetch", '"remote fetch"\n'],
  ];
  for (const [title, method, stdout] of printed) {
    it(`prints ${title}`, async () => {
      expect(await command("call", url, method)).to.deep.equal({ code: 0, stdout, stderr: "" });
    });
  }

  it("prints what was thrown that is no Error", async () => {
    expect(await command("call", url, "thrown")).to.include({
      code: 1,
      stderr: "{ code: 7, why: 'no Error', remote: true }\n",
    });
  });

  it("leaves it to the host to refuse reserved names, and refuses a service's events with a hint", async () => {
    expect((await command("call", url, "dup")).stderr).to.contain("'dup' is a reserved method");
    expect((await command("call", url, "fetch")).stderr).to.match(/"fetch" is an event of a service.*curl/);
    expect((await command("call", url, "connect")).stderr).to.contain('"connect" is an event of a service');
  });
});
