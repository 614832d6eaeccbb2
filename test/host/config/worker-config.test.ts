import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect } from "chai";
import { ConfigError } from "../../../packages/host/src/config/config-error.ts";
import { readWorkerConfig, type WorkerConfig } from "../../../packages/host/src/config/worker-config.ts";

const MINIMAL = 'name = "worker-a"\nmain = "./src/index.js"\n';

describe("host/config: reading a Worker's configuration", () => {
  let root: string;

  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), "capstan-test-")));
    await mkdir(join(root, "src"));
    await writeFile(join(root, "src/index.js"), "export default {}");
  });

  afterEach(() => rm(root, { recursive: true }));

  async function read(text: string | Uint8Array, name = "wrangler.toml"): Promise<WorkerConfig> {
    await writeFile(join(root, name), text);
    return readWorkerConfig(join(root, name));
  }

  /** The lines of the ConfigError, without the file in front. */
  async function problems(text: string | Uint8Array, name = "wrangler.toml"): Promise<string[]> {
    const error = await failure(read(text, name));
    return error.message.split("\n").map((line) => {
      expect(line.startsWith(join(root, name)), line).to.equal(true);
      return line.slice(join(root, name).length).replace(/^: /, "");
    });
  }

  async function warnings(text: string, name = "wrangler.toml"): Promise<string[]> {
    const config = await read(text, name);
    return config.warnings.map((line) => {
      expect(line.startsWith(`${join(root, name)}: `), line).to.equal(true);
      return line.slice(join(root, name).length + 2);
    });
  }

  it("says of a string of TOML that its closing quote is missing", async () => {
    expect(await problems('name = "worker-a\nmain = "./src/index.js"\n')).to.deep.equal([
      ":1:17: the string has no closing quote",
    ]);
    expect(await problems('name = \'worker-a\r\nmain = "x.js"\r\n')).to.deep.equal([
      ":1:17: the string has no closing quote",
    ]);
    expect((await problems('name = "a\u0001b"\n'))[0]).to.contain("control characters");
  });

  it("reads everything it knows from TOML", async () => {
    const config = await read(`
      name = "worker-a"
      main = "./src/index.js"
      compatibility_date = "2025-01-31"
      compatibility_flags = ["nodejs_compat"]
      [vars]
      GREETING = "Hello"
      NESTED = { list = [1, 2.5, true], "odd key" = {} }
      [[services]]
      binding = "WORKER_B"
      service = "worker-b"
      entrypoint = "MyWorker"
      props = { tenant = 7 }
      [[services]]
      binding = "C"
      service = "worker-c"
    `);
    expect(config).to.deep.equal({
      name: "worker-a",
      main: join(root, "src/index.js"),
      file: join(root, "wrangler.toml"),
      vars: { GREETING: "Hello", NESTED: { list: [1, 2.5, true], "odd key": {} } },
      services: [
        { binding: "WORKER_B", service: "worker-b", entrypoint: "MyWorker", props: { tenant: 7 } },
        { binding: "C", service: "worker-c" },
      ],
      compatibilityDate: "2025-01-31",
      compatibilityFlags: ["nodejs_compat"],
      warnings: [],
    });
  });

  for (const name of ["wrangler.json", "wrangler.jsonc", "other.json"]) {
    it(`reads ${name} with comments, trailing commas, a byte order mark and $schema`, async () => {
      const config = await read(
        `\uFEFF{
          // line
          "$schema": "node_modules/wrangler/config-schema.json",
          "name": "worker-a", /* block */
          "main": "src/index.js",
          "vars": { "N": null, "URL": "http://a//b", },
          "services": [{ "binding": "B", "service": "worker-b" },],
        }`,
        name,
      );
      expect(config.vars).to.deep.equal({ N: null, URL: "http://a//b" });
      expect(config.services).to.deep.equal([{ binding: "B", service: "worker-b" }]);
      expect(config.compatibilityFlags).to.deep.equal([]);
      expect(config).not.to.have.property("compatibilityDate");
      expect(config.warnings).to.deep.equal([]);
    });
  }

  it("looks in a folder for wrangler.json, then wrangler.jsonc, then wrangler.toml", async () => {
    await writeFile(join(root, "wrangler.toml"), MINIMAL.replace("worker-a", "from-toml"));
    expect((await readWorkerConfig(root)).name).to.equal("from-toml");
    await writeFile(join(root, "wrangler.jsonc"), '{ "name": "from-jsonc", "main": "src/index.js" }');
    expect((await readWorkerConfig(root)).name).to.equal("from-jsonc");
    await writeFile(join(root, "wrangler.json"), '{ "name": "from-json", "main": "src/index.js" }');
    expect((await readWorkerConfig(root)).name).to.equal("from-json");
  });

  it("takes paths relative to the working directory, and names them so in errors", async () => {
    const folder = relative(process.cwd(), root);
    await writeFile(join(root, "wrangler.toml"), MINIMAL);
    expect((await readWorkerConfig(folder)).main).to.equal(join(root, "src/index.js"));
    await writeFile(join(root, "wrangler.toml"), `${MINIMAL}[[services]]\nbinding = "B"\nservce = "worker-b"`);
    const error = await failure(readWorkerConfig(folder));
    expect(error.file).to.equal(join(folder, "wrangler.toml"));
    expect(error.message).to.equal(
      `${join(folder, "wrangler.toml")}: services[0]: unknown key "servce" (did you mean "service"?)`,
    );
  });

  it("accepts a TypeScript main", async () => {
    await writeFile(join(root, "src/index.ts"), "");
    const config = await read('name = "a"\nmain = "src/index.ts"');
    expect(config.main).to.equal(join(root, "src/index.ts"));
  });

  describe("refuses", () => {
    it("a path where nothing is", async () => {
      const error = await failure(readWorkerConfig(join(root, "nowhere")));
      expect(error.message).to.equal(`${join(root, "nowhere")}: no such file or folder`);
    });

    it("a folder without a configuration", async () => {
      const error = await failure(readWorkerConfig(join(root, "src")));
      expect(error.message).to.equal(
        `${join(root, "src")}: there is no wrangler.json, wrangler.jsonc or wrangler.toml in this folder`,
      );
    });

    it("a file of another kind", async () => {
      expect(await problems("", "wrangler.yaml")).to.deep.equal([
        "a configuration must be a .toml, .json or .jsonc file",
      ]);
    });

    it("bytes that are no UTF-8", async () => {
      expect(await problems(Uint8Array.of(0x6e, 0xff, 0xfe))).to.deep.equal(["is not UTF-8 text"]);
    });

    it("malformed TOML, with line and column", async () => {
      const [problem] = await problems('name = "a"\nmain = = 3\n');
      expect(problem).to.match(/^:2:8: \S/);
      expect(await problems('name = "a"\nname = "b"')).to.have.lengthOf(1);
    });

    it("malformed JSON, with line and column", async () => {
      expect(await problems('{\n  "name": "a"\n  "main": "b"\n}', "wrangler.json")).to.deep.equal([
        ":3:3: comma expected",
      ]);
      expect(await problems('{"name": "a', "wrangler.json")).to.deep.equal([":1:10: unexpected end of string"]);
      expect(await problems("", "wrangler.json")).to.deep.equal([":1:1: value expected"]);
    });

    it("a JSON key given twice, with line and column", async () => {
      expect(await problems('{ "name": "a",\r\n "name": "b" }', "wrangler.jsonc")).to.deep.equal([
        ':2:2: the key "name" is there twice',
      ]);
    });

    it("JSON that is no object", async () => {
      expect(await problems("[]", "wrangler.json")).to.deep.equal(["must be an object, not a list"]);
      expect(await problems("null", "wrangler.json")).to.deep.equal(["must be an object, not null"]);
    });

    it("nesting that no one means", async () => {
      for (const depth of [1001, 3000, 100_000]) {
        const deep = "[".repeat(depth) + "]".repeat(depth);
        expect(await problems(`{"vars": {"x": ${deep}}}`, "wrangler.json")).to.deep.equal(["nested too deeply"]);
        expect(await problems(`x = ${deep}`)).to.have.lengthOf(1);
      }
    });

    it("a missing name and main, both at once", async () => {
      expect(await problems("")).to.deep.equal(['"name" is missing', '"main" is missing']);
    });

    it("wrong types", async () => {
      expect(
        await problems(`
          name = 5
          main = ["a"]
          compatibility_date = 2025-01-31
          compatibility_flags = "nodejs_compat"
          vars = 7
          services = { binding = "B" }
        `),
      ).to.have.members([
        "name: must be a string, not a number",
        "main: must be a string, not a list",
        "compatibility_date: must be a string, not a date (put quotes around it)",
        "compatibility_flags: must be a list, not a string",
        "vars: must be an object, not a number",
        "services: must be a list (in TOML: [[services]]), not an object",
      ]);
    });

    it("wrong types in a services entry", async () => {
      expect(
        await problems(`${MINIMAL}
          [[services]]
          binding = 1
          service = ""
          entrypoint = false
          props = "x"
        `),
      ).to.have.members([
        "services[0].binding: must be a string, not a number",
        "services[0].service: must not be empty",
        "services[0].entrypoint: must be a string, not a boolean",
        "services[0].props: must be an object, not a string",
      ]);
      expect(await problems(`${MINIMAL}services = ["worker-b"]`)).to.deep.equal([
        "services[0]: must be an object, not a string",
      ]);
    });

    it("an unknown key of a services entry, without a suggestion where nothing is near", async () => {
      expect(await problems(`${MINIMAL}[[services]]\nbinding = "B"\nservice = "b"\nfoo = 1`)).to.deep.equal([
        'services[0]: unknown key "foo"',
      ]);
    });

    it("a services entry with keys missing", async () => {
      expect(await problems(`${MINIMAL}[[services]]\nbinding = "B"\n[[services]]\nservice = "c"`)).to.deep.equal([
        'services[0]: "service" is missing',
        'services[1]: "binding" is missing',
      ]);
    });

    it("names that are no identifiers", async () => {
      expect(
        await problems(`${MINIMAL}
          [[services]]
          binding = "WORKER-B"
          service = "worker-b"
          entrypoint = "my entry"
          [[services]]
          binding = "__proto__"
          service = "worker-b"
        `),
      ).to.have.members([
        'services[0].binding: "WORKER-B" is not a valid identifier',
        'services[0].entrypoint: "my entry" is not a valid identifier',
        'services[1].binding: "__proto__" can\'t be a name',
      ]);
    });

    it("a Worker's name that couldn't be a host name", async () => {
      for (const name of ["", "Worker", "a b", "-a", "a.b"]) {
        expect(await problems(`name = "${name}"\nmain = "src/index.js"`)).to.deep.equal([
          "name: must be of lower-case letters, digits, dashes and underscores, and not start with a dash",
        ]);
      }
    });

    it("a compatibility date that is none", async () => {
      expect(await problems(`${MINIMAL}compatibility_date = "today"`)).to.deep.equal([
        'compatibility_date: "today" is not a date like "2025-01-31"',
      ]);
    });

    it("binding names taken twice, by services or by vars", async () => {
      expect(
        await problems(`${MINIMAL}
          [vars]
          A = 1
          [[services]]
          binding = "B"
          service = "b"
          [[services]]
          binding = "A"
          service = "b"
          [[services]]
          binding = "B"
          service = "b"
        `),
      ).to.deep.equal([
        'services[1]: the binding name "A" is taken by vars.A',
        'services[2]: the binding name "B" is taken by services[0]',
      ]);
    });

    it("values in vars and props that JSON can't say", async () => {
      expect(
        await problems(`${MINIMAL}
          [vars]
          WHEN = 2025-01-31
          LIMITS = { "of all" = [1, inf] }
          [[services]]
          binding = "B"
          service = "b"
          props = { n = nan }
        `),
      ).to.have.members([
        "vars.WHEN: a date is not a JSON value (put quotes around it)",
        'vars.LIMITS["of all"][1]: Infinity is not a JSON value (put quotes around it)',
        "services[0].props.n: NaN is not a JSON value (put quotes around it)",
      ]);
    });

    it("a var called __proto__, in both languages", async () => {
      expect(await problems(`${MINIMAL}[vars]\n__proto__ = { a = 1 }`)).to.deep.equal([
        'vars: "__proto__" can\'t be a name',
      ]);
      expect(
        await problems('{"name": "a", "main": "src/index.js", "vars": {"__proto__": {"a": 1}}}', "wrangler.json"),
      ).to.deep.equal(['vars: "__proto__" can\'t be a name']);
    });

    it("a main that isn't there, is a folder, or is no JavaScript", async () => {
      expect(await problems('name = "a"\nmain = "src/nope.ts"')).to.deep.equal(['main: "src/nope.ts" doesn\'t exist']);
      await mkdir(join(root, "lib.js"));
      expect(await problems('name = "a"\nmain = "lib.js"')).to.deep.equal(['main: "lib.js" is a folder']);
      expect(await problems('name = "a"\nmain = "src/entry.py"')).to.deep.equal([
        'main: "src/entry.py" is not a JavaScript or TypeScript file',
      ]);
    });
  });

  describe("warns", () => {
    it("of each kind of binding that Capstan doesn't have, by the name it would have in env", async () => {
      expect(
        await warnings(`${MINIMAL}
          kv_namespaces = [{ binding = "KV", id = "1" }, { binding = "CACHE", id = "2" }]
          [[d1_databases]]
          binding = "DB"
          [durable_objects]
          bindings = [{ name = "ROOM", class_name = "Room" }]
          [queues]
          producers = [{ binding = "JOBS", queue = "jobs" }]
          consumers = [{ queue = "jobs" }]
          [ai]
          binding = "AI"
          [wasm_modules]
          MOD = "a.wasm"
          [secrets]
          required = ["TOKEN"]
        `),
      ).to.deep.equal([
        "kv_namespaces is not supported by Capstan: env.KV, env.CACHE will be missing",
        "d1_databases is not supported by Capstan: env.DB will be missing",
        "durable_objects is not supported by Capstan: env.ROOM will be missing",
        "queues is not supported by Capstan: env.JOBS will be missing",
        "ai is not supported by Capstan: env.AI will be missing",
        "wasm_modules is not supported by Capstan: env.MOD will be missing",
        "secrets is not supported by Capstan: env.TOKEN will be missing",
      ]);
    });

    it("of such a kind however its value looks", async () => {
      expect(
        await warnings(`${MINIMAL}kv_namespaces = 3\nqueues = { consumers = [] }\nr2_buckets = ["x", { binding = 1 }]`),
      ).to.deep.equal([
        "kv_namespaces is not supported by Capstan",
        "queues is not supported by Capstan",
        "r2_buckets is not supported by Capstan",
      ]);
    });

    it("of unknown keys, with what may have been meant", async () => {
      expect(await warnings(`${MINIMAL}colour = "red"\n[[service]]\nbinding = "B"`)).to.deep.equal([
        'unknown key "colour" is ignored',
        'unknown key "service" (did you mean "services"?) is ignored',
      ]);
    });

    it("of keys that would change the build or call the Worker", async () => {
      expect(await warnings(`${MINIMAL}[define]\nX = "1"\n[triggers]\ncrons = ["* * * * *"]`)).to.deep.equal([
        "define is not supported by Capstan and is ignored",
        "triggers is not supported by Capstan and is ignored",
      ]);
    });

    it("of environments", async () => {
      expect(await warnings(`${MINIMAL}[env.staging.vars]\nA = 1\n[env."eu west"]\nname = "x"`)).to.deep.equal([
        'env.staging, env["eu west"]: environments are not supported by Capstan; only the top level is read',
      ]);
    });

    it("of keys in a services entry that only mean something on Cloudflare", async () => {
      const text = `${MINIMAL}[[services]]\nbinding = "B"\nservice = "b"\nremote = true\nenvironment = "production"`;
      expect(await warnings(text)).to.have.members([
        "services[0].remote is not supported by Capstan and is ignored",
        "services[0].environment is not supported by Capstan and is ignored",
      ]);
      expect((await read(text)).services).to.deep.equal([{ binding: "B", service: "b" }]);
    });

    it("of nothing where the keys are about deploying", async () => {
      expect(
        await warnings(`${MINIMAL}
          account_id = "x"
          workers_dev = true
          routes = ["example.com/*"]
          [observability]
          enabled = true
          [placement]
          mode = "smart"
        `),
      ).to.deep.equal([]);
    });
  });
});

async function failure(promise: Promise<unknown>): Promise<ConfigError> {
  const error: unknown = await promise.then(
    () => expect.fail("was accepted"),
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(ConfigError);
  expect(error).to.have.property("name", "ConfigError");
  return error as ConfigError;
}
