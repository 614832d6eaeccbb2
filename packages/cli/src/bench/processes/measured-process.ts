// One process that a benchmark runs beside its own: started, asked one thing at a time over IPC, and ended by its id,
// whatever happens.
import { type ChildProcess, fork } from "node:child_process";

/**
 * MiB, as the first line of `bin/capstan.js` has it. V8 collects the whole of a small heap each time that some 12 MiB of buffers
 * outside of it were made. A program of some size does not have that, so nobody is measured with it (docs/performance.md).
 */
export const INITIAL_HEAP = 96;

const STOP_TIMEOUT_MS = 2_000;
const STDERR_KEPT = 2_000;

/** What every such process may answer instead of what was asked for. */
export interface Failed {
  readonly kind: "failed";
  readonly message: string;
}

/** What ends one in order. */
export interface Stop {
  readonly kind: "stop";
}

export interface ProcessOptions {
  /** For messages: "the … process ended". */
  readonly title: string;
  readonly module: URL;
  readonly args?: readonly string[] | undefined;
  readonly execArgv?: readonly string[] | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
}

interface Pending<Reply> {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** The other process must answer each request once, in order, with a Reply or with Failed. */
export class MeasuredProcess<Request extends object, Reply extends object> {
  private readonly child: ChildProcess;
  private readonly title: string;
  private pending: Pending<Reply> | undefined;
  private stderr = "";
  private death: Error | undefined;
  /** Rejects when the process ends, for whatever reason; never resolves. */
  readonly gone: Promise<never>;

  constructor(options: ProcessOptions) {
    this.title = options.title;
    this.child = fork(options.module, [...(options.args ?? [])], {
      execArgv: [`--initial-heap-size=${INITIAL_HEAP}`, ...(options.execArgv ?? process.execArgv)],
      env: options.env ?? process.env,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    running.add(this.child);
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_KEPT);
    });
    this.child.on("message", (reply: Reply | Failed) => this.handleReply(reply));
    this.gone = new Promise((_, reject) => {
      const end = (how: string): void => {
        running.delete(this.child);
        this.death ??= new Error(`the ${this.title} process ${how}${this.stderr && `:\n${this.stderr.trim()}`}`);
        this.take()?.reject(this.death);
        reject(this.death);
      };
      this.child.on("error", (error) => end(`did not start: ${error.message}`));
      // "close" comes after the last of its stderr.
      this.child.on("close", (code, signal) => end(`ended with ${signal ?? `code ${code}`}`));
    });
    this.gone.catch(() => {});
  }

  /** Waits for the next reply; Failed rejects, and so does the end of the process or of the time. */
  next(timeoutMs: number): Promise<Reply> {
    if (this.death !== undefined) return Promise.reject(this.death);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.take()?.reject(new Error(`the ${this.title} process gave no answer within ${timeoutMs / 1_000} s`));
      }, timeoutMs);
      this.pending = { resolve, reject, timer };
    });
  }

  send(request: Request | Stop): void {
    if (this.child.connected) this.child.send(request, () => {});
  }

  /** Sends, and waits for the reply. */
  ask(request: Request, timeoutMs: number): Promise<Reply> {
    const reply = this.next(timeoutMs);
    this.send(request);
    return reply;
  }

  /** Ends the process: asks it to, then kills it. Resolves when it is gone. */
  async stop(): Promise<void> {
    if (!running.has(this.child)) return;
    this.send({ kind: "stop" });
    const timer = setTimeout(() => this.child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.gone.catch(() => {});
    clearTimeout(timer);
  }

  private handleReply(reply: Reply | Failed): void {
    const pending = this.take();
    if ("kind" in reply && reply.kind === "failed") pending?.reject(new Error((reply as Failed).message));
    else pending?.resolve(reply as Reply);
  }

  private take(): Pending<Reply> | undefined {
    const { pending } = this;
    this.pending = undefined;
    if (pending !== undefined) clearTimeout(pending.timer);
    return pending;
  }
}
