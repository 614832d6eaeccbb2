// socket.io: events with acknowledgements, over WebSocket from the start.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { io, type Socket } from "socket.io-client";
import { LOOPBACK } from "../loopback.ts";
import type { Peer } from "../peer.ts";

interface ServerEvents {
  add: (a: number, b: number, acknowledge: (sum: number) => void) => void;
}

type ClientEvents = Record<string, never>;

export const peer: Peer = {
  about: "socket.io, events with acks",
  packages: ["socket.io", "ws"],
  async listen() {
    const http = createServer();
    const server = new Server<ServerEvents>(http, { transports: ["websocket"], serveClient: false });
    server.on("connection", (socket) => {
      socket.on("add", (a, b, acknowledge) => acknowledge(a + b));
    });
    http.listen(0, LOOPBACK);
    await once(http, "listening");
    return (http.address() as AddressInfo).port;
  },
  async connect(port) {
    const socket: Socket<ClientEvents, ServerEvents> = io(`http://${LOOPBACK}:${port}`, {
      transports: ["websocket"],
      reconnection: false,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", reject);
    });
    return { call: (a, b) => socket.emitWithAck("add", a, b), close: () => socket.disconnect() };
  },
};
