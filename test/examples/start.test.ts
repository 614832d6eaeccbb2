// What `npm start` runs, once everything is built.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const root = fileURLToPath(new URL("../../", import.meta.url));

describe("npm start", function () {
  this.timeout(60_000);
  let start: ChildProcess;
  let output: string;
  /** Of the processes that it started. */
  let pids: number[];

  /** Runs it in a process group of its own, as a terminal does. */
  function run(...args: string[]): void {
    start = spawn(process.execPath, ["--import", "tsx", "examples/start.ts", ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    output = "";
    pids = [];
    for (const stream of [start.stdout!, start.stderr!]) {
      createInterface({ input: stream }).on("line", (line) => {
        output += `${line}\n`;
        const [, pid] = /: process (\d+), http/.exec(line) ?? [];
        if (pid !== undefined) pids.push(Number(pid));
      });
    }
  }

  async function printed(text: string): Promise<void> {
    while (!output.includes(text)) {
      if (start.exitCode !== null || start.signalCode !== null) throw new Error(`It has ended:\n${output}`);
      await new Promise((done) => setTimeout(done, 10));
    }
  }

  function isAlive(pid: number): boolean {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }

  afterEach(() => {
    for (const pid of [start.pid!, ...pids]) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  });

  it("ends after its calls when it is to run once", async () => {
    run("--once");
    expect(await once(start, "close")).to.deep.equal([0, null]);
    expect(output).to.contain("a chain of four calls in one round trip: 42");
    expect(pids.filter(isAlive)).to.deep.equal([]);
  });

  it("lets tasks finish when Ctrl-C signals its whole process group", async () => {
    run();
    await printed("serving until Ctrl-C");
    const [, url] = /worker-a: process \d+, (\S+)/.exec(output)!;
    await printed("worker-b: finished after its answer");
    const before = output.length;
    expect(await (await fetch(url!)).text()).to.contain("from worker-b");
    process.kill(-start.pid!, "SIGINT");
    expect(await once(start, "close")).to.deep.equal([0, null]);
    expect(output.slice(before)).to.contain("worker-b: finished after its answer");
    expect(pids).to.have.length(2);
    expect(pids.filter(isAlive)).to.deep.equal([]);
  });

  it("says which host died while it served, ends the other, and exits with 1", async () => {
    run();
    await printed("serving until Ctrl-C");
    process.kill(pids[0]!, "SIGKILL");
    expect(await once(start, "close")).to.deep.equal([1, null]);
    expect(output).to.contain("worker-b has ended (SIGKILL)");
    expect(pids.filter(isAlive)).to.deep.equal([]);
  });
});
