import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const root = new URL("../../", import.meta.url);
const capstan = fileURLToPath(new URL("packages/cli/bin/capstan.js", root));
const run = promisify(execFile);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command to its end. */
async function command(...args: string[]): Promise<Ended> {
  try {
    return {
      code: 0,
      ...(await run(process.execPath, [capstan, ...args], { cwd: fileURLToPath(root), timeout: 15_000 })),
    };
  } catch (error) {
    return error as Ended;
  }
}

describe("cli: serve and call, in processes of their own", () => {
  const hosts: ChildProcess[] = [];

  /** Starts a host and returns its URL, from its first line. */
  async function serve(...args: string[]): Promise<string> {
    const child = spawn(process.execPath, [capstan, "serve", ...args, "--port", "0"], {
      cwd: fileURLToPath(root),
      stdio: ["ignore", "pipe", "ignore"],
    });
    hosts.push(child);
    const [chunk] = (await once(child.stdout!, "data")) as [Buffer];
    const match = /^listening on (http:\/\/127\.0\.0\.1:\d+)\n/.exec(chunk.toString());
    expect(match).to.not.equal(null);
    return match![1]!;
  }

  afterEach(async () => {
    for (const child of hosts.splice(0)) {
      if (child.exitCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  });

  it("carries calls from one host to another over a link", async () => {
    const b = await serve("examples/worker-b");
    const a = await serve("examples/worker-a", "--service", `worker-b=${b}`);
    expect(await (await fetch(`${a}/add?a=4&b=5`)).text()).to.equal("9\n");
    expect(await (await fetch(`${a}/count`)).text()).to.equal("42\n");
  });

  it("prints the result of one call as JSON, and an error with its name", async () => {
    const b = await serve("examples/worker-b");
    expect(await command("call", b, "add", "1", "2")).to.include({ code: 0, stdout: "3\n" });
    expect(await command("call", b, "greet", '"Hi"')).to.include({ stdout: '"Hi from worker-b"\n' });
    expect(await command("call", b, "missing")).to.include({
      code: 1,
      stderr: 'TypeError: The RPC receiver does not implement the method "missing".\n',
    });
  });

  it("serves both ends in one process without a socket between them", async () => {
    const url = await serve("examples/worker-a", "examples/worker-b");
    expect(await (await fetch(url)).text()).to.equal("Hello from worker-b\n");
  });

  it("offers env, exports and waitUntil of cloudflare:workers within an invocation", async () => {
    const url = await serve("test/fixtures/scoped-worker");
    expect(await command("call", url, "greet", '"Ada"')).to.include({ code: 0, stdout: '"Hi, Ada"\n' });
    expect(await command("call", url, "viaExports")).to.include({ stdout: "5\n" });
    expect(await command("call", url, "finished")).to.include({ stdout: "1\n" });
  });

  it("ends with 0 on SIGTERM once its invocations have ended", async () => {
    const url = await serve("examples/worker-b");
    await command("call", url, "greet", '"Hi"');
    hosts[0]!.kill("SIGTERM");
    expect(await once(hosts[0]!, "exit")).to.deep.equal([0, null]);
  });

  it("refuses a binding that leads nowhere, a missing config, bad JSON and an unreachable host", async () => {
    const unbound = await command("serve", "examples/worker-a", "--port", "0");
    expect(unbound.code).to.equal(1);
    expect(unbound.stderr).to.contain('service "worker-b" is not served here');
    const missing = await command("serve", "examples/nowhere");
    expect(missing.code).to.equal(1);
    expect(missing.stderr)
      .to.match(/^ConfigError: /)
      .and.not.contain("    at ");
    expect((await command("call", "http://127.0.0.1:9", "add")).code).to.equal(1);
    expect((await command("call", "http://127.0.0.1:9", "add", "{")).stderr).to.contain("is not JSON");
  });
});
