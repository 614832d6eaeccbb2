// `capstan serve --workers N`, as seen from outside: what it prints, its links, and how its processes end.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { connect } from "../../../packages/client/src/index.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const capstan = fileURLToPath(new URL("../../../packages/cli/bin/capstan.js", import.meta.url));

/** What the fixture process-worker offers. */
export interface ProcessWorker {
  whereAmI(): Promise<{ pid: number; calls: number }>;
  print(text: string): Promise<void>;
  wait(milliseconds: number): Promise<string>;
  block(): Promise<never>;
  end(code: number): Promise<never>;
}

export type ProcessLink = ReturnType<typeof connect>;

/** The processes of one command: a process group of their own, as a terminal makes one. */
export class ServedProcesses {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  /** The processes of all links that `places` has opened. */
  readonly opened: number[] = [];
  /** How the primary process ended, once all of them are gone: each has hold of its standard output. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #isGone = false;
  readonly #links: ProcessLink[] = [];

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [capstan, "serve", ...args], {
      cwd: root,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.ended = once(this.child, "close").then(([code, signal]) => {
      this.#isGone = true;
      return { code, signal };
    });
  }

  /** Waits until it has printed `text` so many times. */
  async printed(on: "stdout" | "stderr", text: string, times = 1): Promise<void> {
    while (this[on].split(text).length <= times) {
      if (this.#isGone) throw new Error(`It ended without "${text}":\n${this.stdout}\n${this.stderr}`);
      await Promise.race([once(this.child[on]!, "data"), this.ended]);
    }
  }

  /** Waits for the first line of standard output. */
  async listening(): Promise<this> {
    await this.printed("stdout", "\n");
    return this;
  }

  get url(): string {
    return /^listening on (http:\S+)\n/.exec(this.stdout)?.[1] ?? "";
  }

  /** A link of its own, and what it calls. */
  link(): ReturnType<ProcessLink["service"]> & ProcessWorker {
    const link = connect(this.url);
    this.#links.push(link);
    return link.service<ProcessWorker>() as never;
  }

  /** Opens links one after the other, and says in which process each ended. */
  async places(links: number): Promise<number[]> {
    for (let n = 0; n < links; n++) this.opened.push((await this.link().whereAmI()).pid);
    return this.opened.slice(-links);
  }

  /** Opens links until one is in a process other than `known`; while nobody listens they fail. */
  async newPlace(known: readonly number[]): Promise<number> {
    for (;;) {
      const pid = await this.places(1).then(
        ([one]) => one as number,
        () => undefined,
      );
      if (pid !== undefined && !known.includes(pid)) return pid;
      if (this.#isGone) throw new Error(`It ended:\n${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** As Ctrl-C does: to all of its processes. */
  signalAll(signal: NodeJS.Signals): void {
    process.kill(-(this.child.pid as number), signal);
  }

  /** After a test. */
  async kill(): Promise<void> {
    for (const link of this.#links) link.close();
    if (this.#isGone) return;
    this.signalAll("SIGKILL");
    await this.ended;
  }
}
