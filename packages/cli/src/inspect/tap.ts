// A proxy for links that lets a listener hear everything that passes through it.
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { LINK_PATH } from "@capstan/client";
import {
  CAPNP_PROTOCOL,
  CAPSTAN_PACKED_PROTOCOL,
  CAPSTAN_PROTOCOL,
  type TrafficListener,
  type TrafficRecorder,
} from "@capstan/vat";
import { DEFAULT_LIMITS, packedBound, unpackFrame } from "@capstan/wire";
import { type RawData, WebSocket, WebSocketServer } from "ws";

/** Bytes that wait at one end before no more are read from the other. */
const MAX_WAITING = 4 * 1024 * 1024;
const BAD_GATEWAY = "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const BAD_REQUEST = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const NOT_FOUND = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const GOING_AWAY = 1001;
const SOCKET_OPTIONS = { perMessageDeflate: false, maxPayload: packedBound(DEFAULT_LIMITS.maxFrameBytes) };

export interface TapOptions {
  /** Where links go on to: ws or wss. */
  readonly target: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Hears each link: what is sent comes from the caller, what is received from the host. */
  readonly record: TrafficRecorder;
  /** Told of what nobody else hears of. */
  readonly note: (text: string) => void;
  /** Resolves when more can be heard; undefined where it can at once. */
  readonly ready: () => Promise<void> | undefined;
}

/** A listening tap. */
export interface Tap {
  readonly url: string;
  /** Ends its links, and listens no more. */
  close(): void;
}

/** Listens on the loopback interface and passes links on to `target`. Throws the system's error for the port. */
export async function openTap(options: TapOptions): Promise<Tap> {
  const http = createServer((_req, res) => res.writeHead(404).end("Only links pass here.\n"));
  const links = new Set<JoinedLink>();
  http.on("upgrade", (req, socket, head) => {
    socket.on("error", () => socket.destroy());
    if (req.url?.split("?", 1)[0] === LINK_PATH) passLink(req, socket, head, options, links);
    else socket.end(NOT_FOUND);
  });
  const { port } = await listen(http, options.port);
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      http.close();
      for (const link of links) link.close();
      http.closeAllConnections();
    },
  };
}

/** The caller's handshake waits for the host's, and gets the subprotocol that the host took. */
function passLink(
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: TapOptions,
  links: Set<JoinedLink>,
): void {
  const host = dial(req, options.target);
  if (host === undefined) {
    socket.end(BAD_REQUEST);
    return;
  }
  const listener = options.record(`${req.socket.remoteAddress}:${req.socket.remotePort}`);
  let link: JoinedLink | undefined;
  let isRefused = false;
  const refuse = (reason: string): void => {
    if (isRefused || link !== undefined) return;
    isRefused = true;
    listener.handleClosed(reason);
    socket.end(BAD_GATEWAY);
    host.terminate();
  };
  host.on("error", (error) => refuse(`The host could not be reached: ${error.message}`));
  socket.once("close", () => refuse("The caller left during the handshake."));
  host.once("open", () => {
    // The host may speak before the caller's handshake is done.
    host.pause();
    const handleProtocols = (): string | false => host.protocol || false;
    const server = new WebSocketServer({ ...SOCKET_OPTIONS, noServer: true, handleProtocols });
    server.handleUpgrade(req, socket, head, (caller) => {
      const joined = new JoinedLink(caller, host, listener, options);
      link = joined;
      links.add(joined);
      caller.once("close", () => links.delete(joined));
      host.resume();
    });
  });
}

/** Begins the host's end of a link; undefined where the caller asked for what nobody may. */
function dial(req: IncomingMessage, target: string): WebSocket | undefined {
  const header = req.headers["sec-websocket-protocol"] ?? "";
  const offered = header.split(",").flatMap((name) => (name.trim() === "" ? [] : name.trim()));
  const settings = {
    ...SOCKET_OPTIONS,
    headers: passedHeaders(req),
    handshakeTimeout: DEFAULT_LIMITS.connectTimeoutMs,
  };
  try {
    const host = new WebSocket(target, offered, settings);
    // A host that picks none speaks "capnp"; `ws` would end the link.
    host.on("upgrade", ({ headers }) => {
      if (offered.includes(CAPNP_PROTOCOL)) headers["sec-websocket-protocol"] ??= CAPNP_PROTOCOL;
    });
    return host;
  } catch {
    return undefined;
  }
}

