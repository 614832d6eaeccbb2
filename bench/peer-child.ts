// The harness's side of the peers' processes: starts both ends of a peer and asks them.
import type { Sample } from "../packages/cli/src/bench/load/closed-loop.ts";
import { MeasuredProcess } from "../packages/cli/src/bench/processes/measured-process.ts";
import type { PeerName } from "./peer.ts";
import type { Measured, MeasureRequest, Ready } from "./peer-process.ts";

const START_TIMEOUT_MS = 20_000;
/** What a measurement may take beyond its own time: its drain, and a machine that is busy. */
const MEASURE_SLACK_MS = 15_000;

export interface ChildOptions {
  /** Let `ws` use the native bufferutil where it is installed. */
  readonly bufferutil: boolean;
  /** A directory for CPU profiles of the process. */
  readonly cpuProf?: string | undefined;
}

type PeerChild = MeasuredProcess<MeasureRequest, Ready | Measured>;

/** Both processes of one peer, linked and ready. */
export class RunningPeer {
  readonly name: PeerName;
  readonly about: string;
  readonly packages: readonly string[];
  private readonly server: PeerChild;
  private readonly client: PeerChild;

  private constructor(name: PeerName, ready: Ready, server: PeerChild, client: PeerChild) {
    this.name = name;
    this.about = ready.about;
    this.packages = ready.packages;
    this.server = server;
    this.client = client;
  }

  /** Starts server and client. When either fails, neither is left behind. */
  static async start(name: PeerName, options: ChildOptions): Promise<RunningPeer> {
    const server = startChild("server", name, 0, options);
    let client: PeerChild | undefined;
    try {
      const { port } = expectReady(await server.next(START_TIMEOUT_MS));
      client = startChild("client", name, port, options);
      const ready = expectReady(await Promise.race([client.next(START_TIMEOUT_MS), server.gone]));
      return new RunningPeer(name, ready, server, client);
    } catch (error) {
      await Promise.all([server.stop(), client?.stop()]);
      throw error;
    }
  }

  /** One measurement; times in milliseconds. Rejects when a sum is wrong, a call fails or either process ends. */
  async measure(inFlight: number, warmup: number, duration: number): Promise<Sample> {
    const request = { kind: "measure", inFlight, warmup, duration } as const;
    const answer = this.client.ask(request, warmup + duration + MEASURE_SLACK_MS);
    const reply = await Promise.race([answer, this.server.gone]);
    if (reply.kind !== "measured") throw new Error(`an answer of another kind: ${reply.kind}`);
    return reply.sample;
  }

  async stop(): Promise<void> {
    await this.client.stop();
    await this.server.stop();
  }
}

function startChild(role: "server" | "client", name: PeerName, port: number, options: ChildOptions): PeerChild {
  return new MeasuredProcess({
    title: `${name} ${role}`,
    module: new URL("peer-process.ts", import.meta.url),
    args: [role, name, String(port)],
    execArgv: execArgv(options),
    env: environment(options),
  });
}

function expectReady(reply: Ready | Measured): Ready {
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
