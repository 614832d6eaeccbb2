// Capstan with a Worker that imports `waitUntil` from "cloudflare:workers": what AsyncLocalStorage costs those who use it.
import { fileURLToPath } from "node:url";
import { LOOPBACK } from "../loopback.ts";
import type { Peer } from "../peer.ts";
import { checkBuilt, peer as plain } from "./capstan.ts";

export const peer: Peer = {
  about: "Capstan, one fresh instance per call, in a scope",
  packages: plain.packages,
  async listen() {
    await checkBuilt("@capstan/host");
    const { serve } = await import("@capstan/host");
    const host = await serve({ port: 0, workers: [fileURLToPath(new URL("../scoped-worker", import.meta.url))] });
    return host.port;
  },
  async connect(port) {
    await checkBuilt("@capstan/client");
    const { openClient } = await import("../../packages/cli/src/bench/load/session.ts");
    const { call, link } = openClient(`ws://${LOOPBACK}:${port}`, { args: [] });
    return { call, close: () => link.close() };
  },
};
