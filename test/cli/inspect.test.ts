import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { WebSocket } from "ws";
import { command, Listening } from "./support/processes.ts";

describe("cli: inspect, in processes of its own", function () {
  this.timeout(120_000);
  const running: Listening[] = [];
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "capstan-inspect-"));
    file = join(folder, "recording");
  });

  afterEach(async () => {
    for (const process of running.splice(0)) await process.kill();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(...args: string[]): Promise<Listening> {
    const process = await Listening.start(...args);
    running.push(process);
    return process;
  }

  const serve = (...args: string[]) => start("serve", ...args, "--port", "0");

  it("shows what a call recorded, message by message, and what is left of it", async () => {
    const host = await serve("examples/worker-b");
    const call = await command("call", host.url, "greet", '"Hi"', "--record", file);
    expect(call).to.include({ code: 0, stdout: '"Hi from worker-b"\n' });
    const { code, stdout } = await command("inspect", file);
    expect(code).to.equal(0);
    const lines = stdout.split("\n").map((line) => line.replace(/^ *\d+\.\d{6} +/, ""));
    expect(lines.slice(0, 8)).to.deep.equal([
      `1 · link with ${host.url.replace("http", "ws")}/_capstan`,
      "1 · opened",
      "1 → bootstrap question 0 (40 bytes)",
      '1 → call question 1 on question 0 Link.service service("", "") (120 bytes)',
      "1 → call question 2 on question 1.0 JsRpcTarget.call greet('Hi') (184 bytes)",
      "1 ← return question 0 results caps [senderHosted import 0] (80 bytes)",
      "1 ← return question 1 results caps [senderHosted import 1] (88 bytes)",
      "1 ← return question 2 results 'Hi from worker-b' no-finish (104 bytes)",
    ]);
    expect(lines).to.include("1 → release import 0 by 1 (40 bytes)");
    expect(lines).to.include("1 · closed: The link was closed.");
    const tables = lines.slice(lines.findIndex((line) => line.startsWith("link 1 with")));
    expect(tables.slice(1, 4)).to.deep.equal([
      "  recording end: questions 0, answers 0, imports 1, exports 0, embargoes 0",
      "  other end: questions 0, answers 0, imports 0, exports 1, embargoes 0",
      '    export 1: ×1, from results of service("", "")',
    ]);
    expect(tables.find((line) => line.startsWith("call "))).to.match(/^call +2 +0$/);
    // Nobody looks at a pipe in colour.
    expect(stdout).to.not.contain("\u001b");
  });

  it("shows what a host recorded, of links to it and of those that it opened", async () => {
    const other = await serve("examples/worker-b");
    const host = await serve("examples/worker-a", "--service", `worker-b=${other.url}`, "--record", file);
    expect(await (await fetch(`${host.url}/add?a=4&b=5`)).text()).to.equal("9\n");
    await command("call", host.url, "nothing");
    expect(await host.stop("SIGTERM")).to.equal(0);
    const { stdout } = await command("inspect", file);
    expect(stdout).to.match(/ 1 → call question \d on question 1.0 JsRpcTarget.call add\(4, 5\)/);
    expect(stdout).to.match(/ 1 ← return question \d results 9 /);
    expect(stdout).to.match(/ 2 · link with 127\.0\.0\.1:\d+\n/);
    expect(stdout).to.match(/ 2 ← call answer 2 on answer 1.0 JsRpcTarget.call nothing\(\)/);
    expect(stdout).to.match(/ 2 → return answer 2 exception failed /);
    expect(stdout).to.match(/ 1 · closed: The link was closed/);
  });

  it("prints one JSON object a line where that is wanted", async () => {
    const host = await serve("examples/worker-b");
    await command("call", host.url, "add", "1", "2", "--record", file);
    const { stdout } = await command("inspect", file, "--json");
    const objects = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string; kind?: string; question?: number });
    expect(objects.find(({ kind, question }) => kind === "call" && question === 2)).to.include({
      event: "message",
      link: 1,
      direction: "sent",
      method: "JsRpcTarget.call",
      content: "add(1, 2)",
      bytes: 184,
    });
    expect(objects.find(({ kind, question }) => kind === "return" && question === 2)).to.include({ content: "3" });
    expect(objects.at(-2)).to.include({ event: "tables", link: 1, closed: "The link was closed." });
    expect(objects.at(-1)).to.deep.include({ event: "totals", links: 1 });
  });

  it("says that a recording was cut off, and refuses what is none", async () => {
    const host = await serve("examples/worker-b");
    await command("call", host.url, "add", "1", "2", "--record", file);
    const whole = await readFile(file);
    await truncate(file, whole.length - 3);
    const cut = await command("inspect", file);
    expect(cut.code).to.equal(0);
    expect(cut.stdout).to.match(/The recording was cut off within a record \(\d+ bytes of it are there\)\./);
    expect(cut.stdout).to.contain("link 1 with").and.to.contain(", open\n");
    await writeFile(file, "something else entirely");
    expect(await command("inspect", file)).to.include({ code: 1, stdout: "" });
    await writeFile(file, "");
    expect((await command("inspect", file)).stderr).to.contain("is no recording");
    expect((await command("inspect", join(folder, "nowhere"))).stderr).to.contain("ENOENT");
    expect((await command("inspect", file, "--port", "0")).code).to.equal(1);
  });

  it("does its call all the same where the recording cannot be written", async function () {
    if (!existsSync("/dev/full")) this.skip();
    const host = await serve("examples/worker-b");
    const { code, stdout, stderr } = await command("call", host.url, "add", "1", "2", "--record", "/dev/full");
    expect(stderr).to.match(/ENOSPC/);
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: "3\n" });
  });

  it("passes links on to a host, shows what passes, and what is left when it is interrupted", async () => {
    const host = await serve("examples/worker-b");
    const tap = await start("inspect", host.url, "--record", file);
    expect(tap.stdout).to.match(/^listening on http:\/\/127\.0\.0\.1:\d+\n/);
    expect(await command("call", tap.url, "add", "1", "2")).to.include({ code: 0, stdout: "3\n" });
    await tap.printed("closed: The caller closed the link");
    // One that stays.
    const socket = new WebSocket(`${tap.url}/_capstan`, ["capstan.1"]);
    await once(socket, "open");
    await tap.printed("2 · opened");
    expect(await tap.stop("SIGINT")).to.equal(0);
    expect(tap.stdout).to.match(/ 1 → call question 2 on question 1.0 JsRpcTarget.call add\(1, 2\) \(184 bytes\)\n/);
    expect(tap.stdout).to.match(/ 1 ← return question 2 results 3 no-finish/);
    expect(tap.stdout).to.match(/\nlink 1 with .*\n {2}caller: .*\n {2}host: .*exports 1, /);
    expect(tap.stdout).to.contain("closed: The tap was closed.");
    expect(tap.stdout).to.match(/\nin all /);
    socket.terminate();
    const recorded = await command("inspect", file);
    expect(recorded.stdout).to.match(
      / 1 → call question 2 on question 1.0 JsRpcTarget.call add\(1, 2\) \(184 bytes\)\n/,
    );
    expect(recorded.stdout).to.contain("closed: The tap was closed.");
  });

  it("shows the messages of packed links as those of others, as a proxy and from a file", async () => {
    const host = await serve("examples/worker-b", "--packed", "always", "--record", file);
    const tapped = join(folder, "tapped");
    const tap = await start("inspect", host.url, "--record", tapped);
    expect(await command("call", tap.url, "add", "1", "2")).to.include({ code: 0, stdout: "3\n" });
    await tap.printed("closed: The caller closed the link");
    expect(await tap.stop("SIGINT")).to.equal(0);
    expect(await host.stop("SIGTERM")).to.equal(0);
    const ends = [tap.stdout, (await command("inspect", tapped)).stdout, (await command("inspect", file)).stdout];
    for (const stdout of ends) {
      expect(stdout).to.contain(" 1 · opened, packed (sizes are those of what is in it)\n");
      expect(stdout).to.match(/ call (question|answer) 2 on .* JsRpcTarget\.call add\(1, 2\) \(184 bytes\)\n/);
      expect(stdout).to.match(/ return (question|answer) 2 results 3 no-finish \(80 bytes\)\n/);
      expect(stdout).to.not.contain("malformed");
    }
    const { stdout } = await command("inspect", file, "--json");
    const opened = stdout.split("\n").find((line) => line.includes('"opened"'));
    expect(JSON.parse(opened ?? "")).to.include({ event: "opened", batched: true, packed: true });
  });

  it("has packed links where call asks for them and serve does not refuse", async () => {
    for (const [policy, opened] of [
      ["remote", "opened, packed"],
      ["never", "opened\n"],
    ] as const) {
      const host = await serve("examples/worker-b", "--packed", policy);
      expect(await command("call", host.url, "add", "1", "2", "--packed", "--record", file)).to.include({ code: 0 });
      expect((await command("inspect", file)).stdout).to.contain(opened);
    }
    const wrong = await command("serve", "examples/worker-b", "--packed", "sometimes");
    expect(wrong.code).to.equal(1);
    expect(wrong.stderr).to.contain("'sometimes' is invalid. Allowed choices are always, remote, never.");
  });

  it("shows frames that are none, passes them on, and lives", async () => {
    const host = await serve("examples/worker-b");
    const tap = await start("inspect", host.url);
    for (const frame of [new Uint8Array(7), new Uint8Array(16).fill(255), new Uint8Array([0, 0, 0, 0, 9, 0, 0, 0])]) {
      const socket = new WebSocket(`${tap.url}/_capstan`, ["capstan.1"]);
      await once(socket, "open");
      socket.send(frame);
      // The host says what it thinks of that.
      const [code] = (await once(socket, "close")) as [number];
      expect(code).to.equal(1002);
    }
    const socket = new WebSocket(`${tap.url}/_capstan`, ["capstan.1"]);
    await once(socket, "open");
    socket.send("text");
    expect((await once(socket, "close"))[0]).to.equal(1003);
    expect(await command("call", tap.url, "add", "1", "2")).to.include({ code: 0, stdout: "3\n" });
    expect(await tap.stop()).to.equal(0);
    expect(tap.stdout).to.match(/ 1 → malformed: a frame of 7 bytes, not of whole words \(7 bytes\)\n/);
    expect(tap.stdout).to.match(/ 1 ← abort exception failed "a frame of 7 bytes/);
    expect(tap.stdout).to.match(/ 3 → malformed: /);
    expect(tap.stdout).to.contain("A text frame passed");
    expect(tap.stdout).to.match(/\nmalformed +3 +0\n/);
  });
});
