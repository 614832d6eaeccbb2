// connect(): a URL becomes a link.

import {
  CAPNP_PROTOCOL,
  CAPSTAN_PROTOCOL,
  RecordingTransport,
  type TrafficRecorder,
  WebSocketTransport,
} from "@capstan/vat";
import { type LimitOptions, resolveLimits } from "@capstan/wire";
import { endOfTurn, openWebSocket } from "#platform";
import { Link, type UntypedService } from "./link.ts";

/** Where hosts take links. */
export const LINK_PATH = "/_capstan";

export interface ConnectOptions {
  readonly limits?: LimitOptions | undefined;
  /** Hears everything that passes over the link. Default: nobody. */
  readonly record?: TrafficRecorder | undefined;
}

/**
 * Opens a link to a host. Returns at once: calls wait until it is open, and fail if it never is.
 *
 * @typeParam T what `link.service()` gives where it is told nothing else: an entrypoint's class, or an interface of its methods.
 * @param url http, https, ws or wss; without a path it means `/_capstan`.
 * @throws TypeError for a URL that is none.
 */
export function connect<T extends object = UntypedService>(url: string | URL, options: ConnectOptions = {}): Link<T> {
  const limits = resolveLimits(options.limits);
  const protocols = [CAPSTAN_PROTOCOL, CAPNP_PROTOCOL];
  const target = linkUrl(url);
  const socket = openWebSocket(target, protocols, limits);
  const transport = new WebSocketTransport(socket, endOfTurn);
  const { record } = options;
  return new Link(record === undefined ? transport : new RecordingTransport(transport, record(target)), { limits });
}

/**
 * The WebSocket URL that a link to `given` is opened at.
 *
 * @throws TypeError for a URL that is none, or of another kind.
 */
export function linkUrl(given: string | URL): string {
  const text = String(given);
  if (!URL.canParse(text)) throw new TypeError(`"${text}" is not a URL.`);
  const url = new URL(text);
  if (url.protocol === "http:") url.protocol = "ws:";
  else if (url.protocol === "https:") url.protocol = "wss:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    throw new TypeError(`"${text}" cannot be linked to: use http, https, ws or wss.`);
  }
  if (url.pathname === "/") url.pathname = LINK_PATH;
  url.hash = "";
  return url.href;
}
