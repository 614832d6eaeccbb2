// Where the calculator is: HOST:PORT, unix:PATH or ws://HOST:PORT. The first two any Cap'n Proto program speaks.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { CAPSTAN_PROTOCOL, type Capability, Connection, WebSocketTransport } from "@capstan/vat";
import { connectSocket, listenSocket, type SocketAddress } from "@capstan/vat/node";
import { WebSocket, WebSocketServer } from "ws";

/** Returns at once: calls wait until the connection is open, and fail as disconnected where it never is. */
export function connect(address: string): Connection {
  if (!address.startsWith("ws:")) return connectSocket(socketAddress(address));
  const socket = new WebSocket(address, CAPSTAN_PROTOCOL, { perMessageDeflate: false });
  return new Connection(new WebSocketTransport(socket, process.nextTick));
}

/**
 * Serves `bootstrap` to whoever connects. Borrows it.
 *
 * @returns the address, with the port that was free where it said 0.
 */
export async function listen(address: string, bootstrap: Capability): Promise<string> {
  if (address.startsWith("ws:")) {
    const { hostname, port } = new URL(address);
    const server = new WebSocketServer({ host: hostname, port: Number(port), perMessageDeflate: false });
    server.on("connection", (socket) => {
      new Connection(new WebSocketTransport(socket, process.nextTick), { bootstrap: bootstrap.addRef() });
    });
    await once(server, "listening");
    return `ws://${hostname}:${(server.address() as AddressInfo).port}`;
  }
  const where = socketAddress(address);
  const server = await listenSocket(where, () => bootstrap.addRef());
  return "path" in where ? address : `${where.host}:${(server.address() as AddressInfo).port}`;
}

function socketAddress(address: string): SocketAddress {
  if (address.startsWith("unix:")) return { path: address.slice("unix:".length) };
  const [, host, port] = /^(.+):(\d+)$/.exec(address) ?? [];
  if (port === undefined) throw new Error(`"${address}" is no address: HOST:PORT, unix:PATH or ws://HOST:PORT`);
  return { host, port: Number(port) };
}
