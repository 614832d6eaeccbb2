// One end of a peer that is a program of its own: started by the process that stands for it, and asked line by line.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

const STDERR_KEPT = 2_000;

interface Pending {
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

/** Ends with this process: by the end of its input, and by a signal. */
export class NativeEnd {
  private readonly child: ChildProcess;
  private readonly pending: Pending[] = [];
  private stderr = "";
  private death: Error | undefined;

  private constructor(file: string, args: readonly string[]) {
    this.child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
    const stop = (): void => this.stop();
    process.on("exit", stop);
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_KEPT);
    });
    this.child.stdin?.on("error", () => {});
    if (this.child.stdout !== null) {
      createInterface({ input: this.child.stdout }).on("line", (line) => this.pending.shift()?.resolve(line));
    }
    const end = (how: string): void => {
      process.off("exit", stop);
      this.death ??= new Error(`${file} ${how}${this.stderr && `:\n${this.stderr.trim()}`}`);
      for (const { reject } of this.pending.splice(0)) reject(this.death);
    };
    this.child.on("error", (error) => end(`did not start: ${error.message}`));
    this.child.on("close", (code, signal) => end(`ended with ${signal ?? `code ${code}`}`));
  }

  /** Starts it, and waits for its first line: that and what can be asked. */
  static async start(file: string, args: readonly string[]): Promise<[first: string, end: NativeEnd]> {
    const end = new NativeEnd(file, args);
    return [await end.next(), end];
  }

  /** Sends a line and gives the line that answers it. Rejects when the program ends. */
  ask(line: string): Promise<string> {
    const answer = this.next();
    this.child.stdin?.write(`${line}\n`);
    return answer;
  }

  stop(): void {
    this.child.kill();
  }

  private next(): Promise<string> {
    if (this.death !== undefined) return Promise.reject(this.death);
    return new Promise((resolve, reject) => this.pending.push({ resolve, reject }));
  }
}
