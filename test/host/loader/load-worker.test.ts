import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import type { WorkerConfig } from "../../../packages/host/src/config/worker-config.ts";
import { bundleWorker } from "../../../packages/host/src/loader/bundle.ts";
import { type LoadedWorker, type LoadOptions, loadWorker } from "../../../packages/host/src/loader/load-worker.ts";
import { WorkerLoadError } from "../../../packages/host/src/loader/worker-load-error.ts";

/** A module of one function that returns its one parameter: (i32) -> i32, exported as "same". */
const WASM = Buffer.from(
  "0061736d01000000" +
    "0106" +
    "01" +
    "60017f017f" +
    "03020100" +
    "0708" +
    "01" +
    "0473616d650000" +
    "0a06" +
    "01" +
    "0400" +
    "20000b",
  "hex",
);

describe("host/loader: loading a Worker's module", () => {
  let root: string;
  let builtins: Record<string, string>;

  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), "capstan-test-")));
    const platform = join(root, "platform.mjs");
    await writeFile(platform, "export class WorkerEntrypoint {}\nexport const seen = [];");
    builtins = { "cloudflare:workers": pathToFileURL(platform).href };
  });

  afterEach(() => rm(root, { recursive: true }));

  /** Writes files under the Worker's folder and gives its configuration. */
  async function worker(files: Record<string, string | Uint8Array>, main = "src/index.js"): Promise<WorkerConfig> {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, "w", name)), { recursive: true });
      await writeFile(join(root, "w", name), content);
    }
    return {
      name: "worker-a",
      main: join(root, "w", main),
      file: join(root, "w", "wrangler.toml"),
      vars: {},
      services: [],
      compatibilityFlags: [],
      warnings: [],
    };
  }

  async function load(files: Record<string, string | Uint8Array>, main?: string): Promise<LoadedWorker> {
    return loadWorker(await worker(files, main), { builtins });
  }

  /** Loads a Worker whose default export is an object of values. */
  async function values(files: Record<string, string | Uint8Array>, main?: string): Promise<Record<string, unknown>> {
    return (await load(files, main)).exports.default as Record<string, unknown>;
  }

  async function failure(
    files: Record<string, string | Uint8Array>,
    options: Partial<LoadOptions> = {},
  ): Promise<WorkerLoadError> {
    const error: unknown = await loadWorker(await worker(files), { builtins, ...options }).then(
      () => expect.fail("was loaded"),
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(WorkerLoadError);
    expect(error).to.include({ name: "WorkerLoadError", worker: "worker-a" });
    return error as WorkerLoadError;
  }

  it("gives the exports as an object without a prototype", async () => {
    const { name, exports, warnings } = await load({
      "src/index.js": "export class A {}\nexport default { fetch() { return 1; } };\nexport const n = 1;",
    });
    expect(name).to.equal("worker-a");
    expect(Object.getPrototypeOf(exports)).to.equal(null);
    expect(Object.keys(exports)).to.have.members(["A", "default", "n"]);
    expect(exports.A).to.be.a("function");
    expect(warnings).to.deep.equal([]);
  });

  it("bundles TypeScript with its own files, and keeps the names of classes", async () => {
    const { exports } = await load(
      {
        "src/index.ts":
          'import { Base } from "./base.js";\nexport class Mine extends Base<string> { declare x: number; }',
        "src/base.ts": "class Same {}\nexport const other = Same;\nexport class Base<T> { value?: T; }",
        "src/unused.ts": "class Same {}",
      },
      "src/index.ts",
    );
    expect(exports.Mine).to.have.property("name", "Mine");
    expect(Object.getPrototypeOf(exports.Mine)).to.have.property("name", "Base");
  });

  it("keeps a class's name where two files have one of the same name", async () => {
    const { exports } = await load({
      "src/index.js": 'import { A as B } from "./a.js";\nexport class A {}\nexport { B };',
      "src/a.js": "export class A {}",
    });
    expect(exports.A).to.have.property("name", "A");
    expect(exports.B).to.have.property("name", "A");
    expect(exports.A).not.to.equal(exports.B);
  });

  it("lowers what Node 20 can't run", async () => {
    const { run } = await values({
      "src/index.js": `
        export default {
          run(log) {
            using a = { [Symbol.dispose]() { log.push("a disposed"); } };
            log.push("ran");
            return log;
          },
        };`,
    });
    expect((run as (log: string[]) => string[])([])).to.deep.equal(["ran", "a disposed"]);
  });

  it("hands out the host's own instance of a platform module, to ESM and to CommonJS", async () => {
    const url = builtins["cloudflare:workers"] ?? "";
    const platform = (await import(url)) as { WorkerEntrypoint: unknown };
    const { exports } = await load({
      "src/index.js": `
        import { WorkerEntrypoint } from "cloudflare:workers";
        import required from "./required.cjs";
        export class Mine extends WorkerEntrypoint {}
        export { required };`,
      "src/required.cjs": 'module.exports = require("cloudflare:workers").WorkerEntrypoint;',
    });
    expect(Object.getPrototypeOf(exports.Mine)).to.equal(platform.WorkerEntrypoint);
    expect(exports.required).to.equal(platform.WorkerEntrypoint);
  });

  it("makes a new instance of the Worker's module for each load", async () => {
    const files = { "src/index.js": "let n = 0;\nexport default { next: () => ++n };" };
    const [one, two] = [await values(files), await values(files)] as { next(): number }[];
    expect([one?.next(), one?.next(), two?.next()]).to.deep.equal([1, 2, 1]);
  });

  it("loads several Workers at the same time", async () => {
    const config = await worker({ "src/index.js": "export default { id: Symbol() };" });
    const loaded = await Promise.all(Array.from({ length: 4 }, () => loadWorker(config, { builtins })));
    expect(new Set(loaded.map(({ exports }) => (exports.default as { id: symbol }).id)).size).to.equal(4);
  });

  describe("packages", () => {
    it("are found from the Worker's folder, by a Worker's conditions", async () => {
      const conditions = ["node", "workerd", "worker", "browser"];
      for (const [at, expected] of ["workerd", "workerd", "worker", "browser", "default"].entries()) {
        // The first condition that holds counts, in the package's own order.
        const offered = [...conditions.slice(at), "default"];
        const { from } = await values({
          "src/index.js": 'import from from "pkg";\nexport default { from };',
          "node_modules/pkg/package.json": JSON.stringify({
            exports: Object.fromEntries(offered.map((name) => [name, `./${name}.js`])),
          }),
          ...Object.fromEntries(offered.map((name) => [`node_modules/pkg/${name}.js`, `export default "${name}";`])),
        });
        expect(from).to.equal(expected);
      }
    });

    it("in CommonJS work, with what they require of Node", async () => {
      const result = await values({
        "src/index.js": 'import pkg, { join } from "pkg";\nexport default { ...pkg, same: pkg.join === join };',
        "node_modules/pkg/package.json": '{ "name": "pkg", "main": "./main.js" }',
        "node_modules/pkg/main.js": `
          const { EventEmitter } = require("events");
          const path = require("node:path");
          const fs = require("fs/promises");
          exports.join = path.join;
          exports.readFile = typeof fs.readFile;
          exports.emitter = new EventEmitter() instanceof EventEmitter;
          exports.lazy = () => require("./lazy.js");`,
        "node_modules/pkg/lazy.js": "module.exports = 5;",
      });
      expect(result).to.include({ emitter: true, readFile: "function", same: true });
      expect((result.join as (a: string, b: string) => string)("a", "b")).to.equal(join("a", "b"));
      expect((result.lazy as () => number)()).to.equal(5);
    });

    it("of the name of a Node module go before that module", async () => {
      const { events, path } = await values({
        "src/index.js": 'import events from "events";\nimport path from "path";\nexport default { events, path };',
        "node_modules/events/package.json": '{ "name": "events", "main": "./events.js" }',
        "node_modules/events/events.js": 'module.exports = "the package";',
      });
      expect(events).to.equal("the package");
      expect(path).to.have.property("join");
    });

    it("that leave a Node module out for browsers get none", async () => {
      const { fs } = await values({
        "src/index.js": 'import fs from "pkg";\nexport default { fs };',
        "node_modules/pkg/package.json": '{ "name": "pkg", "main": "./main.js", "browser": { "fs": false } }',
        "node_modules/pkg/main.js": 'module.exports = Object.keys(require("fs")).length;',
      });
      expect(fs).to.equal(0);
    });

    it("may be the Worker itself", async () => {
      const { answer } = await values({ "src/index.cjs": "module.exports = { answer: 42 };" }, "src/index.cjs");
      expect(answer).to.equal(42);
    });
  });

  it("has the global object as self", async () => {
    const code = "export default { is: self === globalThis, of: typeof self };";
    expect(await values({ "src/index.js": code })).to.deep.equal({ is: true, of: "object" });
  });

  it("leaves Node's own modules to Node, also where they are imported late", async () => {
    const { same, late } = await values({
      "src/index.js": `
        import { Buffer as B } from "node:buffer";
        export default { same: B === Buffer, late: () => import("node:path") };`,
    });
    expect(same).to.equal(true);
    expect(await (late as () => Promise<object>)()).to.have.property("sep");
  });

  it("takes files of its own that are imported late into the bundle", async () => {
    const { late } = await values({
      "src/index.js": 'export default { late: () => import("./late.js") };',
      "src/late.js": "export const value = 3;",
    });
    expect(await (late as () => Promise<object>)()).to.have.property("value", 3);
  });

  it("imports data as wrangler's default rules do", async () => {
    const result = await values({
      "src/index.js": `
        import txt from "./a.txt";
        import html from "./a.html";
        import sql from "./a.sql";
        import json, { list } from "./a.json";
        import bin from "./a.bin";
        import empty from "./empty.bin";
        import wasm from "./a.wasm";
        import query from "./a.wasm?module";
        export default { txt, html, sql, json, list, bin, empty, wasm, query };`,
      "src/a.txt": "tëxt\n",
      "src/a.html": "<p>",
      "src/a.sql": "SELECT 1",
      "src/a.json": '{ "list": [1] }',
      "src/a.bin": Uint8Array.of(0, 255, 13, 10),
      "src/empty.bin": new Uint8Array(0),
      "src/a.wasm": WASM,
    });
    expect(result).to.include({ txt: "tëxt\n", html: "<p>", sql: "SELECT 1" });
    expect(result.json).to.deep.equal({ list: [1] });
    expect(result.list).to.deep.equal([1]);
    expect(result.bin).to.be.instanceOf(ArrayBuffer);
    expect([...new Uint8Array(result.bin as ArrayBuffer)]).to.deep.equal([0, 255, 13, 10]);
    expect((result.empty as ArrayBuffer).byteLength).to.equal(0);
    expect(result.wasm).to.be.instanceOf(WebAssembly.Module);
    expect(result.query).to.be.instanceOf(WebAssembly.Module);
    const instance = await WebAssembly.instantiate(result.wasm as WebAssembly.Module);
    expect((instance.exports.same as (n: number) => number)(7)).to.equal(7);
  });

  it("names no path of the machine in the bundle and its source map", async () => {
    const config = await worker({
      "src/index.js": 'import a from "./a.bin";\nimport b from "pkg";\nimport "path";\nexport default { a, b };',
      "src/a.bin": "x",
      "node_modules/pkg/index.js": 'module.exports = require("cloudflare:workers");',
    });
    const { code } = await bundleWorker(config, { "cloudflare:workers": "file:///platform.js" });
    const map = Buffer.from(code.slice(code.lastIndexOf("base64,") + "base64,".length), "base64").toString();
    expect((JSON.parse(map) as { sources: string[] }).sources).to.include("src/index.js");
    for (const text of [code, map]) expect(text).not.to.contain(root);
  });

  it("reads a folder through a symbolic link", async () => {
    const config = await worker({ "src/index.js": 'import "./nope.js";' });
    await symlink(join(root, "w"), join(root, "link"));
    const linked = { ...config, main: join(root, "link/src/index.js"), file: join(root, "link/wrangler.toml") };
    const error = await loadWorker(linked, { builtins }).catch((reason: Error) => reason);
    expect(error).to.have.property("message").that.contains("\n  src/index.js:1:8: Could not resolve");
  });

  it("warns of what the bundler finds odd", async () => {
    const { warnings } = await load({ "src/index.js": "export default { a: 1, a: 2 };" });
    expect(warnings).to.have.lengthOf(1);
    expect(warnings[0]).to.match(/^src\/index\.js:1:24: Duplicate key "a"/);
  });

  describe("refuses", () => {
    it("imports that lead nowhere and mistakes in the syntax, each with its place", async () => {
      const unresolved = await failure({ "src/index.js": '/* äö */ import "./nope.js";\nimport "no-such-package";' });
      expect(unresolved.message.split("\n")).to.deep.equal([
        'Worker "worker-a" could not be bundled:',
        '  src/index.js:1:17: Could not resolve "./nope.js"',
        '  src/index.js:2:8: Could not resolve "no-such-package"',
      ]);
      const syntax = await failure({ "src/index.js": "export default {\n  fetch( {\n" });
      expect(syntax.message).to.match(/^Worker "worker-a" could not be bundled:\n {2}src\/index\.js:3:1: \S/);
    });

    it("platform modules that the host doesn't have", async () => {
      const error = await failure({
        "src/index.js": 'import { connect } from "cloudflare:nope";\nexport default { connect };',
      });
      expect(error.message).to.equal(
        'Worker "worker-a" could not be bundled:\n' +
          '  src/index.js:1:25: There is no module "cloudflare:nope" (there is cloudflare:workers)',
      );
    });

    it("Node modules that this Node doesn't have", async () => {
      const error = await failure({ "src/index.js": 'import "node:nope";' });
      expect(error.message).to.contain('src/index.js:1:8: There is no module "node:nope"');
    });

    it("names that a platform module doesn't export", async () => {
      const error = await failure({
        "src/index.js": 'import { Nope } from "cloudflare:workers";\nexport default { Nope };',
      });
      expect(error.message).to.match(/^Worker "worker-a" threw while it was loaded: SyntaxError: /);
      expect(error.message).to.contain("cloudflare:workers").and.contain("'Nope'").and.not.contain(root);
    });

    for (const mapped of [true, false]) {
      it(`a module that throws, with its error and the place in the source (Node's source maps: ${mapped})`, async () => {
        process.setSourceMapsEnabled(mapped);
        try {
          const error = await failure({
            "src/index.js": 'import { boom } from "./boom.js";\nboom();\nexport default {};',
            "src/boom.js": '// A comment.\nexport function boom() {\n  throw new RangeError("out of cheese");\n}',
          });
          expect(error.message).to.equal(
            'Worker "worker-a" threw while it was loaded: RangeError: out of cheese (src/boom.js:3:9)',
          );
          expect(error.cause).to.be.instanceOf(RangeError);
        } finally {
          process.setSourceMapsEnabled(true);
        }
      });
    }

    it("a module that throws what is no error", async () => {
      const error = await failure({ "src/index.js": "export default {};\nthrow Object.create(null);" });
      expect(error.message).to.equal('Worker "worker-a" threw while it was loaded: [Object: null prototype] {}');
      expect(error.cause).to.deep.equal({});
    });

    it("the syntax of service workers, and says what to write", async () => {
      for (const object of ["", "self.", "globalThis."]) {
        const error = await failure({ "src/index.js": `${object}addEventListener("fetch", () => {});` });
        expect(error.message).to.contain("service workers").and.contain("export default");
      }
    });

    it("WebAssembly that is none", async () => {
      const error = await failure({
        "src/index.js": 'import m from "./a.wasm";\nexport default { m };',
        "src/a.wasm": "no",
      });
      expect(error.message).to.contain("CompileError");
    });

    it("a module that doesn't finish", async () => {
      const error = await failure(
        { "src/index.js": "await new Promise(() => {});\nexport default {};" },
        { timeout: 50 },
      );
      expect(error.message).to.contain("did not finish loading within 50 ms");
    });

    it("a module that exports nothing that could be called", async () => {
      for (const code of ["", "export const a = 1;", "export default null;", 'console.log;\nexport default "x";']) {
        const error = await failure({ "src/index.js": code });
        expect(error.message).to.match(/^Worker "worker-a" exports nothing that can be called: /);
      }
    });
  });

  describe("in a process of its own", () => {
    const source = (name: string) => new URL(`../../../packages/host/src/loader/${name}`, import.meta.url).href;
    /** The loader's own module of errors stands in for a platform module. */
    const ownErrors = source("worker-load-error.ts");

    /** Loads a Worker in a new Node with a temporary folder of its own, runs `after`, and tells how that ended. */
    async function inChild(code: string, after: string): Promise<{ exit: unknown; out: string; left: string[] }> {
      const config = await worker({ "src/index.js": code });
      const tmp = join(root, "tmp");
      await mkdir(tmp);
      const script = `
        import { loadWorker } from ${JSON.stringify(source("load-worker.ts"))};
        const builtins = { "cloudflare:errors": ${JSON.stringify(ownErrors)} };
        const loaded = await loadWorker(${JSON.stringify(config)}, { builtins });
        ${after}`;
      const child = spawn(process.execPath, ["--import=tsx", "--input-type=module", "--eval", script], {
        env: { ...process.env, TMPDIR: tmp },
        stdio: ["ignore", "pipe", "inherit"],
      });
      let out = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
      const [exit] = (await once(child, "close")) as unknown[];
      return { exit, out, left: (await readdir(tmp)).filter((name) => name.startsWith("capstan-")) };
    }

    it("the bundler doesn't keep the process alive, and nothing is left on the disk", async () => {
      expect(await inChild("export default {};", 'console.log("loaded");')).to.deep.equal({
        exit: 0,
        out: "loaded\n",
        left: [],
      });
    });

    it("a platform module is the host's own instance, also where the host runs from its TypeScript sources", async () => {
      const after = `
        const { WorkerLoadError } = await import(${JSON.stringify(ownErrors)});
        const failure = await loadWorker({ name: "x", main: "/nowhere.js", file: "/wrangler.toml" }, { builtins }).catch((e) => e);
        console.log(loaded.exports.WorkerLoadError === WorkerLoadError, failure instanceof WorkerLoadError);`;
      const { out } = await inChild('export { WorkerLoadError } from "cloudflare:errors";', after);
      expect(out).to.equal("true true\n");
    });

    it("a Worker that exits the process while it loads leaves nothing on the disk either", async () => {
      expect(await inChild("process.exit(7);", 'console.log("loaded");')).to.deep.equal({ exit: 7, out: "", left: [] });
    });
  });
});