/** Passes everything on between the two, until one is gone; then the other is closed in the same way. */
class JoinedLink {
  readonly #isPacked: boolean;
  readonly #caller: WebSocket;
  readonly #host: WebSocket;
  readonly #listener: TrafficListener;
  readonly #options: TapOptions;
  #isOver = false;

  constructor(caller: WebSocket, host: WebSocket, listener: TrafficListener, options: TapOptions) {
    this.#caller = caller;
    this.#host = host;
    this.#listener = listener;
    this.#options = options;
    this.#isPacked = host.protocol === CAPSTAN_PACKED_PROTOCOL;
    listener.handleOpen(this.#isPacked || host.protocol === CAPSTAN_PROTOCOL, this.#isPacked);
    this.#pass(caller, host, "The caller", (frame) => listener.handleSent(frame));
    this.#pass(host, caller, "The host", (frame) => listener.handleReceived(frame));
  }

  /** Closes both ends. */
  close(): void {
    this.#end("The tap was closed.");
    this.#caller.close(GOING_AWAY);
    this.#host.close(GOING_AWAY);
  }

  #pass(from: WebSocket, to: WebSocket, name: string, hear: (frame: Uint8Array) => void): void {
    const { note, ready } = this.#options;
    const resume = (): void => {
      if (from.isPaused && to.bufferedAmount <= MAX_WAITING && ready() === undefined) from.resume();
    };
    from.on("message", (data: RawData, isBinary: boolean) => {
      const frame = data as Buffer;
      if (this.#isOver) return;
      if (isBinary) this.#hear(frame, hear);
      else note("A text frame passed, which is not part of the protocol.");
      if (to.readyState === WebSocket.OPEN) to.send(frame, { binary: isBinary }, resume);
      const heard = ready();
      if (to.bufferedAmount > MAX_WAITING || heard !== undefined) from.pause();
      void heard?.then(resume);
    });
    from.on("error", (error) => this.#end(`${name}: ${error.message}`));
    from.on("close", (code, reason) => {
      this.#end(`${name} closed the link: ${reason.length > 0 ? reason.toString() : `code ${code}`}`);
      // While paused it would not see the other's close frame.
      to.resume();
      closeLike(to, code, reason);
    });
  }

  /** The listener hears frames as they are within their packing. */
  #hear(frame: Uint8Array, hear: (frame: Uint8Array) => void): void {
    if (!this.#isPacked) return hear(frame);
    let unpacked: Uint8Array;
    try {
      unpacked = unpackFrame(frame, DEFAULT_LIMITS);
    } catch (error) {
      this.#options.note(`A frame passed that cannot be unpacked: ${(error as Error).message}`);
      return;
    }
    hear(unpacked);
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.handleClosed(reason);
  }
}

function closeLike(socket: WebSocket, code: number, reason: Buffer): void {
  if (code === 1006) socket.terminate();
  else if (code === 1005) socket.close();
  else socket.close(code, reason);
}

/** Headers that are of one connection, and not to be passed on. */
const OWN_HEADERS = new Set(["host", "connection", "upgrade", "keep-alive", "content-length", "transfer-encoding"]);

/** What the caller says of itself: its authorization, cookies, origin. */
function passedHeaders(req: IncomingMessage): { [name: string]: string } {
  const passed: { [name: string]: string } = {};
  for (const [name, value] of Object.entries(req.headers)) {
    if (OWN_HEADERS.has(name) || name.startsWith("sec-websocket-") || value === undefined) continue;
    passed[name] = String(value);
  }
  return passed;
}

function listen(http: Server, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    http.once("error", reject);
    http.listen(port, "127.0.0.1", () => {
      http.off("error", reject);
      resolve(http.address() as AddressInfo);
    });
  });
}
