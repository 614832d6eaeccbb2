// Cap'n Proto over TCP and Unix sockets, in Node.
import { createConnection, createServer, type Server as NetServer, type Socket } from "node:net";
import { type LimitOptions, type Limits, resolveLimits } from "@capstan/wire";
import type { Capability } from "../capabilities/capability.ts";
import { Connection } from "../connection/connection.ts";
import { ByteStreamTransport } from "../transports/byte-stream.ts";

/** Where a peer is: a TCP port (default host: 127.0.0.1), or the path of a Unix socket. */
export type SocketAddress = { readonly port: number; readonly host?: string | undefined } | { readonly path: string };

export interface SocketOptions {
  /** What the peer gets for Bootstrap. The connection takes over this reference. */
  readonly bootstrap?: Capability | undefined;
  readonly limits?: LimitOptions | Limits | undefined;
}

/**
 * Connects to a Cap'n Proto peer over a plain socket. Returns at once: calls wait until the socket is open, and fail as
 * disconnected where it never is within `limits.connectTimeoutMs`.
 */
export function connectSocket(address: SocketAddress, options: SocketOptions = {}): Connection {
  const limits = resolveLimits(options.limits);
  const socket = createConnection("path" in address ? { ...address } : { host: "127.0.0.1", ...address });
  const timer = setTimeout(
    () => socket.destroy(new Error(`no connection within ${limits.connectTimeoutMs} ms`)),
    limits.connectTimeoutMs,
  );
  const stop = (): void => clearTimeout(timer);
  socket.once("connect", stop).once("close", stop);
  return over(socket, limits, options.bootstrap);
}

/**
 * Takes connections of Cap'n Proto peers over plain sockets. Resolves when it listens; rejects where it cannot.
 *
 * @param makeBootstrap what a peer gets for Bootstrap: asked once for each connection, which takes over the reference.
 * @param onConnection told of each connection.
 */
export async function listenSocket(
  address: SocketAddress,
  makeBootstrap: () => Capability,
  options: { readonly limits?: LimitOptions | undefined; onConnection?(connection: Connection): void } = {},
): Promise<NetServer> {
  const limits = resolveLimits(options.limits);
  const server = createServer({ noDelay: true, allowHalfOpen: false }, (socket) => {
    const connection = over(socket, limits, makeBootstrap());
    options.onConnection?.(connection);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen("path" in address ? { ...address } : { host: "127.0.0.1", ...address }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return server;
}

function over(socket: Socket, limits: Limits, bootstrap: Capability | undefined): Connection {
  socket.setNoDelay(true);
  return new Connection(new ByteStreamTransport(socket, limits, process.nextTick), { limits, bootstrap });
}
