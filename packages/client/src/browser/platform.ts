// What depends on the platform, in a browser: links are opened with its own WebSocket.
import type { WebSocketLike } from "@capstan/vat";
import type { Limits } from "@capstan/wire";

/** Opens a socket. A browser has no bound on frames and no timeout to set. */
export function openWebSocket(url: string, protocols: string[], _limits: Limits): WebSocketLike {
  return new WebSocket(url, protocols) as unknown as WebSocketLike;
}

export const endOfTurn: (flush: () => void) => void = queueMicrotask;

/** No script can tell. */
export function isProxy(_object: object): boolean {
  return false;
}

export function leakSetting(): "warn" | "trace" | "off" {
  return "off";
}

export function warn(text: string, detail: string | undefined): void {
  console.warn(detail === undefined ? text : `${text}\n${detail}`);
}
