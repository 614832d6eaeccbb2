// The built command in processes of its own, ended after each test.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const capstan = fileURLToPath(new URL("../../../packages/cli/bin/capstan.js", import.meta.url));
const run = promisify(execFile);

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command to its end. */
export async function command(...args: string[]): Promise<Ended> {
  try {
    return { code: 0, ...(await run(process.execPath, [capstan, ...args], { cwd: root, timeout: 60_000 })) };
  } catch (error) {
    return error as Ended;
  }
}

/** A command that listens until it is told to stop. */
export class Listening {
  readonly child: ChildProcess;
  stdout = "";
  #url = "";

  private constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [capstan, ...args], { cwd: root, stdio: ["ignore", "pipe", "ignore"] });
    this.child.stdout!.on("data", (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
  }

  /** Starts it; resolves once it listens. */
  static async start(...args: string[]): Promise<Listening> {
    const process = new Listening(args);
    await process.printed("\n");
    process.#url = /http:\/\/127\.0\.0\.1:\d+/.exec(process.stdout)?.[0] ?? "";
    return process;
  }

  get url(): string {
    return this.#url;
  }

  /** Waits until it has printed `text`. */
  async printed(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      if (this.child.exitCode !== null) throw new Error(`It ended without "${text}":\n${this.stdout}`);
      await Promise.race([once(this.child.stdout!, "data"), once(this.child, "exit")]);
    }
  }

  /** Resolves with its exit code, once all that it printed is here. */
  async stop(signal: NodeJS.Signals = "SIGINT"): Promise<number | null> {
    const ended = once(this.child, "close");
    this.child.kill(signal);
    return (await ended)[0] as number | null;
  }

  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.stop("SIGKILL");
  }
}
