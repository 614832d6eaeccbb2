// Capstan: a service binding between two Workers of one process, the same two as workerd's.
import { fileURLToPath } from "node:url";
import { byRequest } from "../in-process/by-request.ts";
import type { Peer } from "../peer.ts";
import { checkBuilt } from "./capstan.ts";

const WORKERS = ["caller", "callee"].map((name) => fileURLToPath(new URL(`../in-process/${name}`, import.meta.url)));

export const peer: Peer = {
  about: "Capstan, a service binding within one process",
  packages: [],
  inProcess: true,
  async listen() {
    await checkBuilt("@capstan/host");
    const { serve } = await import("@capstan/host");
    return (await serve({ port: 0, workers: WORKERS })).port;
  },
  connect: async (port) => byRequest(port),
};
