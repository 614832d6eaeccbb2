import { expect } from "chai";
import { command, commandWith, endHosts, startHost } from "./support/command.ts";

describe("cli: starting a host", () => {
  after(endHosts);

  const url = "http://127.0.0.1:9";
  const refused: readonly [title: string, args: readonly string[], text: string][] = [
    ["an empty port", ["--port", ""], "Not a port"],
    ["a port with a point", ["--port", "80.0"], "Not a port"],
    ["an empty grace", ["--grace", ""], "Not a number of seconds"],
    ["a service without a scheme", ["--service", "worker-b=localhost:8788"], "'worker-b=localhost:8788' is invalid"],
    ["a service of another scheme", ["--service", "worker-b=ftp://x"], '"ftp://x" cannot be linked to'],
    ["a service without a URL", ["--service", "worker-b="], '"" is not a URL'],
  ];
  for (const [title, args, text] of refused) {
    it(`refuses ${title}`, async () => {
      const { code, stderr } = await command("serve", "examples/worker-a", ...args);
      expect(stderr).to.contain(text);
      expect(code).to.equal(1);
    });
  }

  it("refuses a variable that is no URL, by its name, and takes an empty one for none", async () => {
    for (const value of ["garbage", "localhost:1", "ftp://x"]) {
      const variables = { CAPSTAN_SERVICE_WORKER_B: value };
      const { code, stderr } = await commandWith(variables, "serve", "examples/worker-a", "--port", "0");
      expect(stderr).to.contain(`CAPSTAN_SERVICE_WORKER_B: "${value}"`);
      expect(code).to.equal(1);
    }
    const variables = { CAPSTAN_SERVICE_WORKER_B: "" };
    const { stderr } = await commandWith(variables, "serve", "examples/worker-a", "--port", "0");
    expect(stderr).to.contain('service "worker-b" is not served here');
  });

  it("refuses two Workers of one name, and says where both came from", async () => {
    const { code, stderr } = await command("serve", "examples/worker-b", "./examples/worker-b", "--port", "0");
    expect(stderr).to.equal('ConfigError: ./examples/worker-b: the name "worker-b" is taken by examples/worker-b\n');
    expect(code).to.equal(1);
  });

  it("warns of a service that no binding leads to", async () => {
    const { stderr } = await startHost("examples/worker-b", "--service", `worker-x=${url}`);
    expect(stderr()).to.contain(`service worker-x=${url} is not used: no binding leads to "worker-x"`);
  });

  it("says which Worker ended the process while it was loaded", async () => {
    const { code, stderr } = await command("serve", "test/fixtures/exiting-worker", "--port", "0");
    expect(stderr).to.equal('Worker "exiting-worker" ended the process (exit code 0) while it was loaded.\n');
    expect(code).to.equal(1);
  });

  it("says what a Worker exports where it has no default export", async () => {
    const named = await startHost("test/fixtures/named-worker");
    expect((await command("call", named.url, "add")).stderr).to.equal(
      'Error: No such entrypoint: "" (service "named-worker" has no default export; it exports "MyWorker")\n',
    );
  });

  it("reports requests, tasks and what nobody caught with the places in the Worker's files, and no others", async () => {
    const failing = await startHost("test/fixtures/failing-worker", "--service", `worker-b=${url}`);
    const reported = async (path: string, text: string | RegExp): Promise<void> => {
      const from = failing.stderr().length;
      await fetch(failing.url + path);
      while (!failing.stderr().slice(from).endsWith("\n")) await new Promise((done) => setTimeout(done, 10));
      expect(failing.stderr().slice(from)).to.match(new RegExp(`^${text}\n$`));
    };
    const place = (line: number) => String.raw`at .*test/fixtures/failing-worker/index\.ts:${line}:\d+\)?`;
    const stack = String.raw`(\n +${place(7)})(\n +${place(11)}.*)(\n.*index\.ts.*)*`;
    await reported(
      "/throw?x=1",
      String.raw`worker "failing-worker": GET /throw\?x=1 failed: RangeError: broken${stack}`,
    );
    await reported(
      "/task",
      String.raw`worker "failing-worker": a waitUntil\(\) task failed: RangeError: broken(\n +${place(7)})(\n.*index\.ts.*)*`,
    );
    await reported("/timer", String.raw`Uncaught in a Worker: RangeError: broken(\n +${place(7)})(\n.*index\.ts.*)*`);
    await reported(
      "/link",
      String.raw`worker "failing-worker": GET /link failed: Error: The link could not be opened: connect ECONNREFUSED 127\.0\.0\.1:9 \(service "worker-b" at http://127\.0\.0\.1:9\)(\n.*index\.ts.*)*`,
    );
  });
});
