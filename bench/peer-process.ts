// One end of one peer, alone in its process: `peer-process.ts server NAME` or `peer-process.ts client NAME PORT`.
// The harness drives it over IPC (peer-child.ts) and it ends when told to, or when the harness is gone.
import { measure, type Sample } from "../packages/cli/src/bench/load/closed-loop.ts";
import { answer, followStarter, reply, replyFailed } from "../packages/cli/src/bench/processes/answering.ts";
import { isPeerName, loadPeer, type PeerClient } from "./peer.ts";

/** What the harness asks. Times are in milliseconds; the warm-up runs first and isn't counted. */
export interface MeasureRequest {
  readonly kind: "measure";
  readonly inFlight: number;
  readonly warmup: number;
  readonly duration: number;
}

/** What comes once, unasked. */
export interface Ready {
  readonly kind: "ready";
  readonly port: number;
  readonly about: string;
  readonly packages: readonly string[];
}

/** What answers each `measure`. */
export interface Measured {
  readonly kind: "measured";
  readonly sample: Sample;
}

async function start(role: string, name: string, port: number): Promise<void> {
  if (!isPeerName(name)) throw new Error(`no such peer: ${name}`);
  const peer = await loadPeer(name);
  const { about, packages } = peer;
  if (role === "server") {
    answer(() => Promise.reject(new Error("a server measures nothing")));
    reply({ kind: "ready", port: await peer.listen(), about, packages } satisfies Ready);
    return;
  }
  const client = await peer.connect(port);
  answer(
    async (request: MeasureRequest): Promise<Measured> => ({
      kind: "measured",
      sample: await measureAfterWarmup(client, request),
    }),
    () => client.close(),
  );
  reply({ kind: "ready", port, about, packages } satisfies Ready);
}

async function measureAfterWarmup(client: PeerClient, request: MeasureRequest): Promise<Sample> {
  const { inFlight, warmup, duration } = request;
  if (warmup > 0) withoutErrors(await measure(client, { inFlight, duration: warmup }));
  return withoutErrors(await measure(client, { inFlight, duration }));
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
