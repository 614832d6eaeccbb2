import { expect } from "chai";
import { type Options, readOptions } from "../../bench/options.ts";

function read(...args: string[]): Options {
  const options = readOptions(args);
  expect(options).to.not.equal(undefined);
  return options!;
}

describe("bench: what the comparison may be told", () => {
  it("takes four peers and their loops, or with --compare all others too and all that they can do", () => {
    const few = read();
    expect(few.peers).to.deep.equal(["capstan", "ws-echo", "ceiling", "capnweb"]);
    expect(few.steps.map(({ name }) => name)).to.deep.equal(["1", "16", "64", "256"].map((n) => `${n} in flight`));
    expect(few).to.include({ rounds: 5, markdown: undefined, html: undefined });
    const all = read("--compare");
    expect(all.peers).to.include.members(["workerd", "capnp-cpp-ws", "grpc-js"]).and.not.include("capstan-scoped");
    expect(all.steps.map(({ name }) => name)).to.include.members(["bytes on the wire", "many calls on one link"]);
    expect(all.markdown).to.match(/docs[/\\]benchmarks\.md$/);
    expect(all.html).to.match(/docs[/\\]benchmarks\.html$/);
  });

  it("takes in a smoke run what npm ci installed, and leaves the pages as they are", () => {
    const smoke = read("--smoke");
    expect(smoke).to.include({ rounds: 1, duration: 100 });
    expect(smoke.peers).to.include("grpc-js").and.not.include("workerd").and.not.include("capnp-cpp-ws");
    const compare = read("--compare", "--smoke");
    expect(compare.peers).to.include("workerd");
    expect(compare).to.include({ markdown: undefined, html: undefined });
    expect(read("--compare", "--smoke", "--markdown", "x.md").markdown).to.equal("x.md");
  });

  it("refuses what is no number, no peer and no option", () => {
    expect(() => read("--rounds", "0")).to.throw('--rounds takes a number from 1 to 1000: "0"');
    expect(() => read("--seconds", "")).to.throw('--seconds takes a number from 0.01 to 600: ""');
    expect(() => read("--peers", "capstan,nobody")).to.throw('no such peer: "nobody"');
    expect(() => read("--nonsense")).to.throw("--nonsense");
  });
});
