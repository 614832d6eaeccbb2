// What some peers need besides what `npm ci` installs. Loads none of the libraries compared.
import { buildAdder } from "./cpp/build.ts";
import { installWorkerd, workerdBinary } from "./in-process/install.ts";
import type { PeerName } from "./peer.ts";

/** Makes a peer able to run. Gives why it cannot, where what it needs is not to be had here. */
export async function prepare(name: PeerName): Promise<string | undefined> {
  switch (name) {
    case "capnp-cpp-ws":
    case "capnp-cpp-tcp": {
      const built = await buildAdder();
      return "missing" in built ? built.missing : undefined;
    }
    case "workerd":
      try {
        await installWorkerd();
        workerdBinary();
        return undefined;
      } catch (error) {
        return `workerd cannot be installed: ${(error as Error).message.split("\n", 1)[0]}`;
      }
    default:
      return undefined;
  }
}
