import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  integerFrom,
  listOf,
  parseArguments,
  parseSize,
  someOf,
  timeFrom,
} from "../../../packages/cli/src/bench/options.ts";
import {
  MEASUREMENTS,
  OF_ANY_METHOD,
  planProcesses,
  planRound,
  planWarmUp,
} from "../../../packages/cli/src/bench/plan.ts";
import { expectRound } from "../../../packages/cli/src/bench/run.ts";
import { chooseOptions, describeSettings } from "../../../packages/cli/src/bench/settings.ts";
import { shownUrl } from "../../../packages/cli/src/bench/shown-url.ts";

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

  it("reads times with a unit or without, and names the units where it cannot", () => {
    const duration = timeFrom(10, 3_600_000, "s");
    expect(["3s", "500ms", "1m", "0.5", "1.5 s", "10MS"].map(duration)).to.deep.equal([
      3_000, 500, 60_000, 500, 1_500, 10,
    ]);
    for (const wrong of ["", "3h", "s", "-1s", "9ms", "61m", "1s2", "0"]) {
      expect(() => duration(wrong), wrong).to.throw(
        "Not a time from 10ms to 3600s, such as 3s, 500ms or 1m; a bare number means seconds.",
      );
    }
    expect(listOf(timeFrom(0, 10_000, "ms"))("50,1s,0")).to.deep.equal([0, 50, 1_000]);
    expect(() => timeFrom(0, 10_000, "ms")("x")).to.throw(
      "from 0ms to 10s, such as 3s, 500ms or 1m; a bare number means millisec",
    );
  });

  it("reads arguments from a file", () => {
    const folder = mkdtempSync(join(tmpdir(), "capstan-bench-"));
    try {
      const file = join(folder, "args.json");
      writeFileSync(file, '[1, "x"]\n');
      expect(parseArguments(`@${file}`)).to.deep.equal([1, "x"]);
      writeFileSync(file, "x");
      expect(() => parseArguments(`@${file}`)).to.throw("Not JSON in there");
      expect(() => parseArguments(`@${file}x`)).to.throw(/args\.jsonx cannot be read: ENOENT/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("measures everything but several processes on a host of its own, in about a minute", () => {
    const options = chooseOptions(undefined, {});
    expect(options.only).to.deep.equal(MEASUREMENTS.filter((name) => name !== "processes"));
    expect(options.roundTrips).to.deep.equal([0, 1, 10, 50, 200]);
    expect(options.rounds * expectRound(options)).to.be.below(75_000);
    const quick = chooseOptions(undefined, { quick: true });
    expect(quick.rounds * expectRound(quick)).to.be.below(15_000);
  });

  it("measures of a user's method what can be measured of any", () => {
    expect(chooseOptions(HOST, { method: "add" }).only).to.deep.equal(["latency", "throughput", "set-up", "wire"]);
    const both = { method: "add", rate: [100], concurrency: [2] };
    expect(chooseOptions(HOST, both).only).to.deep.equal(OF_ANY_METHOD);
    expect(chooseOptions("https://example.com", { method: "add" }).only).to.not.include("wire");
    expect(() => chooseOptions(HOST, { method: "add", only: ["chains"] })).to.throw(
      "--only chains needs the benchmark's own Worker",
    );
    expect(() => chooseOptions(HOST, { method: "add", only: ["open-loop"] })).to.throw("needs a --rate");
    expect(() => chooseOptions("wss://example.com", { only: ["chains"] })).to.throw("TLS");
  });

  it("calls a user's method at a rate alone where only that is given, the warm-up too", () => {
    const options = chooseOptions(HOST, { method: "add", rate: [200, 500] });
    expect(options.only).to.deep.equal(["open-loop"]);
    expect(planWarmUp(options, true)).to.deep.equal([{ kind: "open-loop", rate: 200, duration: 1_000 }]);
    const latency = chooseOptions(HOST, { method: "add", only: ["latency"] });
    expect(planWarmUp(latency, true)).to.deep.equal([{ kind: "closed-loop", inFlight: 1, duration: 1_000 }]);
    const more = chooseOptions(HOST, { method: "add", rate: [200], only: ["wire", "open-loop"] });
    expect(more.only).to.deep.equal(["wire", "open-loop"]);
  });

  it("calls a user's method as often as it is told, and no more", () => {
    const options = chooseOptions(HOST, { method: "add", requests: 10, concurrency: [4, 8] });
    expect(options).to.deep.include({ only: ["latency", "throughput"], warmup: 0 });
    expect(planWarmUp(options, true)).to.deep.equal([]);
    const warm = chooseOptions(HOST, { method: "add", requests: 10, concurrency: [4], warmup: 500 });
    expect(planWarmUp(warm, true)).to.deep.equal([
      { kind: "closed-loop", inFlight: 4, duration: 250, requests: 5 },
      { kind: "closed-loop", inFlight: 1, duration: 250, requests: 5 },
    ]);
    expect(chooseOptions(HOST, { method: "add", requests: 10, only: ["wire", "latency"] }).only).to.include("wire");
    expect(chooseOptions(undefined, { requests: 10 }).only).to.include("set-up");
  });

  it("measures hosts of several processes where it is told how many, or told to", () => {
    expect(chooseOptions(undefined, { workers: [1, 3] })).to.deep.include({ processes: [1, 3], clients: [4] });
    for (const flags of [{ workers: [2] }, { clients: [2] }]) {
      expect(chooseOptions(undefined, flags).only).to.deep.equal(MEASUREMENTS);
    }
    const only = chooseOptions(undefined, { only: ["processes"], clients: [1, 2], concurrency: [1, 8], duration: 100 });
    expect(planRound(only)).to.deep.equal([]);
    const steps = planProcesses(only);
    expect(steps.map(({ name, processes }) => [name, processes])).to.deep.equal([
      ["host of 1 process", 1],
      ["host of 2 processes", 2],
      ["host of 4 processes", 4],
    ]);
    expect(steps[0]).to.deep.include({ clients: [1, 2], inFlight: 8, duration: 100 });
    expect(expectRound(only)).to.equal(steps.reduce((sum, { expected }) => sum + expected, 0));
    expect(planProcesses(chooseOptions(undefined, {}))).to.deep.equal([]);
  });

  it("refuses flags that do not go together", () => {
    for (const name of ["workers", "clients"]) {
      expect(() => chooseOptions(HOST, { [name]: [2] })).to.throw(`--${name} is for hosts of the benchmark's own`);
    }
    expect(() => chooseOptions(HOST, { only: ["processes"] })).to.throw("--only processes starts hosts of its own");
    expect(() => chooseOptions(undefined, { method: "add" })).to.throw("--method needs the <url>");
    expect(() => chooseOptions(HOST, { args: [] })).to.throw("--args needs --method");
    expect(() => chooseOptions("nowhere", {})).to.throw('"nowhere" is not a URL');
    expect(() => chooseOptions("ftp://x", {})).to.throw("use http, https, ws or wss");
  });

  it("refuses flags that would do nothing", () => {
    const own = "needs the benchmark's own Worker: leave out --method";
    for (const [flags, message] of [
      [{ chain: [4] }, `--chain does nothing: chains ${own}`],
      [{ rtt: [50] }, `--rtt does nothing: chains ${own}`],
      [{ bandwidth: 1 }, `--bandwidth does nothing: chains ${own}`],
      [{ payload: [1] }, `--payload does nothing: payloads ${own}`],
      [{ fanOut: [3] }, `--fan-out does nothing: fan-out ${own}`],
    ] as const) {
      expect(() => chooseOptions(HOST, { method: "add", ...flags }), message).to.throw(message);
    }
    const not = "is not among what is measured";
    expect(() => chooseOptions(undefined, { only: ["latency"], concurrency: [4] })).to.throw(
      `--concurrency does nothing: throughput ${not}`,
    );
    expect(() => chooseOptions(undefined, { only: ["wire"], requests: 4 })).to.throw("--requests does nothing");
    expect(() => chooseOptions(undefined, { only: ["latency"], rate: [4] })).to.throw(`open-loop ${not}`);
    expect(() => chooseOptions(undefined, { only: ["latency"], clients: [4] })).to.throw(`processes ${not}`);
    expect(() => chooseOptions("https://x", { chain: [4] })).to.throw(
      "--chain does nothing: chains goes through a proxy",
    );
  });

  it("tells what it leaves out, and why", () => {
    const leftOut = (...told: Parameters<typeof chooseOptions>) => chooseOptions(...told).leftOut;
    expect(leftOut(undefined, { rtt: [0, 50] })).to.deep.equal([]);
    expect(leftOut(undefined, { rtt: [0, 200], chain: [1, 16, 32] })).to.deep.equal([
      "left out: awaited chains of 16, 32 calls at 200 ms; -d 1.6 measures them",
    ]);
    expect(leftOut(undefined, { rtt: [0, 200], chain: [1, 16, 32], duration: 1_600 })).to.deep.equal([]);
    expect(leftOut("wss://x", {})).to.deep.equal([
      "left out: chains and wire, measured through a proxy, which TLS does not allow",
    ]);
    expect(leftOut("https://x", { method: "add" })[0]).to.contain("left out: wire, ");
    expect(leftOut("https://x", { method: "add", only: ["latency"] })).to.deep.equal([]);
    expect(leftOut(HOST, { method: "add", connections: 16, concurrency: [1, 4, 16] })).to.deep.equal([
      "left out: with 1, 4 calls in flight, all but as many of the 16 links",
    ]);
  });

  it("records every option as it was chosen, without the password of a URL", () => {
    const url = "http://user:secret@127.0.0.1:1/x";
    const flags = { method: "add", args: [1], requests: 20, concurrency: [2], connections: 2, packed: true };
    expect(describeSettings(chooseOptions(url, flags))).to.deep.equal({
      url: "http://127.0.0.1:1/x",
      host: "not known; what is said of machine and Node is the client's",
      method: "add",
      args: "[1]",
      only: "latency,throughput",
      rounds: 5,
      "seconds of a measurement": 0.5,
      "seconds of a loop at most": 600,
      "seconds of warm-up": 0,
      "calls of a measurement": 20,
      "calls in flight": [2],
      connections: 2,
      packed: true,
      "timeout in seconds": 10,
    });
    const own = describeSettings(
      chooseOptions(undefined, { only: ["chains", "open-loop"], rate: [7], rtt: [1], chain: [2] }),
    );
    expect(own).to.deep.include({
      "calls per second of the open loop": [7],
      "calls of a chain": [2],
      "round trips of chains in ms": [1],
    });
    expect(() => chooseOptions("ftp://user:secret@x", {})).to.throw('"ftp://x/" cannot');
    for (const wrong of ["user:secret@x", "http://user:secret@x:y", "ftp://user:secret@x"]) {
      expect(() => chooseOptions(wrong, {}), wrong).to.throw(/^((?!secret).)*$/);
    }
    expect(shownUrl(HOST)).to.equal(HOST);
  });

  it("plans the measurements of a round, without awaited chains that would take most of its time", () => {
    const steps = planRound(chooseOptions(undefined, { only: ["latency", "chains", "wire"], rtt: [200], chain: [32] }));
    expect(steps.map(({ request }) => request.kind)).to.deep.equal(["closed-loop", "chains", "wire", "wire"]);
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
