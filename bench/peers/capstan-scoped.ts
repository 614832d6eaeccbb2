// Capstan with a Worker that imports `waitUntil` from "cloudflare:workers": what AsyncLocalStorage costs those who use it.
import { fileURLToPath } from "node:url";
import type { Peer } from "../peer.ts";
import { peer as plain } from "./capstan.ts";

export const peer: Peer = {
  ...plain,
  about: "Capstan, one fresh instance per call, in a scope",
  async listen() {
    const { serve } = await import("@capstan/host");
    const host = await serve({ port: 0, workers: [fileURLToPath(new URL("../scoped-worker", import.meta.url))] });
    return host.port;
  },
};
