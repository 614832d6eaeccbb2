// What depends on the platform, in Node: links are opened with the `ws` package.
import { AsyncLocalStorage } from "node:async_hooks";
import { types } from "node:util";
import { CAPNP_PROTOCOL, CAPSTAN_PACKED_PROTOCOL, type WebSocketLike } from "@capstan/vat";
import { type Limits, packedBound } from "@capstan/wire";
import { WebSocket } from "ws";
import { keepAlive } from "./heartbeat.ts";
import { openErrorText } from "./open-error.ts";

/** Runs code outside of any request: what a link brings is not of the one that opened it. */
const outside = AsyncLocalStorage.snapshot();

/**
 * Opens a socket within the limits: frame size, time to connect, heartbeat. A server that picks none of the subprotocols, as
 * Cap'n Proto's own WebSocket stream does, is taken at its word where "capnp" is among them: the two mean the same.
 */
export function openWebSocket(url: string, protocols: string[], limits: Limits): WebSocketLike {
  return outside(() => openHere(url, protocols, limits));
}

function openHere(url: string, protocols: string[], limits: Limits): WebSocketLike {
  const socket = new WebSocket(url, protocols, {
    perMessageDeflate: false,
    maxPayload: protocols.includes(CAPSTAN_PACKED_PROTOCOL) ? packedBound(limits.maxFrameBytes) : limits.maxFrameBytes,
    handshakeTimeout: limits.connectTimeoutMs,
    ...(needsNoMask(new URL(url)) ? { generateMask: maskNothing } : {}),
  });
  // `ws` would end a connection whose server picked nothing.
  socket.on("upgrade", ({ headers }) => {
    if (protocols.includes(CAPNP_PROTOCOL)) headers["sec-websocket-protocol"] ??= CAPNP_PROTOCOL;
  });
  // Before anybody else listens, so that all get the text.
  socket.on("error", (error) => {
    error.message = openErrorText(error.message, url);
  });
  keepAlive(socket, limits.heartbeatMs);
  return socket as unknown as WebSocketLike;
}

/**
 * A client masks its frames so that caches between the two ends cannot be made to take them for HTTP (RFC 6455, 10.3). On
 * loopback, and within TLS, nobody is between, and a mask of zeros spares both ends a pass over every byte
 * (docs/decisions/0008).
 */
function needsNoMask({ protocol, hostname }: URL): boolean {
  return protocol === "wss:" || hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

function maskNothing(mask: Buffer): void {
  mask.fill(0);
}

/** Runs `flush` once the running callback and the microtasks behind it are done. Sooner than `setImmediate`, with as large frames. */
export const endOfTurn: (flush: () => void) => void = process.nextTick;

/** Whether `object` is a Proxy. */
export const isProxy: (object: object) => boolean = types.isProxy;

/** What the environment says of warnings of leaks. */
export function leakSetting(): "warn" | "trace" | "off" {
  const { CAPSTAN_LEAKS, NODE_ENV } = process.env;
  if (CAPSTAN_LEAKS === "warn" || CAPSTAN_LEAKS === "trace" || CAPSTAN_LEAKS === "off") return CAPSTAN_LEAKS;
  return NODE_ENV === "development" ? "warn" : "off";
}

/** @param detail more of it, where there is more. */
export function warn(text: string, detail: string | undefined): void {
  process.emitWarning(text, { type: "RpcLeakWarning", ...(detail === undefined ? {} : { detail }) });
}
