// One end of one peer, alone in its process: `peer-process.ts server NAME` or `peer-process.ts client NAME PORT`.
// The harness drives it over IPC (peer-child.ts) and it ends when told to, or when the harness is gone.
import { measure, type Sample } from "./closed-loop.ts";
import { isPeerName, loadPeer, type PeerClient } from "./peer.ts";

/** What the harness asks. Times are in milliseconds; the warm-up runs first and isn't counted. */
export type Request =
  | { readonly kind: "measure"; readonly inFlight: number; readonly warmup: number; readonly duration: number }
  | { readonly kind: "stop" };

/** What comes back: `ready` once, unasked; then one answer to each `measure`. */
export type Reply =
  | { readonly kind: "ready"; readonly port: number; readonly about: string; readonly packages: readonly string[] }
  | { readonly kind: "measured"; readonly sample: Sample }
  | { readonly kind: "failed"; readonly message: string };

function reply(message: Reply): void {
  process.send?.(message);
}

function fail(error: unknown): void {
  reply({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
}

async function start(role: string, name: string, port: number): Promise<void> {
  if (!isPeerName(name)) throw new Error(`no such peer: ${name}`);
  const peer = await loadPeer(name);
  const { about, packages } = peer;
  if (role === "server") {
    process.on("message", (request: Request) => {
      if (request.kind === "stop") process.exit(0);
    });
    reply({ kind: "ready", port: await peer.listen(), about, packages });
    return;
  }
  const client = await peer.connect(port);
  process.on("message", (request: Request) => {
    if (request.kind === "stop") {
      client.close();
      process.exit(0);
    }
    measureAfterWarmup(client, request).then((sample) => reply({ kind: "measured", sample }), fail);
  });
  reply({ kind: "ready", port, about, packages });
}

async function measureAfterWarmup(client: PeerClient, request: Request & { kind: "measure" }): Promise<Sample> {
  if (request.warmup > 0) await measure(client, request.inFlight, request.warmup);
  return measure(client, request.inFlight, request.duration);
}

// tsx switches source maps on, which makes every error that a library creates slow: no part of what is measured here.
process.setSourceMapsEnabled(false);
process.on("disconnect", () => process.exit(0));
// Ctrl-C reaches the whole process group; the harness decides when this process ends.
process.on("SIGINT", () => {});

const [role = "", name = "", port = "0"] = process.argv.slice(2);
start(role, name, Number(port)).catch(fail);
