// The calculator's clients and servers, as its README starts them, in both languages.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { callFunction, defineFunction, getOperator, makeFunction } from "../../examples/calculator/calculator.ts";
import { connect } from "../../examples/calculator/network.ts";
import { missingTools } from "../../scripts/cpp-program.ts";
import { runToEnd } from "../interop/peer.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = join(root, "examples/calculator");

/** A program and its arguments, to which an address is added. */
type Command = readonly [program: string, ...args: string[]];

const TYPESCRIPT = {
  server: [process.execPath, "--import", "tsx", join(folder, "server.ts")],
  client: [process.execPath, "--import", "tsx", join(folder, "client.ts")],
} as const;
const CPP = { server: [join(folder, "build/server")], client: [join(folder, "build/client")] } as const;

const SAID = [
  "2 + 3 = 5",
  "its square = 25",
  "the cube of 3 = 27",
  "the cube of the hypotenuse of 3 and 4 = 125",
  "adding one number: The stack has too few numbers.",
];

describe("examples/calculator", function () {
  this.timeout(60_000);
  const running: ChildProcess[] = [];
  let sockets: string;

  before(async () => {
    sockets = await mkdtemp(join(tmpdir(), "calculator-"));
  });

  afterEach(async () => {
    for (const child of running.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  });

  after(() => rm(sockets, { recursive: true, force: true }));

  /** Starts a server at a free port, or at a path, and says where it is. */
  async function start([program, ...args]: Command, way: string): Promise<string> {
    const child = spawn(program, [...args, way === "unix:" ? `unix:${join(sockets, String(Math.random()))}` : way], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    running.push(child);
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    expect(line).to.match(/^listening on /);
    return line.replace("listening on ", "");
  }

  async function calls([program, ...args]: Command, address: string): Promise<void> {
    const { code, stdout, stderr } = await runToEnd(program, [...args, address]);
    // What came through RPC says so in C++.
    const lines = stdout.trimEnd().replace("remote exception: ", "").split("\n");
    expect({ code, lines, stderr }).to.deep.equal({ code: 0, lines: SAID, stderr: "" });
  }

  /** A function that is let go while it runs goes on, and then nothing is held any more. */
  async function outlivesItsName(address: string): Promise<void> {
    using connection = connect(address);
    let goOn: (result: number) => void = () => {};
    const until = new Promise<number>((done) => {
      goOn = done;
    });
    let result: Promise<number>;
    const asked = new EventEmitter();
    {
      using calculator = connection.bootstrap();
      using multiply = getOperator(calculator, "multiply");
      using slow = makeFunction(() => {
        asked.emit("asked");
        return until;
      });
      using defined = defineFunction(calculator, 1, [
        { argument: 0 },
        { call: slow, arity: 1 },
        { call: slow, arity: 1 },
        { argument: 0 },
        { call: multiply, arity: 2 },
      ]);
      result = callFunction(defined, [6]);
    }
    await once(asked, "asked");
    goOn(7);
    expect(await result).to.equal(42);
    const isEmpty = (): boolean => Object.values(connection.tables).every((size) => size === 0);
    for (let tries = 0; tries < 200 && !isEmpty(); tries++) await new Promise((done) => setTimeout(done, 5));
    expect(connection.tables).to.deep.equal({ questions: 0, answers: 0, imports: 0, exports: 0, embargoes: 0 });
  }

  for (const way of ["127.0.0.1:0", "unix:", "ws://127.0.0.1:0"]) {
    it(`has a TypeScript client and a TypeScript server at ${way}`, async () => {
      await calls(TYPESCRIPT.client, await start(TYPESCRIPT.server, way));
    });
  }

  it("goes on with a function that its client lets go, in TypeScript", async () => {
    await outlivesItsName(await start(TYPESCRIPT.server, "127.0.0.1:0"));
  });

  it("says what is wrong with an address, and where nobody listens", async () => {
    const [program, ...args] = TYPESCRIPT.client;
    const outcome = async (...address: string[]) => {
      const { code, stderr } = await runToEnd(program, [...args, ...address]);
      return `${code} ${stderr.trim()}`;
    };
    expect(await outcome()).to.equal("2 usage: client.ts HOST:PORT | unix:PATH | ws://HOST:PORT");
    expect(await outcome("here")).to.equal('1 "here" is no address: HOST:PORT, unix:PATH or ws://HOST:PORT');
    expect(await outcome(`unix:${join(sockets, "nobody")}`)).to.match(/^1 .*ENOENT/);
  });

  describe("with Cap'n Proto's C++ implementation", () => {
    before("builds the C++ programs", async function () {
      this.timeout(300_000);
      const missing = await missingTools();
      if (missing.length === 0) {
        await promisify(execFile)(join(folder, "build.sh"));
        return;
      }
      const why = `no C++ calculator: ${missing.join(", ")} missing`;
      if (process.env.CI === "true") throw new Error(`${why}. In CI that may not be.`);
      console.warn(`\n  !!! TESTS OF THE CALCULATOR SKIPPED !!! ${why}.\n`);
      this.skip();
    });

    for (const way of ["127.0.0.1:0", "unix:"]) {
      it(`has a TypeScript client and a C++ server at ${way}`, async () => {
        await calls(TYPESCRIPT.client, await start(CPP.server, way));
      });

      it(`has a C++ client and a TypeScript server at ${way}`, async () => {
        await calls(CPP.client, await start(TYPESCRIPT.server, way));
      });
    }

    it("goes on with a function that its client lets go, in C++", async () => {
      await outlivesItsName(await start(CPP.server, "127.0.0.1:0"));
    });
  });
});
