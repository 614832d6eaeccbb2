// How a link is opened in a browser: its own WebSocket.
import type { WebSocketLike } from "@capstan/vat";
import type { Limits } from "@capstan/wire";

/** Opens a socket. A browser has no bound on frames and no timeout to set. */
export function openWebSocket(url: string, protocols: string[], _limits: Limits): WebSocketLike {
  return new WebSocket(url, protocols) as unknown as WebSocketLike;
}

export const endOfTurn: (flush: () => void) => void = queueMicrotask;
