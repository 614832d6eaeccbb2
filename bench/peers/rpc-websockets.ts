// rpc-websockets: JSON-RPC 2.0 over ws, one message a frame.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { LOOPBACK } from "../loopback.ts";
import type { Peer } from "../peer.ts";

/** The library brings bufferutil for `ws` as a dependency of its own, so here, unlike elsewhere, it may be used. */
async function load() {
  delete process.env.WS_NO_BUFFER_UTIL;
  return import("rpc-websockets");
}

export const peer: Peer = {
  about: "rpc-websockets, JSON-RPC",
  packages: ["rpc-websockets", "ws", "bufferutil"],
  async listen() {
    const { Server } = await load();
    const server = new Server({ host: LOOPBACK, port: 0 });
    server.register("add", (params) => {
      const [a, b] = params as unknown as [number, number];
      return a + b;
    });
    await once(server.wss, "listening");
    return (server.wss.address() as AddressInfo).port;
  },
  async connect(port) {
    const { Client } = await load();
    const client = new Client(`ws://${LOOPBACK}:${port}`, { reconnect: false });
    await new Promise<void>((resolve, reject) => {
      client.once("open", resolve);
      client.once("error", reject);
    });
    return { call: (a, b) => client.call("add", [a, b]) as Promise<number>, close: () => client.close() };
  },
};
