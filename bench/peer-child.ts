// The harness's side of the peers' processes: starts both ends of a peer and asks them.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { ClosedLoopOptions, Sample } from "../packages/cli/src/bench/load/closed-loop.ts";
import type { ChainMode } from "../packages/cli/src/bench/metrics.ts";
import { MeasuredProcess } from "../packages/cli/src/bench/processes/measured-process.ts";
import type { Usage } from "../packages/cli/src/bench/usage.ts";
import type { Ability, PeerName } from "./peer.ts";
import type { Answer, Ready, Request } from "./protocol.ts";

/** All peers start at once. */
const START_TIMEOUT_MS = 60_000;
/** What an answer may take beyond its own time: a drain, and a machine that is busy. */
const SLACK_MS = 30_000;

export interface ChildOptions {
  /** Let `ws` use the native bufferutil where it is installed. */
  readonly bufferutil: boolean;
  /** A directory for CPU profiles of the process. */
  readonly cpuProf?: string | undefined;
}

export type End = "client" | "host";

type PeerChild = MeasuredProcess<Request, Answer>;
type AnswerOf<Kind extends Answer["kind"]> = Extract<Answer, { readonly kind: Kind }>;

/** Both processes of one peer, linked and ready. Whatever is asked rejects when a call fails, or either process ends. */
export class RunningPeer {
  readonly name: PeerName;
  readonly about: string;
  readonly versions: Ready["versions"];
  /** Whether both ends are in the host's process. */
  readonly inProcess: boolean;
  /** Where it is served. */
  readonly port: number;
  private readonly abilities: ReadonlySet<Ability>;
  private readonly server: PeerChild;
  private readonly client: PeerChild;

  private constructor(name: PeerName, ready: Ready, server: PeerChild, client: PeerChild) {
    this.name = name;
    this.about = ready.about;
    this.versions = ready.versions;
    this.inProcess = ready.inProcess;
    this.port = ready.port;
    this.abilities = new Set(ready.abilities);
    this.server = server;
    this.client = client;
  }

  /** Starts server and client. When either fails, neither is left behind. */
  static async start(name: PeerName, options: ChildOptions): Promise<RunningPeer> {
    const server = startChild("server", name, 0, options);
    let client: PeerChild | undefined;
    try {
      const { port } = expectKind(await server.next(START_TIMEOUT_MS), "ready");
      client = startChild("client", name, port, options);
      const ready = expectKind(await Promise.race([client.next(START_TIMEOUT_MS), server.gone]), "ready");
      return new RunningPeer(name, ready, server, client);
    } catch (error) {
      await Promise.all([server.stop(), client?.stop()]);
      throw error;
    }
  }

  can(ability: Ability): boolean {
    return this.abilities.has(ability);
  }

  async loop(options: ClosedLoopOptions): Promise<Sample> {
    const { sample } = await this.askClient({ kind: "loop", ...options }, "sample", options.duration);
    if (sample.callsInAll === 0) throw new Error(`no call came back within ${sample.seconds.toFixed(3)} s`);
    return sample;
  }

  /** Milliseconds of one chain of so many calls. */
  async chain(length: number, mode: ChainMode): Promise<number> {
    return (await this.askClient({ kind: "chain", length, mode }, "number")).value;
  }

  /** MiB per second of a stream that takes about so many milliseconds. */
  async stream(direction: "upload" | "download", duration: number): Promise<number> {
    return (await this.askClient({ kind: "stream", direction, duration }, "number", 4 * duration)).value;
  }

  /** The client holds so many stubs from then on; 0 gives them back. */
  async hold(count: number): Promise<void> {
    await this.askClient({ kind: "hold", count }, "done");
  }

  /** What `use` measures goes over a connection of its own to this port. */
  async connected<T>(port: number, use: () => Promise<T>): Promise<T> {
    await this.askClient({ kind: "open", port }, "done");
    const result = await use();
    await this.askClient({ kind: "close" }, "done");
    return result;
  }

  /** @param collect whether to collect garbage first. */
  async usage(end: End, collect: boolean): Promise<Usage> {
    const request = { kind: "usage", collect } as const;
    if (end === "client") return (await this.askClient(request, "usage")).usage;
    return expectKind(await this.server.ask(request, SLACK_MS), "usage").usage;
  }

  async stop(): Promise<void> {
    await this.client.stop();
    await this.server.stop();
  }

  /** @param expected milliseconds that it takes on its own. */
  private async askClient<Kind extends Answer["kind"]>(
    request: Request,
    kind: Kind,
    expected = 0,
  ): Promise<AnswerOf<Kind>> {
    const answer = this.client.ask(request, expected + SLACK_MS);
    answer.catch(() => {});
    return expectKind(await Promise.race([answer, this.server.gone]), kind);
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

function expectKind<Kind extends Answer["kind"]>(answer: Answer, kind: Kind): AnswerOf<Kind> {
  if (answer.kind !== kind) throw new Error(`an answer of another kind: ${answer.kind}`);
  return answer as AnswerOf<Kind>;
}

/** tsx for the benchmark's own files. No package condition: the packages of Capstan resolve to their build. */
function execArgv(options: ChildOptions): string[] {
  const profile = options.cpuProf === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${options.cpuProf}`];
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx"));
  return ["--import", tsx.href, ...profile];
}

function environment(options: ChildOptions): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, WS_NO_BUFFER_UTIL: __, ...kept } = process.env;
  // rpc-websockets puts bufferutil where every `ws` finds it. Without this, the others would be measured as nobody installs them.
  return options.bufferutil ? kept : { ...kept, WS_NO_BUFFER_UTIL: "1" };
}
