// A Cap'n Proto peer that knows nothing of Capstan but its schemas calls a Worker, and serves one to `capstan call`.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { type Ended, needPeer, PeerServer, runToEnd } from "./peer.ts";

const capstan = fileURLToPath(new URL("../../packages/cli/bin/capstan.js", import.meta.url));
const worker = fileURLToPath(new URL("../fixtures/interop-worker", import.meta.url));

describe("interop: the C++ peer and Workers", function () {
  this.timeout(120_000);
  const binary = needPeer();

  describe("calling a Worker on a host", () => {
    let host: ChildProcess | undefined;
    let address: string;

    before(async () => {
      host = spawn(process.execPath, [capstan, "serve", worker, "--port", "0"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      const [line] = (await once(createInterface(host.stdout!), "line")) as [string];
      address = new URL(line.replace("listening on ", "")).host;
    });

    after(async () => {
      if (host === undefined) return;
      const exited = once(host, "exit");
      host.kill("SIGKILL");
      await exited;
    });

    const call = (service: string, ...args: string[]): Promise<Ended> =>
      runToEnd(binary(), ["call-worker", "--ws", address, service, ...args]);

    it("gets numbers for numbers", async () => {
      expect(await call("interop-worker", "add", "1", "2")).to.deep.equal({ code: 0, stdout: "3\n", stderr: "" });
      expect((await call("", "add", "-1.5", "0.25")).stdout).to.equal("-1.25\n");
      expect((await call("", "add", "2147483647", "1")).stdout).to.equal("2147483648\n");
    });

    it("gets strings for strings, of every width", async () => {
      expect((await call("", "greet", "Ada")).stdout).to.equal('"Hello, Ada!"\n');
      expect((await call("", "greet", "Zoë")).stdout).to.equal('"Hello, Zoë!"\n');
      expect((await call("", "greet", "Ω 😀")).stdout).to.equal('"Hello, Ω 😀!"\n');
    });

    it("gets arrays and objects", async () => {
      const { stdout } = await call("", "describe", "7", "x", "8");
      expect(JSON.parse(stdout)).to.deep.equal({ count: 3, args: [7, "x", 8], nothing: null, yes: true });
    });

    it("gets what the Worker throws as an exception of type failed", async () => {
      const { code, stderr } = await call("", "fail", "on purpose");
      expect(code).to.equal(1);
      expect(stderr).to.equal("failed: failed: remote exception: jsg.RangeError: on purpose\n");
    });

    it("is told of unknown services and methods", async () => {
      expect((await call("nobody", "add", "1", "2")).stderr).to.include('No such service: "nobody"');
      expect((await call("", "nothing")).stderr).to.include(
        'jsg.TypeError: The RPC receiver does not implement the method "nothing".',
      );
    });
  });

  describe("serving one to `capstan call`", () => {
    let server: PeerServer;

    before(async () => {
      server = await PeerServer.start(binary(), "serve-worker", "ws");
    });

    after(async () => {
      const ended = await server.end();
      expect(ended).to.deep.equal({ code: 0, stdout: "", stderr: "" });
    });

    const call = (...args: string[]): Promise<Ended> =>
      runToEnd(process.execPath, [capstan, "call", `http://${server.address}`, ...args]);

    it("answers numbers", async () => {
      expect(await call("add", "1", "2")).to.deep.equal({ code: 0, stdout: "3\n", stderr: "" });
      expect((await call("add", "0.5", "-3")).stdout).to.equal("-2.5\n");
    });

    it("answers strings", async () => {
      expect((await call("greet", '"Ada"')).stdout).to.equal('"Hello, Ada!"\n');
      expect((await call("greet", '"Zoë Ω 😀"')).stdout).to.equal('"Hello, Zoë Ω 😀!"\n');
    });

    it("fails as a JavaScript error", async () => {
      const { code, stderr } = await call("nothing");
      expect(code).to.equal(1);
      expect(stderr).to.include('TypeError: The RPC receiver does not implement the method "nothing".');
    });
  });
});
