import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import type { Change } from "../../../packages/cli/src/bench/compare.ts";
import { HEAP_SETTING } from "../../../packages/cli/src/bench/machine.ts";
import { throughput, wireBytes } from "../../../packages/cli/src/bench/metrics.ts";
import { INITIAL_HEAP } from "../../../packages/cli/src/bench/processes/measured-process.ts";
import { type PeerResult, runSchema } from "../../../packages/cli/src/bench/results.ts";
import { runOf } from "./support/run.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const capstan = join(root, "packages/cli/bin/capstan.js");
const run = promisify(execFile);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** As short as a run can be. */
const SHORT = ["--rounds", "1", "--duration", "0.05", "--warmup", "0", "--timeout", "30"];

/** Until something ends it. */
const ENDLESS = ["--only", "latency", "--duration", "0.02", "--warmup", "0", "--rounds", "1000", "--json"];

function descendants(pid: string): string[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
  return [...children, ...children.flatMap(descendants)];
}

describe("cli: bench", function () {
  this.timeout(120_000);
  let folder: string;
  const hosts: ChildProcess[] = [];

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "capstan-bench-"));
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  afterEach(async () => {
    for (const child of hosts.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  });

  async function bench(...args: string[]): Promise<Ended> {
    try {
      const options = { cwd: root, timeout: 100_000, maxBuffer: 2 ** 24 };
      return { code: 0, ...(await run(process.execPath, [capstan, "bench", ...args], options)) };
    } catch (error) {
      return error as Ended;
    }
  }

  async function start(...args: string[]): Promise<string> {
    const child = spawn(process.execPath, [capstan, ...args], { cwd: root, stdio: ["ignore", "pipe", "ignore"] });
    hosts.push(child);
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`capstan ${args.join(" ")} ended with ${code}`);
    });
    ended.catch(() => {});
    const [chunk] = (await Promise.race([once(child.stdout!, "data"), ended])) as [Buffer];
    return chunk.toString().trim().replace("listening on ", "");
  }

  /** Its output is complete when `ended` resolves. */
  function startBench(...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
    const child = spawn(process.execPath, [capstan, "bench", ...args], {
      cwd: root,
      stdio: ["pipe", "pipe", "pipe"],
    });
    hosts.push(child);
    const [out, err] = [text(child.stdout), text(child.stderr)];
    const ended = once(child, "close").then(async ([code]) => ({ code, stdout: await out, stderr: await err }));
    return { child, ended };
  }

  /** Each round has processes of its own: waits until those of so many rounds have been there. */
  async function rounds(child: ChildProcess, count: number): Promise<void> {
    const seen = new Set<string>();
    while (seen.size <= 2 * count) {
      for (const pid of descendants(String(child.pid))) seen.add(pid);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** A machine that is busy may miss the rate of an open loop. */
  function peerIn(ended: Ended): PeerResult {
    expect(ended.stderr.replace(/^the open loop of .* only\n/, "")).to.equal("");
    const result = runSchema.parse(JSON.parse(ended.stdout));
    expect(result.peers).to.have.length(1);
    return result.peers[0]!;
  }

  it("measures everything on a host of its own, and writes table, JSON, page and CSV", async () => {
    const files = ["run.json", "run.html", "run.csv", "run.txt"].map((name) => join(folder, name));
    const [json, html, csv, txt] = files as [string, string, string, string];
    const smaller = ["--concurrency", "1,8", "--rate", "500", "--chain", "1,3", "--rtt", "0,4", "--fan-out", "5"];
    const outputs = ["--json", json, "--html", html, "-o", csv, "-o", txt, "--payload", "16,64KiB"];
    const { code, stdout, stderr } = await bench(...SHORT, ...smaller, ...outputs);
    expect(stderr.split("\n").filter((line) => !line.startsWith("wrote "))).to.deep.equal([""]);
    expect(code).to.equal(0);
    expect(stdout).to.contain("Chains of dependent calls");
    const result = runSchema.parse(JSON.parse(readFileSync(json, "utf8")));
    const { metrics, errors, curves } = result.peers[0]!;
    expect(errors).to.deep.equal({});
    expect(curves.map(({ id }) => id)).to.deep.equal(["latency", "throughput/8", "open-loop/500"]);
    const value = (id: string): number => {
      const metric = metrics.find((one) => one.id === id);
      expect(metric?.rounds, id).to.have.length(1);
      return metric!.rounds[0]!;
    };
    for (const id of ["latency/p50", "latency/p90", "throughput/1", "throughput/8", "open-loop/500/p90"])
      expect(value(id), id).to.be.above(0);
    for (const id of ["fan-out/5", "payload/16/time", "payload/65536/rate", "stream/upload", "stream/download"])
      expect(value(id), id).to.be.above(0);
    for (const id of ["cpu/client/8", "cpu/host/8", "set-up/p50", "heap/client", "heap/host"])
      expect(value(id), id).to.be.above(0);
    // A call's message has 60 bytes at least; the frame of several has a smaller share for each.
    expect(value("wire/to-host/1")).to.be.within(60, 300);
    expect(value("wire/to-host/64")).to.be.below(value("wire/to-host/1"));
    // The delay holds for chains over the proxy: once when pipelined, for each call when awaited. In microseconds.
    expect(value("chain/4/pipelined/3")).to.be.at.least(3_000);
    expect(value("chain/4/awaited/3")).to.be.at.least(9_000);
    expect(readFileSync(html, "utf8")).to.contain('<canvas id="chains"');
    expect(readFileSync(csv, "utf8")).to.contain("\ncapstan,heap/client,");
    expect(readFileSync(txt, "utf8")).to.contain("Chains of dependent calls").and.not.contain("\x1b");
  });

  it("measures a user's method on a running host, over several links", async () => {
    const url = await start("serve", "examples/worker-b", "--port", "0");
    const { metrics, about } = peerIn(
      await bench(
        url,
        "--method",
        "add",
        "--args",
        "[1, 2]",
        "--rate",
        "200",
        "-c",
        "4",
        "--connections",
        "2",
        "--json",
        ...SHORT,
      ),
    );
    expect(about).to.equal(`add at ${url}`);
    expect([...new Set(metrics.map(({ group }) => group))].sort()).to.deep.equal([
      "calls",
      "cpu",
      "latency",
      "open-loop",
      "set-up",
      "throughput",
      "wire",
    ]);
  });

  it("measures packed links, and counts fewer bytes than capnweb's 97 for a call", async () => {
    const ended = await bench("--packed", "--only", "wire", "--json", ...SHORT);
    expect(runSchema.parse(JSON.parse(ended.stdout)).settings).to.include({
      packed: true,
      [HEAP_SETTING]: INITIAL_HEAP,
    });
    const oneAtATime = peerIn(ended).metrics.filter(({ id }) => id.endsWith("/1"));
    expect(oneAtATime.reduce((sum, { rounds: [value = 0] }) => sum + value, 0)).to.be.within(80, 97);
  });

  it("measures its own Worker where another `capstan bench` serves it", async () => {
    const url = await start("bench", "--serve", "0");
    const ended = await bench(url, "--only", "throughput,heap", "-n", "200", "-c", "4", "--json", ...SHORT);
    const { metrics } = peerIn(ended);
    expect(JSON.parse(ended.stdout).settings.host).to.match(new RegExp(`^Node ${process.version}, .+`));
    const ids = metrics.map(({ id }) => id);
    expect(ids).to.include.members(["throughput/4", "cpu/host/4", "heap/host"]);
  });

  it("measures hosts of several processes with several clients, and compares the runs", async () => {
    const file = join(folder, "several.json");
    const load = ["--only", "processes", "--workers", "1,2", "--clients", "1,3", "-c", "8"];
    expect(await bench(...SHORT, ...load, "--json", file)).to.include({ code: 0, stderr: `wrote ${file}\n` });
    const { metrics, errors } = runSchema.parse(JSON.parse(readFileSync(file, "utf8"))).peers[0]!;
    expect(errors).to.deep.equal({});
    expect(metrics.map(({ id }) => id)).to.deep.equal([
      "processes/1/clients/1/8",
      "processes/1/clients/3/8",
      "processes/2/clients/1/8",
      "processes/2/clients/3/8",
    ]);
    for (const { id, rounds } of metrics) expect(rounds[0], id).to.be.above(0);
    expect((await bench("--compare", file, file)).stdout).to.contain("4 with too few rounds");
  });

  it("counts the errors of a user's method by kind, and fails when nothing succeeds", async () => {
    const url = await start("serve", "test/fixtures/flaky-worker", "--port", "0");
    const only = ["--only", "latency", "-n", "30", "--rounds", "1", "--warmup", "0"];
    const { errors, metrics, calls } = peerIn(await bench(url, "--method", "everyThird", "--json", ...only));
    expect(errors["RangeError: not this one"]).to.be.within(9, 11);
    expect(calls).to.be.within(30, 32);
    const value = (id: string) => metrics.find((one) => one.id === id)!.rounds[0]!;
    expect(value("throughput/1")).to.be.above(0);
    expect(value("latency/calls")).to.equal(30);
    expect(value("latency/errors")).to.equal(10);
    expect(value("latency/error-rate")).to.be.closeTo(33.3, 0.1);
    const hopeless = await bench(url, "--method", "onlyOnce", ...only);
    expect(hopeless).to.include({ code: 1 });
    expect(hopeless.stderr).to.contain("one call at a time: no call succeeded: RangeError: never again");
  });

  it("counts the errors of set-up and of calls whose bytes are counted like all others", async () => {
    const url = await start("serve", "test/fixtures/flaky-worker", "--port", "0");
    const { errors, metrics, failure } = peerIn(
      await bench(url, "--method", "everyThird", "--only", "set-up,wire", "--json", ...SHORT),
    );
    expect(failure).to.equal(undefined);
    expect(Object.keys(errors)).to.deep.equal(["RangeError: not this one"]);
    expect(metrics.map(({ id }) => id)).to.include.members(["set-up/p50", "wire/to-host/1", "wire/to-client/64"]);
    // Bytes by the calls that were made, of which a third failed.
    expect(metrics.find(({ id }) => id === "wire/to-host/1")!.rounds[0]).to.be.within(60, 180);
    const hopeless = await bench(url, "--method", "onlyOnce", "--only", "set-up", ...SHORT);
    expect(hopeless).to.deep.include({ code: 1, stdout: "" });
    expect(hopeless.stderr).to.equal("Error: link set-up: no call succeeded: RangeError: never again\n");
  });

  it("calls a method as often as it is told, and reads its arguments from standard input", async () => {
    const url = await start("serve", "test/fixtures/flaky-worker", "--port", "0");
    const load = ["--method", "howOften", "--args", "@-", "-n", "10", "-c", "4", "--rounds", "1"];
    const { child, ended } = startBench(url, ...load, "--only", "throughput", "--json");
    child.stdin!.end('["a"]');
    expect(peerIn(await ended).metrics.find(({ id }) => id === "throughput/4/calls")!.rounds).to.deep.equal([10]);
    // One on the link, and those that were measured.
    const { stdout } = await run(process.execPath, [capstan, "call", url, "howOften", '"a"'], { cwd: root });
    expect(stdout.trim()).to.equal("12");
  });

  it("ends with 1 where more calls fail than may", async () => {
    const url = await start("serve", "test/fixtures/flaky-worker", "--port", "0");
    const load = [url, "--method", "everyThird", "--only", "latency", "-n", "30", "--rounds", "1"];
    expect(await bench(...load, "--max-error-rate", "0.5")).to.deep.include({ code: 0, stderr: "" });
    const { code, stdout, stderr } = await bench(...load, "--max-error-rate", "0.2");
    expect(code).to.equal(1);
    expect(stdout).to.contain("p50");
    expect(stderr).to.match(/^Error: 1[01] errors in 31 calls: more than --max-error-rate 0.2 allows\n$/);
  });

  it("shows no password that a URL has", async () => {
    const url = (await start("bench", "--serve", "0")).replace("//", "//user:secret@");
    const { stdout, stderr } = await bench(url, "--only", "latency", ...SHORT, "--json");
    expect(runSchema.parse(JSON.parse(stdout)).settings.url).to.equal(`${url.replace("user:secret@", "")}/`);
    const refused = await bench("http://user:secret@127.0.0.1:9", ...SHORT);
    expect(refused.stderr).to.contain("cannot measure http://127.0.0.1:9/: ");
    expect(stdout + stderr + refused.stderr).to.not.contain("secret");
  });

  it("keeps what was measured where a later round fails", async () => {
    const url = await start("serve", "test/fixtures/flaky-worker", "--port", "0");
    const file = join(folder, "worn.json");
    const load = ["--only", "latency", "-n", "100", "--rounds", "9", "--warmup", "0", "-o", file];
    const { code, stdout, stderr } = await bench(url, "--method", "wearsOut", ...load);
    expect(code).to.equal(1);
    expect(stdout).to.contain("p50").and.contain("failed: ");
    const failure = "one call at a time: no call succeeded: RangeError: worn out (after 3 of 9 rounds)";
    expect(stderr).to.equal(`wrote ${file}\nError: ${failure}\n`);
    const result = runSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    expect(result.rounds).to.equal(3);
    expect(result.peers[0]!.failure).to.equal(failure);
  });

  it("keeps what was measured when the host dies, and says during what", async () => {
    const url = await start("serve", "examples/worker-b", "--port", "0");
    const { child, ended } = startBench(url, "--method", "add", "--args", "[1, 2]", ...ENDLESS);
    await rounds(child, 2);
    hosts[0]!.kill("SIGKILL");
    const { code, stdout } = await ended;
    expect(code).to.equal(1);
    const { metrics, failure } = runSchema.parse(JSON.parse(stdout)).peers[0]!;
    expect(metrics[0]!.rounds).to.not.have.length(0);
    expect(failure).to.match(/^(cannot measure |warm-up: |one call at a time: ).* \(after \d+ of 1000 rounds\)$/);
    expect(failure).to.not.contain("Error: Error:");
  });

  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    it(`keeps what was measured on ${signal}`, async () => {
      const { child, ended } = startBench(...ENDLESS);
      await rounds(child, 2);
      child.kill(signal);
      const { code, stdout, stderr } = await ended;
      expect(code).to.equal(exitCode);
      const result = runSchema.parse(JSON.parse(stdout));
      expect(result.rounds).to.be.within(1, 999);
      expect(result.peers[0]!.failure).to.match(/^interrupted after [1-9]\d* of 1000 rounds$/);
      expect(stderr).to.equal(`${result.peers[0]!.failure}\n`);
    });
  }

  it("tells which rate an open loop reached, and that it is too little", async () => {
    const url = await start("serve", "test/fixtures/flaky-worker", "--port", "0");
    const load = ["--only", "open-loop", "-r", "1000", "-n", "30", "--rounds", "1", "--warmup", "0"];
    const { stdout, stderr } = await bench(url, "--method", "everyThird", ...load, "--json");
    const { metrics, notes } = runSchema.parse(JSON.parse(stdout)).peers[0]!;
    const value = (id: string) => metrics.find((one) => one.id === id)!.rounds[0]!;
    expect([value("open-loop/1000/calls"), value("open-loop/1000/errors")]).to.deep.equal([30, 10]);
    // A third failed, so that two thirds of the rate came back at most.
    expect(value("open-loop/1000/reached")).to.be.within(1, 667);
    expect(notes).to.deep.equal([stderr.trim()]);
    expect(stderr).to.match(/^the open loop of 1000 calls\/s reached [\d.]+ calls\/s only\n$/);
  });

  it("compares two runs: as text, JSON, CSV, and as a page with both in one picture", async () => {
    const [a, b] = [join(folder, "a.json"), join(folder, "b.json")];
    const [json, html, csv] = ["both.json", "both.html", "both.csv"].map((name) => join(folder, name)) as string[];
    const metrics = [wireBytes("to host", 1), throughput(64)];
    writeFileSync(a, JSON.stringify(runOf(metrics.map((metric) => [metric, [100, 100]]))));
    writeFileSync(b, JSON.stringify(runOf(metrics.map((metric) => [metric, [200, 200]]))));
    const same = await bench("--compare", a, a, "--fail-on-worse");
    expect(same).to.include({ code: 0 });
    expect(same.stdout)
      .to.contain("0 better, 0 worse, ")
      .and.contain("before: a before,")
      .and.contain("after: a after,");
    const { code, stdout } = await bench("--compare", a, b, "--html", html!, "--json", json!, "-o", csv!);
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/wire: to host, 1 in flight +100 B +200 B +\+100\.0 % +0\.333\n +worse/)
      .and.contain("better");
    const comparison = JSON.parse(readFileSync(json!, "utf8"));
    expect(comparison).to.deep.include({ format: "capstan-bench-comparison", version: 1, errors: [], warnings: [] });
    expect(comparison.before).to.include({ name: "a" });
    expect(comparison.changes.map(({ change, verdict }: Change) => [change, verdict])).to.deep.equal([
      [1, "worse"],
      [1, "better"],
    ]);
    expect(readFileSync(html!, "utf8"))
      .to.contain("<title>a → b</title>")
      .and.contain("<dt>before</dt><dd>a, commit abc1234")
      .and.contain('<td class="worse">+100.0 %</td><td class="worse">worse</td><td>p ')
      .and.contain("<h2>How they were measured</h2>");
    expect(readFileSync(csv!, "utf8")).to.contain("\ncapstan,throughput/64,64 in flight,calls/s,100,200,1,");
    expect(JSON.parse((await bench("--compare", a, b, "--json")).stdout).changes).to.have.length(2);
    expect(await bench("--compare", a, b, "--fail-on-worse")).to.include({ code: 1 });
    const several = runOf(
      [
        [throughput(64), [1]],
        [throughput(1), [1]],
      ],
      "other",
    );
    several.peers.push(
      ...runOf([
        [throughput(64), [2]],
        [throughput(1), [2]],
      ]).peers,
    );
    writeFileSync(b, JSON.stringify(several));
    await bench("--compare", a, b, "--html", html!);
    expect(readFileSync(html!, "utf8"))
      .to.contain('"name":"capstan (a)","detail":"calls per second","color":0,"dash":0,"points":')
      .and.contain('"name":"capstan (b)"');
  });

  it("says what is wrong, and ends with 1", async () => {
    const bad = join(folder, "bad.json");
    writeFileSync(bad, "{}");
    const wrong: [string[], string][] = [
      [["--concurrency", "0"], "Not a number from 1"],
      [["nowhere"], '"nowhere" is not a URL'],
      [["http://127.0.0.1:9", ...SHORT], "cannot measure http://127.0.0.1:9: "],
      [["--html", join(folder, "none/x.html")], "cannot be written"],
      [["--fail-on-worse", ...SHORT], "are for --compare"],
      [["--compare", bad], "--compare takes two files"],
      [["--compare", bad, bad], "is no result of capstan bench"],
      [["--compare", bad, bad, "--rounds", "2"], "--rounds does nothing beside --compare"],
      [["http://127.0.0.1:9", "--compare", bad, bad], "--compare measures nothing: leave out <url>"],
      [["--serve", "0", "--concurrency", "2"], "--concurrency does nothing beside --serve"],
      [["--host", "0.0.0.0"], "--host needs --serve"],
      [["--duration", "3x"], "a bare number means seconds"],
    ];
    for (const [args, message] of wrong) {
      const { code, stderr } = await bench(...args);
      expect(code, args.join(" ")).to.equal(1);
      expect(stderr, args.join(" ")).to.contain(message).and.not.contain("    at ");
    }
    const url = await start("serve", "examples/worker-b", "--port", "0");
    const forgotten = await bench(url, ...SHORT);
    expect(forgotten).to.include({ code: 1 });
    expect(forgotten.stderr).to.contain("not that of `capstan bench --serve`: name a --method of it");
    const plain = await start("serve", "examples/worker-b", "--port", "0", "--packed", "never");
    const refused = await bench(plain, "--method", "add", "--args", "[1, 2]", "--packed", ...SHORT);
    expect(refused).to.include({ code: 1 });
    expect(refused.stderr).to.contain("the host packs no link to here: leave out --packed");
    const missing = await bench(url, "--method", "missing", ...SHORT);
    expect(missing).to.include({ code: 1 });
    expect(missing.stderr).to.contain('does not implement the method "missing"');
  });

  for (const [title, args, processes] of [
    ["", ["--only", "latency"], 2],
    [", of several of the host neither", ["--only", "processes", "--workers", "2", "--clients", "1"], 4],
  ] as const) {
    it(`leaves no process behind when it is interrupted${title}`, () => interrupt(args, processes));
  }

  async function interrupt(args: readonly string[], processes: number): Promise<void> {
    const child = spawn(process.execPath, [capstan, "bench", ...args, "--duration", "60"], {
      cwd: root,
      stdio: "ignore",
    });
    hosts.push(child);
    let started: string[] = [];
    while (started.length < processes) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      started = descendants(String(child.pid));
    }
    const exited = once(child, "exit");
    child.kill("SIGINT");
    expect(await exited).to.deep.equal([130, null]);
    for (const pid of started) {
      const alive = () => {
        try {
          // What ended and was not yet waited for still has an entry.
          return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
        } catch {
          return false;
        }
      };
      while (alive()) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
});
