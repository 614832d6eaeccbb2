import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const capstan = fileURLToPath(new URL("../../packages/cli/bin/capstan.js", import.meta.url));

interface Slow {
  wait(milliseconds: number): Promise<string>;
  afterwards(milliseconds: number): Promise<string>;
  leaveBehind(where: "timer" | "promise" | "listener"): Promise<string>;
}

describe("cli: a running host", () => {
  let host: ChildProcess;
  let stderr = "";
  let link: ReturnType<typeof connect>;
  let slow: ReturnType<typeof link.service<Slow>>;

  async function start(...args: string[]): Promise<void> {
    host = spawn(process.execPath, [capstan, "serve", "test/fixtures/slow-worker", "--port", "0", ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    stderr = "";
    host.stderr!.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const [line] = (await once(host.stdout!, "data")) as [Buffer];
    link = connect(line.toString().trim().replace("listening on ", ""));
    slow = link.service<Slow>();
  }

  /** Waits until the host has printed `text`. */
  async function printed(text: string): Promise<void> {
    while (!stderr.includes(text)) await once(host.stderr!, "data");
  }

  afterEach(async () => {
    link.close();
    if (host.exitCode !== null || host.signalCode !== null) return;
    host.kill("SIGKILL");
    await once(host, "exit");
  });

  it("goes on with other calls where a Worker's code throws and nobody catches it", async () => {
    await start();
    const other = slow.wait(300);
    for (const where of ["timer", "promise", "listener"] as const) {
      expect(await slow.leaveBehind(where)).to.equal("answered");
      await printed(`Uncaught in a Worker: Error: thrown in a ${where}`);
    }
    expect(await other).to.equal("waited");
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`lets calls in flight finish on ${signal}, and ends with 0`, async () => {
      await start();
      const call = slow.wait(300);
      await printed("waiting");
      host.kill(signal);
      const exited = once(host, "exit");
      expect(await call).to.equal("waited");
      expect(await exited).to.deep.equal([0, null]);
    });
  }

  it("lets waitUntil tasks finish", async () => {
    await start();
    expect(await slow.afterwards(300)).to.equal("answered");
    host.kill("SIGTERM");
    expect(await once(host, "exit")).to.deep.equal([0, null]);
    expect(stderr).to.contain("task done");
  });

  it("takes no new calls meanwhile", async () => {
    await start();
    const call = slow.wait(2_000);
    await printed("waiting");
    host.kill("SIGTERM");
    let refusal: unknown;
    while (refusal === undefined) {
      await slow.wait(0).catch((error: unknown) => {
        refusal = error;
      });
    }
    expect(refusal).to.include({ message: "The host is shutting down.", retryable: true });
    expect(await call).to.equal("waited");
  });

  it("waits no longer than the grace", async () => {
    await start("--grace", "1");
    const call = slow.wait(60_000).catch((error: unknown) => error);
    await printed("waiting");
    const from = Date.now();
    host.kill("SIGTERM");
    expect(await once(host, "exit")).to.deep.equal([0, null]);
    expect(Date.now() - from).to.be.within(900, 10_000);
    expect(await call).to.include({ retryable: true });
  });

  it("ends it at once when it is the second", async () => {
    await start();
    slow.wait(60_000).catch(() => {});
    await printed("waiting");
    host.kill("SIGTERM");
    await new Promise((done) => setTimeout(done, 50));
    expect(host.exitCode).to.equal(null);
    host.kill("SIGTERM");
    expect(await once(host, "exit")).to.deep.equal([1, null]);
  });
});
