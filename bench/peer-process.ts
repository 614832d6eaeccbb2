// One end of one peer, alone in its process: `peer-process.ts server NAME` or `peer-process.ts client NAME PORT`.
// The harness drives it over IPC (peer-child.ts) and it ends when told to, or when the harness is gone.
import { streamRate } from "../packages/cli/src/bench/chunks.ts";
import { type ClosedLoopOptions, measure, type Sample } from "../packages/cli/src/bench/load/closed-loop.ts";
import type { ChainMode } from "../packages/cli/src/bench/metrics.ts";
import { answer, followStarter, reply, replyFailed } from "../packages/cli/src/bench/processes/answering.ts";
import { readUsage, type Usage } from "../packages/cli/src/bench/usage.ts";
import { ABILITIES, type Abilities, type Ability, isPeerName, loadPeer, type Peer, type PeerClient } from "./peer.ts";
import type { Answer, Ready, Request } from "./protocol.ts";
import { packageVersion } from "./versions.ts";

async function start(role: string, name: string, port: number): Promise<void> {
  if (!isPeerName(name)) throw new Error(`no such peer: ${name}`);
  const peer = await loadPeer(name);
  if (role === "server") {
    answer(async (request: Request): Promise<Answer> => {
      if (request.kind !== "usage") throw new Error(`a server cannot do this: ${request.kind}`);
      return { kind: "usage", usage: await usageOf(peer, request.collect) };
    });
    reply(await ready(peer, await peer.listen()));
    return;
  }
  const client = new Client(peer, await peer.connect(port));
  answer(
    (request: Request) => client.handle(request),
    () => client.close(),
  );
  reply(await ready(peer, port, client.abilities));
}

async function ready(peer: Peer, port: number, abilities: readonly Ability[] = []): Promise<Ready> {
  const packages = Object.fromEntries(peer.packages.map((name) => [name, packageVersion(name)]));
  const versions = { ...packages, ...(await peer.versions?.()) };
  return { kind: "ready", port, about: peer.about, inProcess: peer.inProcess ?? false, versions, abilities };
}

async function usageOf(peer: Peer, collect: boolean): Promise<Usage> {
  const usage = readUsage(collect);
  return peer.cpu === undefined ? usage : { ...usage, cpu: await peer.cpu() };
}

/** The client's end: its connections, of which the last is the one to measure. */
class Client {
  private readonly peer: Peer;
  private readonly connections: PeerClient[];
  private held: Disposable | undefined;

  constructor(peer: Peer, first: PeerClient) {
    this.peer = peer;
    this.connections = [first];
  }

  get abilities(): readonly Ability[] {
    return ABILITIES.filter((ability) => this.current[ability] !== undefined);
  }

  private get current(): PeerClient {
    return this.connections.at(-1) as PeerClient;
  }

  async handle(request: Request): Promise<Answer> {
    switch (request.kind) {
      case "loop":
        return { kind: "sample", sample: withoutErrors(await loop(this.current, request)) };
      case "chain":
        return { kind: "number", value: await this.timeChain(request.length, request.mode) };
      case "stream": {
        const transfer = this.can(request.direction);
        return { kind: "number", value: await streamRate(transfer, request.duration) };
      }
      case "hold": {
        this.held?.[Symbol.dispose]();
        this.held = request.count === 0 ? undefined : await this.can("hold")(request.count);
        return { kind: "done" };
      }
      case "open":
        this.connections.push(await this.peer.connect(request.port));
        return { kind: "done" };
      case "close":
        this.connections.pop()?.close();
        return { kind: "done" };
      case "usage":
        return { kind: "usage", usage: await usageOf(this.peer, request.collect) };
    }
  }

  close(): void {
    for (const connection of this.connections) connection.close();
  }

  private async timeChain(length: number, mode: ChainMode): Promise<number> {
    const chain = this.can("chain");
    const from = performance.now();
    const last = await chain(length, mode);
    const time = performance.now() - from;
    if (last !== length - 1) throw new Error(`a chain of ${length} calls ended at ${last}`);
    return time;
  }

  private can<Name extends Ability>(name: Name): NonNullable<Abilities[Name]> {
    const ability: Abilities[Name] = this.current[name];
    if (ability === undefined) throw new Error(`this peer cannot do this: ${name}`);
    return ability;
  }
}

function loop(client: PeerClient, options: ClosedLoopOptions): Promise<Sample> {
  return "measure" in client ? client.measure(options) : measure(client, options);
}

/** No peer may fail a call: its figures would be those of errors. */
function withoutErrors(sample: Sample): Sample {
  const [error] = Object.entries(sample.errors);
  if (error !== undefined) throw new Error(`${error[1]}× ${error[0]}`);
  return sample;
}

// tsx switches source maps on, which makes every error that a library creates slow: no part of what is measured here.
process.setSourceMapsEnabled(false);
followStarter();

const [role = "", name = "", port = "0"] = process.argv.slice(2);
start(role, name, Number(port)).catch(replyFailed);
