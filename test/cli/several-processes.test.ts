import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { parseProcesses } from "../../packages/cli/src/whole-number.ts";
import { command } from "./support/command.ts";
import { ServedProcesses } from "./support/process-group.ts";

describe("cli: several processes behind one port", function () {
  this.timeout(60_000);
  const started: ServedProcesses[] = [];
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "capstan-test-"));
  });

  afterEach(async () => {
    for (const one of started.splice(0)) await one.kill();
    rmSync(folder, { recursive: true });
  });

  function start(...args: string[]): ServedProcesses {
    const one = new ServedProcesses(...args, "--port", "0");
    started.push(one);
    return one;
  }

  const serve = (...args: string[]): Promise<ServedProcesses> => start(...args).listening();
  const serveTwo = (...args: string[]): Promise<ServedProcesses> =>
    serve("test/fixtures/process-worker", "--workers", "2", ...args);

  /** A Worker whose module begins with `code`. */
  function write(code: string): string {
    writeFileSync(join(folder, "wrangler.jsonc"), '{ "name": "written", "main": "./index.js" }');
    const methods = "whereAmI() { return { pid: process.pid }; }";
    const worker = `import { WorkerEntrypoint } from "cloudflare:workers";\nexport default class extends WorkerEntrypoint { ${methods} }`;
    writeFileSync(join(folder, "index.js"), `${code}\n${worker}\n`);
    return folder;
  }

  describe("starting", () => {
    it("prints the first line when all of them accept connections, which they get in turn", async () => {
      const host = await serve("test/fixtures/process-worker", "--workers", "3");
      const pids = await host.places(6);
      expect(new Set(pids.slice(0, 3)).size).to.equal(3);
      expect(pids.slice(3)).to.deep.equal(pids.slice(0, 3));
      expect(pids).to.not.include(host.child.pid);
    });

    it("prints it once and first, whatever Workers print", async () => {
      const host = await serveTwo();
      await host.link().print("from a Worker");
      await host.printed("stdout", "from a Worker");
      expect(host.stdout).to.equal(`listening on ${host.url}\nfrom a Worker\n`);
      expect(host.stderr).to.equal("loaded\nloaded\n");
    });

    it("gives each process what modules keep at their top level, and each link one process", async () => {
      const host = await serveTwo();
      const [one, other] = [host.link(), host.link()];
      expect((await one.whereAmI()).calls).to.equal(1);
      expect((await other.whereAmI()).calls).to.equal(1);
      expect((await one.whereAmI()).calls).to.equal(2);
    });

    it("takes a number of processes, or auto for one for each core, and nothing else", async () => {
      expect(["1", "12", "1024", "auto"].map(parseProcesses)).to.deep.equal([1, 12, 1_024, availableParallelism()]);
      for (const wrong of ["0", "", "two", "1.5", "-1", "1025"]) {
        expect(() => parseProcesses(wrong), wrong).to.throw("Not a number of processes (1 to 1024)");
      }
      const { code, stderr } = await command("serve", "test/fixtures/process-worker", "--workers", "0");
      expect(stderr).to.contain('Not a number of processes (1 to 1024), nor "auto".');
      expect(code).to.equal(1);
    });

    it("tells what is wrong with a Worker once, as one process does, and ends with 1", async () => {
      for (const worker of ["examples/nowhere", "examples/worker-a", "test/fixtures/exiting-worker"]) {
        const one = await command("serve", worker, "--port", "0");
        const several = await command("serve", worker, "--port", "0", "--workers", "3");
        expect(one.stderr).to.not.equal("");
        expect(several.stderr, worker).to.equal(one.stderr);
        expect(several, worker).to.include({ code: 1, stdout: "" });
      }
    });

    it("tells once of a port that is taken", async () => {
      const { url } = await serve("test/fixtures/process-worker");
      const { port } = new URL(url);
      const ended = await command("serve", "examples/worker-b", "--port", port, "--workers", "3");
      expect(ended.stderr).to.equal(`Error: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`);
      expect(ended).to.include({ code: 1, stdout: "" });
    });

    it("tells once what is odd in a configuration", async () => {
      const host = await serve("examples/worker-b", "--workers", "3", "--service", "worker-x=http://127.0.0.1:9");
      expect(host.stderr).to.equal('service worker-x=http://127.0.0.1:9 is not used: no binding leads to "worker-x"\n');
    });

    it("ends with 1 where the first process serves and another one cannot", async () => {
      const worker = write(`import { mkdirSync } from "node:fs"; mkdirSync(${JSON.stringify(join(folder, "taken"))});`);
      const { code, stdout, stderr } = await command("serve", worker, "--port", "0", "--workers", "2");
      expect(stderr).to.match(/^WorkerLoadError: .*written.* threw while it was loaded: .*EEXIST.*\n$/);
      expect({ code, stdout }).to.deep.equal({ code: 1, stdout: "" });
    });

    it("says so where a process is killed before it serves", async () => {
      const worker = write("process.kill(process.pid, 'SIGKILL');");
      const { code, stderr } = await command("serve", worker, "--port", "0", "--workers", "2");
      expect(stderr).to.match(/^Process \d+ could not start \(SIGKILL\)\.\n$/);
      expect(code).to.equal(1);
    });

    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      it(`ends without a word on ${signal} while a Worker loads`, async () => {
        const host = start(write("console.error('loading'); await new Promise(() => {});"), "--workers", "2");
        await host.printed("stderr", "loading\n");
        host.child.kill(signal);
        expect(await host.ended).to.deep.equal(
          signal === "SIGTERM" ? { code: 0, signal: null } : { code: null, signal },
        );
        expect(host.stderr).to.equal("loading\n");
      });
    }
  });

  describe("on a signal", () => {
    for (const [title, signal, isToAll] of [
      ["SIGTERM to the primary process", "SIGTERM", false],
      ["Ctrl-C, which signals all processes", "SIGINT", true],
      ["SIGTERM to all processes", "SIGTERM", true],
    ] as const) {
      it(`lets calls in flight finish in all of them, and ends with 0: ${title}`, async () => {
        const host = await serveTwo();
        const links = [host.link(), host.link()];
        const calls = links.map((link) => link.wait(300));
        await host.printed("stderr", "waiting", 2);
        if (isToAll) host.signalAll(signal);
        else host.child.kill(signal);
        expect(await Promise.all(calls)).to.deep.equal(["waited", "waited"]);
        expect(await host.ended).to.deep.equal({ code: 0, signal: null });
        expect(host.stderr).to.not.contain("ended");
      });
    }

    it("ends all at once where it is the second", async () => {
      const host = await serveTwo();
      const calls = [host.link(), host.link()].map((link) => link.wait(60_000).catch((error: unknown) => error));
      await host.printed("stderr", "waiting", 2);
      host.signalAll("SIGINT");
      // It takes no more calls: the first signal has arrived.
      const refused = async (): Promise<boolean> => {
        const answer = await host
          .link()
          .whereAmI()
          .catch(() => undefined);
        return answer === undefined;
      };
      while (!(await refused()));
      host.signalAll("SIGINT");
      expect(await host.ended).to.deep.equal({ code: 1, signal: null });
      for (const call of calls) expect(await call).to.include({ retryable: true });
    });

    it("ends a process that is busy for ever too", async () => {
      const host = await serveTwo("--grace", "0");
      host
        .link()
        .block()
        .catch(() => {});
      await host.printed("stderr", "blocking");
      host.child.kill("SIGTERM");
      expect(await host.ended).to.deep.equal({ code: 0, signal: null });
    });

    it("leaves none behind where the primary process is killed", async () => {
      const host = await serveTwo();
      await host.places(2);
      host.child.kill("SIGKILL");
      expect(await host.ended).to.deep.equal({ code: null, signal: "SIGKILL" });
    });
  });

  describe("where a process ends", () => {
    it("says so, starts another one, and leaves the links of the others alone", async () => {
      const host = await serveTwo();
      const kept = host.link();
      const { pid } = await kept.whereAmI();
      const [other] = await host.places(1);
      process.kill(other!, "SIGKILL");
      await host.printed("stderr", `Process ${other} ended (SIGKILL); another one takes its place.\n`);
      await host.newPlace([pid, other!]);
      expect((await kept.whereAmI()).pid).to.equal(pid);
    });

    it("gives links to the one that took its place until that has as many as the others", async () => {
      const host = await serveTwo();
      const [one, other] = await host.places(6);
      process.kill(one!, "SIGKILL");
      const next = await host.newPlace([one!, other!]);
      const count = (pid: number): number => host.opened.filter((place) => place === pid).length;
      while (count(next) < count(other!)) expect(await host.places(1)).to.deep.equal([next]);
      expect(new Set(await host.places(2))).to.deep.equal(new Set([next, other]));
    });

    it("gives the link that it has not taken to another one", async () => {
      const host = await serveTwo();
      const [one, other] = await host.places(2);
      process.kill(one!, "SIGSTOP");
      const waiting = host.link().whereAmI();
      // Those after it do not wait for the busy one.
      expect(await host.places(2)).to.deep.equal([other, other]);
      process.kill(one!, "SIGKILL");
      expect((await waiting).pid).to.not.equal(one);
    });

    it("fails its calls as retryable where a Worker ends it", async () => {
      const host = await serveTwo();
      const link = host.link();
      const { pid } = await link.whereAmI();
      expect(await link.end(3).catch((error: unknown) => error)).to.include({ retryable: true });
      await host.printed("stderr", `Process ${pid} ended (code 3); another one takes its place.\n`);
    });

    it("is back at the same free port where all end", async () => {
      const host = await serveTwo();
      const pids = await host.places(2);
      for (const pid of pids) process.kill(pid, "SIGKILL");
      await host.printed("stderr", "takes its place", 2);
      const next = await host.newPlace(pids);
      await host.newPlace([...pids, next]);
      expect(host.stdout.match(/listening/g)).to.have.length(1);
    });

    it("stops in order all the same", async () => {
      const host = await serveTwo();
      const [one] = await host.places(1);
      process.kill(one!, "SIGKILL");
      await host.printed("stderr", "takes its place");
      host.child.kill("SIGTERM");
      expect(await host.ended).to.deep.equal({ code: 0, signal: null });
    });

    it("ends with 1 where none serves any more and none can be started", async () => {
      const host = await serve(write(""), "--workers", "2");
      const pids = await host.places(2);
      write("throw new Error('broken meanwhile');");
      for (const pid of pids) process.kill(pid, "SIGKILL");
      expect(await host.ended).to.deep.equal({ code: 1, signal: null });
      expect(host.stderr.match(/broken meanwhile/g)!.length).to.be.within(5, 10);
      expect(host.stderr).to.match(
        /could not start \(code 1\), as 5 in a row did\. None serves any more: that is the end\.\n$/,
      );
    });

    it("goes on where another one serves and none can be started", async () => {
      const host = await serve(write(""), "--workers", "2");
      const [one, other] = await host.places(2);
      write("throw new Error('broken meanwhile');");
      process.kill(one!, "SIGKILL");
      await host.printed("stderr", "could not start (code 1); another one takes its place.\n", 5);
      expect(await host.places(2)).to.deep.equal([other, other]);
      write("");
      await host.newPlace([one!, other!]);
    });
  });

  describe("serves in each", () => {
    /** By connections of their own. */
    async function fetchTwice(url: string): Promise<string[]> {
      const once = (): Promise<string> =>
        new Promise((resolve, reject) => {
          get(url, { agent: false }, (answer) => text(answer).then(resolve, reject)).on("error", reject);
        });
      return [await once(), await once()];
    }

    it("bindings to Workers of the same process", async () => {
      const { url } = await serve("examples/worker-a", "examples/worker-b", "--workers", "2");
      expect(await fetchTwice(url)).to.deep.equal(["Hello from worker-b\n", "Hello from worker-b\n"]);
    });

    it("bindings to services elsewhere", async () => {
      const b = await serve("examples/worker-b", "--workers", "2");
      const { url } = await serve("examples/worker-a", "--workers", "2", "--service", `worker-b=${b.url}`);
      expect(await fetchTwice(`${url}/add?a=4&b=5`)).to.deep.equal(["9\n", "9\n"]);
    });

    it("a recording of its own, also for the process that takes another's place", async () => {
      const file = join(folder, "links");
      const host = await serveTwo("--record", file);
      const pids = await host.places(2);
      process.kill(pids[0]!, "SIGKILL");
      await host.newPlace(pids);
      host.child.kill("SIGTERM");
      await host.ended;
      expect(readdirSync(folder).sort()).to.deep.equal(["links.1", "links.2", "links.3"]);
      for (const name of readdirSync(folder)) {
        expect((await command("inspect", join(folder, name))).stdout).to.contain("whereAmI");
      }
    });

    it("no recording that cannot be written, which is told once", async () => {
      const file = join(folder, "none", "links");
      const ended = await command("serve", "examples/worker-b", "--port", "0", "--workers", "2", "--record", file);
      expect(ended.stderr).to.equal(`Error: ENOENT: no such file or directory, open '${file}.1'\n`);
      expect(ended.code).to.equal(1);
      expect(existsSync(file)).to.equal(false);
    });
  });
});
