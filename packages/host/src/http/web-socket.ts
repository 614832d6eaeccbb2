// A Worker's WebSocket, carried by a client's.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocketFrame, WorkerWebSocket } from "@capstan/client";
import { keepAlive } from "@capstan/client/node";
import { connectionLost, isSendableCode } from "@capstan/client/serving";
import type { Limits } from "@capstan/wire";
import { type WebSocket, WebSocketServer } from "ws";
import type { ExecutionContext } from "../context.ts";

const PROTOCOL_HEADER = "sec-websocket-protocol";
const GOING_AWAY = 1001;
const INTERNAL_ERROR = 1011;

/** What a client's request for a WebSocket brings. */
interface Upgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
  /** Rejects where the Worker's invocation is aborted. */
  readonly aborted: Promise<never>;
}

/** What an invocation is to get done before it ends. */
type Tasks = Pick<ExecutionContext, "waitUntil">;

/** Takes over sockets whose clients asked for a WebSocket. */
export class WebSocketAcceptor {
  readonly #limits: Limits;
  readonly #responses = new WeakMap<IncomingMessage, Headers>();
  readonly #server: WebSocketServer;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: limits.maxFrameBytes,
      handleProtocols: (_offered, req) => this.#responses.get(req)?.get(PROTOCOL_HEADER) ?? false,
    });
    this.#server.on("headers", (lines: string[], req: IncomingMessage) => {
      for (const [name, value] of this.#responses.get(req) ?? []) {
        if (!name.startsWith("sec-websocket-")) lines.push(`${name}: ${value}`);
      }
    });
  }

  /**
   * Completes the handshake with the `headers` of the Worker's response, and carries messages both ways. Settles when
   * both sockets are closed; at once where `req` is no valid handshake, which its client is told. What the client sent
   * before it closed in order, the close included, still arrives: that is a task of `tasks`.
   */
  async accept(
    webSocket: WorkerWebSocket,
    headers: Headers,
    req: IncomingMessage,
    { socket, head, aborted }: Upgrade,
    tasks: Tasks,
  ): Promise<void> {
    const { readable, writable } = webSocket.streams();
    this.#responses.set(req, headers);
    const client = await new Promise<WebSocket | undefined>((resolve) => {
      socket.once("close", () => resolve(undefined));
      this.#server.handleUpgrade(req, socket, head, resolve);
    });
    if (client === undefined) {
      const gone = connectionLost();
      await Promise.allSettled([readable.cancel(gone), writable.abort(gone)]);
      return;
    }
    keepAlive(client, this.#limits.heartbeatMs);
    aborted.catch(() => client.close(INTERNAL_ERROR));
    await Promise.all([fromClient(client, writable, tasks), toClient(client, readable)]);
  }

  /** Says goodbye to all clients: the host goes away. */
  close(): void {
    for (const client of this.#server.clients) client.close(GOING_AWAY);
  }
}

/** Settles when the client's socket is closed. */
function fromClient(client: WebSocket, writable: WritableStream<WebSocketFrame>, tasks: Tasks): Promise<void> {
  const writer = writable.getWriter();
  writer.closed.catch(() => client.close(GOING_AWAY));
  const write = (frame: WebSocketFrame): void => {
    writer.write(frame).catch(() => {});
    if ((writer.desiredSize ?? 1) > 0) return;
    client.pause();
    writer.ready.catch(() => {}).then(() => client.resume());
  };
  client.on("message", (data: Buffer, isBinary: boolean) => write(isBinary ? new Uint8Array(data) : data.toString()));
  // What breaks the socket closes it too.
  client.on("error", () => {});
  return new Promise((resolve) => {
    client.on("close", (code, reason) => {
      if (code === 1005 || isSendableCode(code)) {
        write({ code, reason: reason.toString() });
        tasks.waitUntil(writer.close().catch(() => {}));
      } else writer.abort(connectionLost()).catch(() => {});
      resolve();
    });
  });
}

/** Settles when nothing more comes from the Worker. */
async function toClient(client: WebSocket, readable: ReadableStream<WebSocketFrame>): Promise<void> {
  const reader = readable.getReader();
  client.on("close", () => void reader.cancel().catch(() => {}));
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (typeof value !== "string" && !(value instanceof Uint8Array)) {
        client.close(isSendableCode(value.code) ? value.code : undefined, value.reason);
        return;
      }
      await new Promise<void>((sent) => client.send(value, () => sent()));
    }
  } catch {
    // The Worker's end broke.
  }
  client.close(INTERNAL_ERROR);
}
