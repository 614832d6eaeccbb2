// The harness's side of the peers' processes: starts them, asks them, and ends every one of them, by its id, whatever happens.
import { type ChildProcess, fork } from "node:child_process";
import type { Sample } from "./closed-loop.ts";
import type { PeerName } from "./peer.ts";
import type { Reply, Request } from "./peer-process.ts";

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 2_000;
/** What a measurement may take beyond its own time: its drain, and a machine that is busy. */
const MEASURE_SLACK_MS = 15_000;
const STDERR_KEPT = 2_000;

export interface ChildOptions {
  /** Let `ws` use the native bufferutil where it is installed. */
  readonly bufferutil: boolean;
  /** A directory for CPU profiles of the process. */
  readonly cpuProf?: string | undefined;
}

interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

const running = new Set<PeerChild>();
process.on("exit", () => {
  for (const child of running) child.kill();
});

/** One process of one peer. Answers come one at a time, in the order asked. */
class PeerChild {
  private readonly child: ChildProcess;
  private readonly title: string;
  private pending: Pending | undefined;
  private stderr = "";
  private death: Error | undefined;
  /** Rejects when the process ends, for whatever reason; never resolves. */
  readonly gone: Promise<never>;

  constructor(role: "server" | "client", name: PeerName, port: number, options: ChildOptions) {
    this.title = `${name} ${role}`;
    this.child = fork(new URL("peer-process.ts", import.meta.url), [role, name, String(port)], {
      execArgv: execArgv(options),
      env: environment(options),
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    running.add(this);
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_KEPT);
    });
    this.child.on("message", (reply: Reply) => this.handleReply(reply));
    this.gone = new Promise((_, reject) => {
      const end = (how: string): void => {
        running.delete(this);
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

  /** Waits for the next reply; `failed` rejects, and so does the end of the process or of the time. */
  next(timeoutMs: number): Promise<Reply> {
    if (this.death !== undefined) return Promise.reject(this.death);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.take()?.reject(new Error(`the ${this.title} process gave no answer within ${timeoutMs / 1_000} s`));
      }, timeoutMs);
      this.pending = { resolve, reject, timer };
    });
  }

  send(request: Request): void {
    if (this.child.connected) this.child.send(request, () => {});
  }

  /** Ends the process: asks it to, then kills it. Resolves when it is gone. */
  async stop(): Promise<void> {
    if (!running.has(this)) return;
    this.send({ kind: "stop" });
    const timer = setTimeout(() => this.kill(), STOP_TIMEOUT_MS);
    await this.gone.catch(() => {});
    clearTimeout(timer);
  }

  /** Ends the process at once. */
  kill(): void {
    this.child.kill("SIGKILL");
  }

  private handleReply(reply: Reply): void {
    const pending = this.take();
    if (reply.kind === "failed") pending?.reject(new Error(reply.message));
    else pending?.resolve(reply);
  }

  private take(): Pending | undefined {
    const pending = this.pending;
    this.pending = undefined;
    if (pending !== undefined) clearTimeout(pending.timer);
    return pending;
  }
}

/** Both processes of one peer, linked and ready. */
export class RunningPeer {
  readonly name: PeerName;
  readonly about: string;
  readonly packages: readonly string[];
  private readonly server: PeerChild;
  private readonly client: PeerChild;

  private constructor(name: PeerName, ready: Reply & { kind: "ready" }, server: PeerChild, client: PeerChild) {
    this.name = name;
    this.about = ready.about;
    this.packages = ready.packages;
    this.server = server;
    this.client = client;
  }

  /** Starts server and client. When either fails, neither is left behind. */
  static async start(name: PeerName, options: ChildOptions): Promise<RunningPeer> {
    const server = new PeerChild("server", name, 0, options);
    let client: PeerChild | undefined;
    try {
      const { port } = expectReady(await server.next(START_TIMEOUT_MS));
      client = new PeerChild("client", name, port, options);
      const ready = expectReady(await Promise.race([client.next(START_TIMEOUT_MS), server.gone]));
      return new RunningPeer(name, ready, server, client);
    } catch (error) {
      await Promise.all([server.stop(), client?.stop()]);
      throw error;
    }
  }

  /** One measurement; times in milliseconds. Rejects when a sum is wrong, a call fails or either process ends. */
  async measure(inFlight: number, warmup: number, duration: number): Promise<Sample> {
    this.client.send({ kind: "measure", inFlight, warmup, duration });
    const answer = this.client.next(warmup + duration + MEASURE_SLACK_MS);
    const reply = await Promise.race([answer, this.server.gone]);
    if (reply.kind !== "measured") throw new Error(`an answer of another kind: ${reply.kind}`);
    return reply.sample;
  }

  async stop(): Promise<void> {
    await this.client.stop();
    await this.server.stop();
  }
}

function expectReady(reply: Reply): Reply & { kind: "ready" } {
  if (reply.kind !== "ready") throw new Error(`an answer of another kind: ${reply.kind}`);
  return reply;
}

/** tsx for the benchmark's own files. No package condition: the packages of Capstan resolve to their build. */
function execArgv(options: ChildOptions): string[] {
  const profile = options.cpuProf === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${options.cpuProf}`];
  return ["--import", import.meta.resolve("tsx"), ...profile];
}

function environment(options: ChildOptions): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, WS_NO_BUFFER_UTIL: __, ...kept } = process.env;
  // rpc-websockets puts bufferutil where every `ws` finds it. Without this, the others would be measured as nobody installs them.
  return options.bufferutil ? kept : { ...kept, WS_NO_BUFFER_UTIL: "1" };
}
