import { expect } from "chai";
import { integerFrom, listOf, parseArguments, parseSize, someOf } from "../../../packages/cli/src/bench/options.ts";
import { MEASUREMENTS, planRound, planSeveral } from "../../../packages/cli/src/bench/plan.ts";
import { expectRound } from "../../../packages/cli/src/bench/run.ts";
import { chooseOptions } from "../../../packages/cli/src/bench/settings.ts";

const HOST = "http://127.0.0.1:8787";

describe("cli: what bench may be told", () => {
  it("reads lists, sizes, names and arguments, and refuses what is none", () => {
    expect(listOf(integerFrom(1, 100))("64,1,16,1")).to.deep.equal([1, 16, 64]);
    expect(() => listOf(integerFrom(1, 100))("1,x")).to.throw("Not a number from 1 to 100");
    expect(() => listOf(integerFrom(1, 100))("1,,2")).to.throw("Not a number");
    expect(() => integerFrom(1, 100)("1.5")).to.throw("Not a whole number");
    expect(["16", "4KiB", "1 MiB", "2k", "10B"].map(parseSize)).to.deep.equal([16, 4096, 1_048_576, 2048, 10]);
    for (const wrong of ["", "0", "-1", "4GiB", "31MiB", "1.0001k"]) expect(() => parseSize(wrong), wrong).to.throw();
    expect(someOf(["a", "b", "c"])("c, a")).to.deep.equal(["a", "c"]);
    expect(() => someOf(["a", "b"])("d")).to.throw('"d" is none of a, b');
    expect(parseArguments('[1, "x"]')).to.deep.equal([1, "x"]);
    expect(() => parseArguments("{")).to.throw("Not JSON");
    expect(() => parseArguments("1")).to.throw("Not a JSON array");
  });

  it("measures everything but several processes on a host of its own, in about a minute", () => {
    const options = chooseOptions(undefined, {});
    expect(options.only).to.deep.equal(MEASUREMENTS.filter((name) => name !== "workers"));
    expect(options.roundTrips).to.deep.equal([0, 1, 10, 50, 200]);
    expect(options.rounds * expectRound(options)).to.be.below(75_000);
    const quick = chooseOptions(undefined, { quick: true });
    expect(quick.rounds * expectRound(quick)).to.be.below(15_000);
  });

  it("measures of a user's method what can be measured of any", () => {
    expect(chooseOptions(HOST, { method: "add" }).only).to.deep.equal(["latency", "throughput", "set-up", "wire"]);
    expect(chooseOptions(HOST, { method: "add", rate: [100] }).only).to.include("open-loop");
    expect(chooseOptions("https://example.com", { method: "add" }).only).to.not.include("wire");
    expect(() => chooseOptions(HOST, { method: "add", only: ["chains"] })).to.throw(
      "--only chains needs the benchmark's own Worker",
    );
    expect(() => chooseOptions(HOST, { method: "add", only: ["open-loop"] })).to.throw("needs a --rate");
    expect(() => chooseOptions("wss://example.com", { only: ["chains"] })).to.throw("TLS");
  });

  it("measures hosts of several processes where it is told how many, or told to", () => {
    expect(chooseOptions(undefined, { workers: [1, 3] })).to.deep.include({ workers: [1, 3], clients: [4] });
    for (const flags of [{ workers: [2] }, { clients: [2] }]) {
      expect(chooseOptions(undefined, flags).only).to.deep.equal(MEASUREMENTS);
    }
    const only = chooseOptions(undefined, { only: ["workers"], clients: [1, 2], concurrency: [1, 8], duration: 100 });
    expect(planRound(only)).to.deep.equal([]);
    const steps = planSeveral(only);
    expect(steps.map(({ name, processes }) => [name, processes])).to.deep.equal([
      ["host of 1 process", 1],
      ["host of 2 processes", 2],
      ["host of 4 processes", 4],
    ]);
    expect(steps[0]).to.deep.include({ clients: [1, 2], inFlight: 8, duration: 100 });
    expect(expectRound(only)).to.equal(steps.reduce((sum, { expected }) => sum + expected, 0));
    expect(planSeveral(chooseOptions(undefined, {}))).to.deep.equal([]);
  });

  it("refuses flags that do not go together", () => {
    for (const name of ["workers", "clients"]) {
      expect(() => chooseOptions(HOST, { [name]: [2] })).to.throw(`--${name} is for hosts of the benchmark's own`);
    }
    expect(() => chooseOptions(HOST, { only: ["workers"] })).to.throw("--only workers starts hosts of its own");
    expect(() => chooseOptions(undefined, { method: "add" })).to.throw("--method needs the <url>");
    expect(() => chooseOptions(HOST, { args: [] })).to.throw("--args needs --method");
    expect(() => chooseOptions("nowhere", {})).to.throw('"nowhere" is not a URL');
    expect(() => chooseOptions("ftp://x", {})).to.throw("use http, https, ws or wss");
  });

  it("plans the measurements of a round, without awaited chains that would take most of its time", () => {
    const steps = planRound(
      chooseOptions(undefined, { only: ["latency", "chains", "wire"], concurrency: [1, 16], rtt: [200], chain: [32] }),
    );
    expect(steps.map(({ request }) => request.kind)).to.deep.equal(["closed", "chains", "wire", "wire"]);
    expect(steps[1]!.expected).to.be.below(6_400);
  });

  it("lets a number of calls end a loop instead of the time", () => {
    const [closed, open] = planRound(
      chooseOptions(undefined, { only: ["latency", "open-loop"], requests: 50, rate: [100] }),
    );
    expect(closed!.request).to.deep.include({ requests: 50, duration: 600_000 });
    expect(open!.request).to.deep.include({ requests: 50, duration: 500 });
  });
});
