// Capstan as built: one link, one service stub, a fresh instance of the Worker per call.
import type { Peer } from "../peer.ts";

interface Bench {
  add(a: number, b: number): Promise<number>;
}

const NOT_BUILT = "Capstan is not built (npm run build)";

/** The built package, never its sources; a clear error where there is none. */
async function built<Module>(name: string, wanted: string, load: () => Promise<Module>): Promise<Module> {
  const url = import.meta.resolve(name);
  if (!url.endsWith("/dist/index.js")) throw new Error(`${name} resolves to ${url}, not to its build`);
  let module: Module;
  try {
    module = await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Error(`${NOT_BUILT}: ${(error as Error).message}`);
  }
  if (!(wanted in (module as object))) throw new Error(`${NOT_BUILT}: ${name} has no ${wanted}`);
  return module;
}

export const peer: Peer = {
  about: "Capstan, one fresh instance per call",
  packages: ["ws"],
  async listen() {
    const { serve, WorkerEntrypoint } = await built("@capstan/host", "serve", () => import("@capstan/host"));
    class Adder extends WorkerEntrypoint {
      add(a: number, b: number): number {
        return a + b;
      }
    }
    const host = await serve({ port: 0, workers: [{ name: "bench", module: { default: Adder } }] });
    return host.port;
  },
  async connect(port) {
    const { connect } = await built("@capstan/client", "connect", () => import("@capstan/client"));
    const link = connect(`ws://127.0.0.1:${port}`);
    const api = link.service<Bench>("bench");
    return { call: (a, b) => api.add(a, b), close: () => link.close() };
  },
};
