// "cloudflare:sockets": TCP from a Worker, on Node's sockets.
import { once } from "node:events";
import { connect as connectTcp, type Socket as TcpSocket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { Socket, SocketAddress } from "@capstan/client";
import { addressText, makeSocket } from "@capstan/client/serving";

/** How to connect. */
export interface SocketOptions {
  /** "off" (default) is plain TCP, "on" is TLS from the start. "starttls" is not supported. */
  readonly secureTransport?: "off" | "on" | "starttls" | undefined;
  /** Whether this end may go on writing after the other has ended. Default false. */
  readonly allowHalfOpen?: boolean | undefined;
}

/**
 * Opens a TCP connection. Returns at once: `opened` tells whether it came about.
 *
 * @throws TypeError for an address without a port, and for `secureTransport: "starttls"`.
 */
export function connect(address: SocketAddress, options: SocketOptions = {}): Socket {
  const text = addressText(address);
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  if (match === null) throw new TypeError(`"${text}" is not an address: write host:port.`);
  if (options.secureTransport === "starttls") throw new TypeError('secureTransport "starttls" is not supported.');
  const host = match[1] ?? match[2] ?? "";
  const to = { host, port: Number(match[3]), allowHalfOpen: options.allowHalfOpen ?? false };
  const isSecure = options.secureTransport === "on";
  const socket: TcpSocket = isSecure ? connectTls({ ...to, servername: host }) : connectTcp(to);
  const { readable, writable } = Duplex.toWeb(socket) as unknown as {
    readable: ReadableStream<Uint8Array>;
    writable: WritableStream<Uint8Array>;
  };
  const opened = once(socket, isSecure ? "secureConnect" : "connect").then(() => ({
    remoteAddress: `${socket.remoteAddress}:${socket.remotePort}`,
    localAddress: `${socket.localAddress}:${socket.localPort}`,
  }));
  opened.catch(() => {});
  return makeSocket(readable, writable, opened);
}
