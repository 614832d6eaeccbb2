// "cloudflare:sockets": TCP and TLS from a Worker, on Node's sockets.
import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket as TcpSocket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { SecureTransport, Socket, SocketAddress, SocketInfo, SocketOptions, TlsOptions } from "@capstan/client";
import { addressText, connectionLost, makeSocket, type SocketParts } from "@capstan/client/serving";
// Scopes tell whose the sockets are.
import "./cloudflare-workers-scoped.ts";
import { currentScope } from "./invocation-scope.ts";
import { streamsOf } from "./tcp-streams.ts";

/** How to connect. */
export interface TcpOptions extends SocketOptions {
  /** "off" (default) is plain TCP, "on" is TLS from the start, "starttls" is plain until `startTls()`. */
  readonly secureTransport?: SecureTransport | undefined;
}

/**
 * Opens a TCP connection, which ends with the invocation at the latest. Returns at once: `opened` tells whether it came about.
 *
 * @throws TypeError for an address without a port, or with one that there is not.
 */
export function connect(address: SocketAddress, options: TcpOptions = {}): Socket {
  const { host, port } = parseAddress(addressText(address));
  const { secureTransport = "off", allowHalfOpen = false } = options;
  const to = { host, port, allowHalfOpen: true };
  if (secureTransport === "on") {
    const secure = ownedHere(connectTls({ ...to, ...serverName(host) }));
    return socketOver(secure, whenOpen(secure, "secureConnect"), allowHalfOpen);
  }
  const plain = ownedHere(connectTcp(to));
  const opened = whenOpen(plain, "connect");
  if (secureTransport === "off") return socketOver(plain, opened, allowHalfOpen);
  const { readable, writable, detach } = streamsOf(plain);
  const upgrade = (flushed: Promise<void>, tls: TlsOptions): Socket => {
    const ready = Promise.all([opened, flushed]).then(() => {
      detach();
      // An option of Node's that its types do not have here.
      const kept: { allowHalfOpen: true } = { allowHalfOpen: true };
      return connectTls({ ...kept, socket: plain, ...serverName(tls.expectedServerHostname ?? host) });
    });
    return socketOnceSecure(ready, allowHalfOpen);
  };
  const destroy = (): void => void plain.destroy();
  return makeSocket(readable, writable, opened, { allowHalfOpen, secureTransport, upgrade, destroy, ...closingHere() });
}

function socketOver(socket: TcpSocket, opened: Promise<SocketInfo>, allowHalfOpen: boolean): Socket {
  const { readable, writable } = streamsOf(socket);
  const secureTransport = "encrypted" in socket ? "on" : "off";
  const destroy = (): void => void socket.destroy();
  return makeSocket(readable, writable, opened, { allowHalfOpen, secureTransport, destroy, ...closingHere() });
}

/** A socket over a connection that is still to become TLS. */
function socketOnceSecure(ready: Promise<TcpSocket>, allowHalfOpen: boolean): Socket {
  const incoming = new TransformStream<Uint8Array, Uint8Array>();
  const outgoing = new TransformStream<Uint8Array, Uint8Array>();
  const opened = ready.then((secure) => {
    const { readable, writable } = streamsOf(secure);
    readable.pipeTo(incoming.writable).catch(() => {});
    outgoing.readable.pipeTo(writable).catch(() => {});
    return whenOpen(secure, "secureConnect");
  });
  opened.catch(() => {});
  const destroy = (): void => {
    ready.then((secure) => secure.destroy()).catch(() => {});
  };
  const parts: SocketParts = { allowHalfOpen, secureTransport: "on", destroy, ...closingHere() };
  return makeSocket(incoming.readable, outgoing.writable, opened, parts);
}

/** Makes `socket` the current invocation's. Returns it. */
function ownedHere<T extends TcpSocket>(socket: T): T {
  const realm = currentScope()?.callRealm;
  const held = { dispose: () => void socket.destroy() };
  realm?.handleHeld?.(held, true);
  socket.once("close", () => realm?.handleHeld?.(held, false));
  return socket;
}

/** The current invocation waits for sockets that it closes. */
function closingHere(): Pick<SocketParts, "handleClosing"> {
  const realm = currentScope()?.callRealm;
  return realm === undefined ? {} : { handleClosing: (closing) => realm.waitFor?.(closing) };
}

function whenOpen(socket: TcpSocket, event: "connect" | "secureConnect"): Promise<SocketInfo> {
  const closed = once(socket, "close").then(() => Promise.reject(connectionLost()));
  const opened = Promise.race([once(socket, event), closed]).then(() => ({
    remoteAddress: endText(socket.remoteAddress, socket.remotePort),
    localAddress: endText(socket.localAddress, socket.localPort),
  }));
  opened.catch(() => {});
  return opened;
}

function endText(address = "", port = 0): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

function parseAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  if (match === null) throw new TypeError(`"${text}" is not an address: write host:port, or [address]:port for IPv6.`);
  const port = Number(match[3]);
  if (port < 1 || port > 65_535) throw new TypeError(`"${text}" is not an address: ports are from 1 to 65535.`);
  return { host: match[1] ?? match[2] ?? "", port };
}

/** Addresses are no names: a server is not asked for them. */
function serverName(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}
