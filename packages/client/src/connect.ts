// connect(): a URL becomes a link.

import {
  CAPNP_PROTOCOL,
  CAPSTAN_PACKED_PROTOCOL,
  CAPSTAN_PROTOCOL,
  RecordingTransport,
  type TrafficRecorder,
  type TransportReceiver,
  type WebSocketLike,
  WebSocketTransport,
} from "@capstan/vat";
import { type LimitOptions, type Limits, resolveLimits } from "@capstan/wire";
import { endOfTurn, openWebSocket } from "#platform";
import { Link, type UntypedService } from "./link.ts";

/** The path where hosts take links. */
export const LINK_PATH = "/_capstan";

/** How `connect` links. */
export interface ConnectOptions {
  /** Bounds that this end keeps to and holds its peer to. Each one left out has its default. */
  readonly limits?: LimitOptions | undefined;
  /**
   * Whether frames are to be packed: less than half the bytes, for some processor time at both ends. True asks the host for
   * it, false rules it out. Default: the host decides, which packs where the caller is on another machine unless it was told
   * otherwise. A host that knows no packing does without.
   */
  readonly packed?: boolean | undefined;
  /** Hears everything that passes over the link. Default: nobody. */
  readonly record?: TrafficRecorder | undefined;
  /** What errors of the link call its other end, e.g. `service "b" at http://127.0.0.1:8788`. Default: nothing. */
  readonly name?: string | undefined;
}

/**
 * Opens a link to a host. Returns at once: calls wait until it is open, and fail if it never is.
 *
 * @typeParam T what `link.service()` gives where it is told nothing else: an entrypoint's class, or an interface of its methods.
 * @param url http, https, ws or wss; without a path it means `/_capstan`.
 * @throws TypeError for a URL that is none, or options that are.
 */
export function connect<T extends object = UntypedService>(url: string | URL, options: ConnectOptions = {}): Link<T> {
  const limits = resolveLimits(options.limits);
  const protocols = offeredProtocols(options.packed);
  const target = linkUrl(url);
  const socket = openWebSocket(target, protocols, limits);
  const { name, record } = options;
  const transport =
    name === undefined
      ? new WebSocketTransport(socket, endOfTurn, limits)
      : new NamedTransport(socket, endOfTurn, limits, name);
  return new Link(record === undefined ? transport : new RecordingTransport(transport, record(target)), { limits });
}

/** The subprotocols that a link with this option `packed` offers, the one that it likes best first. */
function offeredProtocols(packed: boolean | undefined): string[] {
  switch (packed) {
    case undefined:
      return [CAPSTAN_PROTOCOL, CAPSTAN_PACKED_PROTOCOL, CAPNP_PROTOCOL];
    case true:
      return [CAPSTAN_PACKED_PROTOCOL, CAPSTAN_PROTOCOL, CAPNP_PROTOCOL];
    case false:
      return [CAPSTAN_PROTOCOL, CAPNP_PROTOCOL];
    default:
      throw new TypeError(`The option "packed" must be true or false, not ${JSON.stringify(packed)}.`);
  }
}

/** Says in the reason for its end which link it was. */
class NamedTransport extends WebSocketTransport {
  readonly #name: string;

  constructor(socket: WebSocketLike, schedule: (flush: () => void) => void, limits: Limits, name: string) {
    super(socket, schedule, limits);
    this.#name = name;
  }

  override start(receiver: TransportReceiver): void {
    super.start({
      handleOpen: () => receiver.handleOpen(),
      handleFrame: (frame) => receiver.handleFrame(frame),
      handleMalformed: (reason) => receiver.handleMalformed(reason),
      handleClosed: (reason) => receiver.handleClosed(`${reason} (${this.#name})`),
    });
  }
}

/**
 * The URL of a link's WebSocket: ws or wss, `/_capstan` where `given` has no path.
 *
 * @throws TypeError for what is no URL, or one of another scheme than http, https, ws and wss.
 */
export function linkUrl(given: string | URL): string {
  const text = String(given);
  if (!URL.canParse(text)) throw new TypeError(`"${text}" is not a URL.`);
  const url = new URL(text);
  if (url.protocol === "http:") url.protocol = "ws:";
  else if (url.protocol === "https:") url.protocol = "wss:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    const meant = /^[\w.-]+:\d+(?:\/|$)/.test(text) ? ` (did you mean "http://${text}"?)` : "";
    throw new TypeError(`"${text}" cannot be linked to: use http, https, ws or wss${meant}.`);
  }
  if (url.pathname === "/") url.pathname = LINK_PATH;
  url.hash = "";
  return url.href;
}
