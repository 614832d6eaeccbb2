// Runs the C++ peer in tests: as a server that ends with the test, and as a client that runs to its end.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildPeer } from "./build.ts";

/** Over what the peer speaks. */
export type PeerTransport = "ws" | "tcp" | "unix";

/** What a process said until it ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const BUILD_TIMEOUT_MS = 600_000;
const RUN_TIMEOUT_MS = 300_000;

let sockets = 0;

/**
 * To be called in a `describe`: its tests need the peer, which is built before them. Without the toolchain they are skipped,
 * and say so; in CI they fail.
 *
 * @returns the binary's path, from the first test on.
 */
export function needPeer(): () => string {
  let path: string | undefined;
  before("builds the C++ peer", async function () {
    this.timeout(BUILD_TIMEOUT_MS);
    const peer = await buildPeer();
    if ("binary" in peer) {
      path = peer.binary;
      return;
    }
    if (process.env.CI === "true") throw new Error(`${peer.missing}. In CI that may not be.`);
    console.warn(`\n  !!! INTEROP TESTS SKIPPED !!! ${peer.missing}.\n`);
    this.skip();
  });
  return () => path!;
}

/** A running `peer serve`, or another command that listens. */
export class PeerServer {
  readonly #child: ChildProcess;
  readonly #errors: string[];
  /** HOST:PORT, or the path of a Unix socket. */
  readonly address: string;

  private constructor(child: ChildProcess, errors: string[], address: string) {
    this.#child = child;
    this.#errors = errors;
    this.address = address;
  }

  /** Starts one at a free port or path. */
  static async start(binary: string, command: string, transport: PeerTransport, ...options: string[]) {
    const where = transport === "unix" ? join(tmpdir(), `capstan-peer-${process.pid}-${++sockets}`) : "0";
    const child = spawn(binary, [command, `--${transport}`, ...options, where], { stdio: ["pipe", "pipe", "pipe"] });
    const errors: string[] = [];
    child.stderr.on("data", (data: Buffer) => errors.push(data.toString()));
    const lines = createInterface(child.stdout);
    const line = await Promise.race([once(lines, "line"), once(child, "exit").then(() => undefined)]);
    const said = /^listening on (.+)$/.exec(String(line?.[0]))?.[1];
    if (said === undefined) throw new Error(`The peer does not listen: ${errors.join("")}`);
    return new PeerServer(child, errors, transport === "unix" ? said : `127.0.0.1:${said}`);
  }

  /** Ends its input, on which it ends. Its code is 0 unless it leaked objects. */
  async end(): Promise<Ended> {
    const exited = once(this.#child, "exit");
    this.#child.stdin!.end();
    const [code] = await exited;
    return { code, stdout: "", stderr: this.#errors.join("") };
  }

  /** Kills it if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}

/** Runs a program to its end. Never throws for its code. */
export function runToEnd(program: string, args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: RUN_TIMEOUT_MS, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

/** The scenarios' names. */
export async function listScenarios(binary: string): Promise<string[]> {
  const { stdout } = await runToEnd(binary, ["list"]);
  return stdout.trim().split("\n");
}

/**
 * Runs all scenarios, or some, against a server of `InteropTest`.
 *
 * @returns for each scenario "ok", or why it failed.
 */
export async function runScenarios(
  binary: string,
  transport: PeerTransport,
  address: string,
  options: { readonly tear?: boolean; readonly names?: readonly string[] } = {},
): Promise<Map<string, string>> {
  const tear = options.tear ? ["--tear"] : [];
  const { stdout, stderr } = await runToEnd(binary, [
    "run",
    `--${transport}`,
    ...tear,
    address,
    ...(options.names ?? []),
  ]);
  const outcomes = new Map<string, string>();
  for (const line of stdout.split("\n")) {
    const [, verdict, name, reason] = /^(ok|failed) ([^:]+)(?:: (.*))?$/.exec(line) ?? [];
    if (name !== undefined) outcomes.set(name, verdict === "ok" ? "ok" : reason!);
  }
  if (outcomes.size === 0) throw new Error(`The peer ran nothing: ${stderr}`);
  return outcomes;
}
