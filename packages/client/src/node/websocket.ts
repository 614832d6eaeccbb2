// How a link is opened in Node: the `ws` package.
import type { WebSocketLike } from "@capstan/vat";
import { WebSocket } from "ws";

/** Opens a socket. `maxFrameBytes` bounds what a peer may send at once. */
export function openWebSocket(
  url: string,
  protocols: string[],
  maxFrameBytes: number,
  timeoutMs: number,
): WebSocketLike {
  return new WebSocket(url, protocols, {
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    handshakeTimeout: timeoutMs,
  }) as unknown as WebSocketLike;
}

/** Runs `flush` once what came in this turn has been handled. */
export const endOfTurn: (flush: () => void) => void = setImmediate;
