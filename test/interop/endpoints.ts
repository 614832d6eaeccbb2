// A TypeScript server of InteropTest that listens.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type WebSocket, WebSocketServer } from "ws";
import {
  Connection,
  InterfaceServer,
  LocalCapability,
  type TableSizes,
  WebSocketTransport,
} from "../../packages/vat/src/index.ts";
import { listenSocket } from "../../packages/vat/src/node/index.ts";
import { LIMITS } from "./objects.ts";
import type { PeerTransport } from "./peer.ts";
import { interopMethods, World } from "./server.ts";

function overWebSocket(socket: WebSocket): WebSocketTransport {
  return new WebSocketTransport(socket, process.nextTick);
}

let sockets = 0;

/** A server of InteropTest in this process. */
export class InteropServer implements AsyncDisposable {
  readonly world = new World();
  /** HOST:PORT, or the path of a Unix socket. */
  address = "";
  /** What each connection's tables held when its peer closed it, in the order in which they ended. */
  readonly leftovers: TableSizes[] = [];
  readonly #connections = new Set<Connection>();
  #last: Connection | undefined;
  #listener: NetServer | undefined;

  static async start(transport: PeerTransport): Promise<InteropServer> {
    const server = new InteropServer();
    if (transport === "ws") await server.#listenWebSocket();
    else await server.#listenSocket(transport);
    return server;
  }

  /** Connections that live. */
  get connections(): number {
    return this.#connections.size;
  }

  async #listenSocket(transport: "tcp" | "unix"): Promise<void> {
    const path = join(tmpdir(), `capstan-interop-${process.pid}-${++sockets}`);
    const where = transport === "unix" ? { path } : { port: 0 };
    const listener = await listenSocket(where, () => this.#makeBootstrap(), {
      onConnection: (connection) => this.#add(connection),
    });
    this.#listener = listener;
    this.address = transport === "unix" ? path : `127.0.0.1:${(listener.address() as AddressInfo).port}`;
    // Told after `onConnection` in the same turn.
    listener.on("connection", (socket: Socket) =>
      this.#watch(this.#last!, (end) => socket.prependListener("close", end)),
    );
  }

  async #listenWebSocket(): Promise<void> {
    const http = createServer();
    const acceptor = new WebSocketServer({
      server: http,
      perMessageDeflate: false,
      maxPayload: LIMITS.maxFrameBytes,
      handleProtocols: () => false,
    });
    acceptor.on("connection", (socket) => {
      const connection = new Connection(overWebSocket(socket), { bootstrap: this.#makeBootstrap() });
      this.#add(connection);
      this.#watch(connection, (end) => socket.prependListener("close", end));
    });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    this.#listener = http;
    this.address = `127.0.0.1:${(http.address() as AddressInfo).port}`;
  }

  /** Told which connection the bootstrap capability made last is for. */
  #added: (connection: Connection) => void = () => {};

  #makeBootstrap(): LocalCapability {
    let own: Connection | undefined;
    this.#added = (connection) => {
      own = connection;
    };
    return new LocalCapability(new InterfaceServer(interopMethods(this.world, () => own!)), LIMITS);
  }

  #add(connection: Connection): void {
    this.#added(connection);
    this.#last = connection;
    this.#connections.add(connection);
    connection.whenClosed(() => this.#connections.delete(connection));
  }

  #watch(connection: Connection, onEnd: (listener: () => void) => void): void {
    onEnd(() => {
      if (connection.closedReason === undefined) this.leftovers.push(connection.tables);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.close();
    const closed = once(this.#listener!, "close");
    this.#listener!.close();
    await closed;
  }
}
