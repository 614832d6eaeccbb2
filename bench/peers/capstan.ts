// Capstan as built: one link, one service stub, a fresh instance of the Worker per call.
import { holdStubs } from "../hold-stubs.ts";
import { LOOPBACK } from "../loopback.ts";
import type { Peer } from "../peer.ts";

const NOT_BUILT = "Capstan is not built (npm run build)";
/** Sees that a package is there as built, never its sources, before what imports it is loaded. */
export async function checkBuilt(name: "@capstan/host" | "@capstan/client"): Promise<void> {
  const url = import.meta.resolve(name);
  if (!url.endsWith("/dist/index.js")) throw new Error(`${name} resolves to ${url}, not to its build`);
  try {
    await import(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Error(`${NOT_BUILT}: ${(error as Error).message}`);
  }
}

/** @param packed whether the link is packed. */
export function capstanPeer(about: string, packed: boolean): Peer {
  const target = { args: [], packed };
  return {
    about,
    packages: ["ws"],
    async listen() {
      await checkBuilt("@capstan/host");
      const { serveBenchWorker } = await import("../../packages/cli/src/bench/serve-worker.ts");
      return (await serveBenchWorker({ port: 0 })).port;
    },
    async connect(port) {
      await checkBuilt("@capstan/client");
      const { openClient, workerAt } = await import("../../packages/cli/src/bench/load/session.ts");
      const { pipe, walk } = await import("../../packages/cli/src/bench/load/chains.ts");
      const { download, upload } = await import("../../packages/cli/src/bench/load/bulk.ts");
      const { call, link } = openClient(`ws://${LOOPBACK}:${port}`, target);
      const worker = workerAt(link, target);
      return {
        call,
        chain: (length, mode) => (mode === "pipelined" ? pipe : walk)(worker, length),
        hold: (count) => holdStubs(count, (some) => worker.targets(some)),
        upload: (chunks) => upload(worker, chunks),
        download: (chunks) => download(worker, chunks),
        close: () => link.close(),
      };
    },
  };
}

export const peer = capstanPeer("Capstan, one fresh instance per call", false);
