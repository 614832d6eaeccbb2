// A service binding between two Workers of one workerd process.
import { fileURLToPath } from "node:url";
import { byRequest } from "../in-process/by-request.ts";
import { workerdBinary, workerdVersion } from "../in-process/install.ts";
import { NativeEnd } from "../native-end.ts";
import type { Peer } from "../peer.ts";

const CONFIG = fileURLToPath(new URL("../in-process/workerd.capnp", import.meta.url));

export const peer: Peer = {
  about: "workerd, a service binding within one process",
  packages: [],
  versions: async () => ({ workerd: workerdVersion() ?? "?" }),
  inProcess: true,
  async listen() {
    const [first] = await NativeEnd.start(workerdBinary(), ["serve", CONFIG, "--control-fd=1"]);
    return (JSON.parse(first) as { port: number }).port;
  },
  connect: async (port) => byRequest(port),
};
