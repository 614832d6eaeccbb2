// tRPC 11 over WebSocket: a query, its client with `wsLink`. The input is taken as it is, without a schema library.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import { initTRPC } from "@trpc/server";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { WebSocket as NodeWebSocket, WebSocketServer } from "ws";
import { LOOPBACK } from "../loopback.ts";
import type { Peer } from "../peer.ts";

interface Pair {
  readonly a: number;
  readonly b: number;
}

const { router, procedure } = initTRPC.create();
const adder = router({
  add: procedure.input((input) => input as Pair).query(({ input: { a, b } }) => a + b),
});

export const peer: Peer = {
  about: "tRPC queries over WebSocket",
  packages: ["@trpc/server", "@trpc/client", "ws"],
  async listen() {
    const wss = new WebSocketServer({ host: LOOPBACK, port: 0, perMessageDeflate: false });
    applyWSSHandler({ wss, router: adder });
    await once(wss, "listening");
    return (wss.address() as AddressInfo).port;
  },
  async connect(port) {
    let client: ReturnType<typeof createWSClient> | undefined;
    await new Promise<void>((resolve, reject) => {
      client = createWSClient({
        url: `ws://${LOOPBACK}:${port}`,
        // Node 20 has none of its own.
        WebSocket: NodeWebSocket as unknown as typeof WebSocket,
        onOpen: resolve,
        onError: () => reject(new Error(`no connection to port ${port}`)),
      });
    });
    const link = client as ReturnType<typeof createWSClient>;
    const trpc = createTRPCClient<typeof adder>({ links: [wsLink({ client: link })] });
    return { call: (a, b) => trpc.add.query({ a, b }), close: () => void link.close() };
  },
};
