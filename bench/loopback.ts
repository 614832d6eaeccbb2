// WebSockets on the loopback address over `ws`, as the peers that use it plainly want them, and their table of waiting calls.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";

export const LOOPBACK = "127.0.0.1";

/** Serves WebSockets on a free port and gives that port. */
export async function listenWebSocket(onSocket: (socket: WebSocket, path: string) => void): Promise<number> {
  const server = new WebSocketServer({ host: LOOPBACK, port: 0, perMessageDeflate: false });
  server.on("connection", (socket, { url = "" }) => onSocket(socket, url));
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/**
 * Opens a WebSocket to that port. It masks with zeros, as Capstan does here (docs/decisions/0008): what is sent is not copied,
 * so it must not be written to again.
 */
export async function openWebSocket(port: number, path = "/"): Promise<WebSocket> {
  const generateMask = (mask: Buffer): void => void mask.fill(0);
  const socket = new WebSocket(`ws://${LOOPBACK}:${port}${path}`, { perMessageDeflate: false, generateMask });
  await once(socket, "open");
  return socket;
}

/** Calls that wait for their reply, by a small id that is used again once its reply is in. */
export class WaitingCalls {
  private readonly resolvers: (((sum: number) => void) | undefined)[] = [];
  private readonly free: number[] = [];

  add(resolve: (sum: number) => void): number {
    const id = this.free.pop() ?? this.resolvers.length;
    this.resolvers[id] = resolve;
    return id;
  }

  settle(id: number, sum: number): void {
    const resolve = this.resolvers[id];
    if (resolve === undefined) throw new Error(`a reply to no call: ${id}`);
    this.resolvers[id] = undefined;
    this.free.push(id);
    resolve(sum);
  }
}
