import { expect } from "chai";
import { ConfigError, type Host, type ServeOptions, serve } from "../../packages/host/src/index.ts";

const module = { default: { fetch: () => new Response("") } };
const worker = { name: "a", module };

async function refusal(options: unknown): Promise<Error> {
  let host: Host;
  try {
    host = await serve(options as ServeOptions);
  } catch (error) {
    return error as Error;
  }
  await host.close();
  throw new Error("It was served.");
}

describe("host: what serve() is given", () => {
  const refused: readonly [options: unknown, ...problems: string[]][] = [
    [undefined, "must be an object, not missing"],
    [{}, '"workers" is missing'],
    [{ workers: "x" }, "workers: must be a list of paths or Workers, not a string"],
    [{ workers: [] }, "workers: must name a Worker to serve"],
    [{ workers: [7] }, "workers[0]: must be a path or an object, not a number"],
    [{ workers: [worker], prot: 1 }, 'unknown key "prot" (did you mean "port"?)'],
    [{ workers: [worker], port: "x" }, "port: must be a port: a whole number from 0 to 65535"],
    [{ workers: [worker], port: 65_536 }, "port: must be a port: a whole number from 0 to 65535"],
    [{ workers: [worker], port: 1.5 }, "port: must be a port: a whole number from 0 to 65535"],
    [{ workers: [worker], host: "" }, "host: must not be empty"],
    [{ workers: [worker], acceptProps: "yes" }, "acceptProps: must be of type boolean, not a string"],
    [{ workers: [worker], packed: true }, 'packed: must be "always", "remote" or "never"'],
    [{ workers: [worker], packed: "allways" }, 'packed: must be "always", "remote" or "never"'],
    [{ workers: [worker], record: "file" }, "record: must be a function, not a string"],
    [{ workers: [worker], report: 1 }, "report: must be a function, not a number"],
    [{ workers: [worker], listen: 1 }, "listen: must be a function, not a number"],
    [{ workers: [worker], listen: () => {}, port: 1 }, "listen: takes the place of port and host: leave them out"],
    [{ workers: [worker], warn: "no" }, "warn: must be a function, not a string"],
    [{ workers: [{ name: "a" }] }, 'workers[0].module: "module" is missing: the Worker\'s exports'],
    [{ workers: [{ module }] }, 'workers[0]: "name" is missing'],
    [{ workers: [{ ...worker, servces: [] }] }, 'workers[0]: unknown key "servces" (did you mean "services"?)'],
    [
      { workers: [{ ...worker, services: [{ binding: "B", srvice: "b" }] }] },
      'workers[0].services[0]: unknown key "srvice" (did you mean "service"?)',
    ],
    [{ workers: [worker], services: { b: "garbage" } }, 'services.b: "garbage" is not a URL'],
    [{ workers: [worker], services: { b: "" } }, 'services.b: "" is not a URL'],
    [{ workers: [worker], services: { b: 7 } }, "services.b: must be a URL, not a number"],
    [
      { workers: [worker], services: { b: "localhost:1" }, port: -1 },
      "port: must be a port: a whole number from 0 to 65535",
      'services.b: "localhost:1" cannot be linked to: use http, https, ws or wss (did you mean "http://localhost:1"?)',
    ],
  ];
  for (const [options, ...problems] of refused) {
    it(`refuses: ${problems[0]}`, async () => {
      const error = await refusal(options);
      expect(error).to.be.instanceOf(ConfigError);
      expect(error.message.split("\n")).to.deep.equal(problems.map((problem) => `serve(): ${problem}`));
    });
  }

  it("takes every option that there is, and those left undefined", async () => {
    const all: Required<Omit<ServeOptions, "listen">> = {
      workers: [{ ...worker, vars: { A: 1 }, services: [] }],
      port: 0,
      host: "127.0.0.1",
      services: {},
      acceptProps: false,
      sendStacks: false,
      packed: "always",
      limits: {},
      record: () => ({ handleOpen() {}, handleSent() {}, handleReceived() {}, handleClosed() {} }),
      report: () => {},
      warn: () => {},
    };
    await using host = await serve(all);
    const none = Object.fromEntries(Object.keys(all).map((key) => [key, undefined]));
    await using other = await serve({ ...none, workers: [worker], port: 0 });
    expect(other.port).to.not.equal(host.port);
  });

  it("tells what is odd where it is asked to", async () => {
    const warnings: string[] = [];
    const warn = (warning: string) => void warnings.push(warning);
    await using _host = await serve({ workers: [worker], port: 0, warn, services: { b: "http://127.0.0.1:9" } });
    expect(warnings).to.deep.equal(['service b=http://127.0.0.1:9 is not used: no binding leads to "b"']);
  });

  it("refuses two Workers of one name, and says where both came from", async () => {
    const error = await refusal({ port: 0, workers: [worker, { ...worker }] });
    expect(error).to.be.instanceOf(ConfigError);
    expect(error.message).to.equal('workers[1]: the name "a" is taken by workers[0]');
  });

  it("says what there is where a binding's entrypoint is missing", async () => {
    const services = [{ binding: "A", service: "a", entrypoint: "Nope" }];
    const error = await refusal({ port: 0, workers: [worker, { name: "b", module, services }] });
    expect(error.message).to.equal('b: binding A: no such entrypoint: "Nope" in "a"; it exports "default".');
  });
});
