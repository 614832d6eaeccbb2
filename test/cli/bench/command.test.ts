import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
      if (child.exitCode !== null) continue;
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

  function peerIn(ended: Ended): PeerResult {
    expect(ended.stderr).to.equal("");
    const result = runSchema.parse(JSON.parse(ended.stdout));
    expect(result.peers).to.have.length(1);
    return result.peers[0]!;
  }

  it("measures everything on a host of its own, and writes table, JSON, page and CSV", async () => {
    const files = ["run.json", "run.html", "run.csv", "run.txt"].map((name) => join(folder, name));
    const [json, html, csv, text] = files as [string, string, string, string];
    const smaller = ["--concurrency", "1,8", "--rate", "500", "--chain", "1,3", "--rtt", "0,4", "--fan-out", "5"];
    const outputs = ["--json", json, "--html", html, "-o", csv, "-o", text, "--payload", "16,64KiB"];
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
    for (const id of ["latency/p50", "latency/p999", "throughput/1", "throughput/8", "open-loop/500/p99"])
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
    expect(readFileSync(text, "utf8")).to.contain("Chains of dependent calls").and.not.contain("\x1b");
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
    expect([...new Set(metrics.map(({ group }) => group))].sort()).to.deep.equal(
      ["cpu", "latency", "open-loop", "set-up", "throughput", "wire"].sort(),
    );
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
    const { metrics } = peerIn(
      await bench(url, "--only", "throughput,heap", "-n", "200", "-c", "4", "--json", ...SHORT),
    );
    const ids = metrics.map(({ id }) => id);
    expect(ids).to.include.members(["throughput/4", "cpu/host/4", "heap/host"]);
  });

  it("measures hosts of several processes with several clients, and compares the runs", async () => {
    const file = join(folder, "several.json");
    const load = ["--only", "workers", "--workers", "1,2", "--clients", "1,3", "-c", "8"];
    expect(await bench(...SHORT, ...load, "--json", file)).to.include({ code: 0, stderr: `wrote ${file}\n` });
    const { metrics, errors } = runSchema.parse(JSON.parse(readFileSync(file, "utf8"))).peers[0]!;
    expect(errors).to.deep.equal({});
    expect(metrics.map(({ id }) => id)).to.deep.equal([
      "workers/1/clients/1/8",
      "workers/1/clients/3/8",
      "workers/2/clients/1/8",
      "workers/2/clients/3/8",
    ]);
    for (const { id, rounds } of metrics) expect(rounds[0], id).to.be.above(0);
    expect((await bench("--compare", file, file)).stdout).to.contain("4 with too few rounds");
  });

  it("counts the errors of a user's method by kind, and fails when nothing succeeds", async () => {
    const url = await start("serve", "test/fixtures/flaky-worker", "--port", "0");
    const only = ["--only", "latency", "-n", "30", "--rounds", "1", "--warmup", "0"];
    const { errors, metrics } = peerIn(await bench(url, "--method", "everyThird", "--json", ...only));
    expect(errors["RangeError: not this one"]).to.be.above(5);
    expect(metrics.find(({ id }) => id === "throughput/1")).to.not.equal(undefined);
    const hopeless = await bench(url, "--method", "onlyOnce", ...only);
    expect(hopeless).to.include({ code: 1 });
    expect(hopeless.stderr).to.contain("no call succeeded (one call at a time): RangeError: never again");
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
      [["http://127.0.0.1:9", ...SHORT], "the first call to http://127.0.0.1:9 failed"],
      [["--html", join(folder, "none/x.html")], "cannot be written"],
      [["--fail-on-worse", ...SHORT], "are for --compare"],
      [["--compare", bad], "--compare takes two files"],
      [["--compare", bad, bad], "is no result of capstan bench"],
    ];
    for (const [args, message] of wrong) {
      const { code, stderr } = await bench(...args);
      expect(code, args.join(" ")).to.equal(1);
      expect(stderr, args.join(" ")).to.contain(message).and.not.contain("    at ");
    }
    const url = await start("serve", "examples/worker-b", "--port", "0");
    const missing = await bench(url, "--method", "missing", ...SHORT);
    expect(missing).to.include({ code: 1 });
    expect(missing.stderr).to.contain('does not implement the method "missing"');
  });

  for (const [title, args, processes] of [
    ["", ["--only", "latency"], 2],
    [", of several of the host neither", ["--only", "workers", "--workers", "2", "--clients", "1"], 4],
  ] as const) {
    it(`leaves no process behind when it is interrupted${title}`, () => interrupt(args, processes));
  }

  async function interrupt(args: readonly string[], processes: number): Promise<void> {
    const child = spawn(process.execPath, [capstan, "bench", ...args, "--duration", "60"], {
      cwd: root,
      stdio: "ignore",
    });
    hosts.push(child);
    const descendants = (pid: string): string[] => {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
      return [...children, ...children.flatMap(descendants)];
    };
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
