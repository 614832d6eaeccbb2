// A server on a free loopback port whose handler speaks the fetch API, and clients for it.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { errorResponse } from "../../../packages/host/src/http/http-error.ts";
import { toRequest } from "../../../packages/host/src/http/request.ts";
import { sendResponse } from "../../../packages/host/src/http/response.ts";

export type Handler = (request: Request, req: IncomingMessage, res: ServerResponse) => Response | Promise<Response>;

export interface Loopback extends AsyncDisposable {
  readonly origin: string;
  /** What `sendResponse` came to for each request that got so far, in order: undefined or the error. */
  readonly sent: Promise<unknown>[];
  /** What threw before there was a response, in order. */
  readonly failed: unknown[];
  /** A connection of one's own. */
  open(): Promise<Socket>;
  /** Sends `text` on a new connection and gives all that comes back until the server closes it. */
  raw(text: string): Promise<string>;
}

/** Serves `handler`. Whatever fails before anything was sent is answered with `errorResponse`. */
export async function serve(handler: Handler): Promise<Loopback> {
  const sent: Promise<unknown>[] = [];
  const failed: unknown[] = [];
  const server = createServer((req, res) => void answer(req, res));

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let response: Response;
    try {
      response = await handler(toRequest(req, origin, res), req, res);
    } catch (error) {
      failed.push(error);
      response = errorResponse(error);
    }
    const sending = sendResponse(res, response).catch((error: unknown) => error);
    sent.push(sending);
    const error = await sending;
    if (error !== undefined && !res.headersSent) await sendResponse(res, errorResponse(error));
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;

  async function open(): Promise<Socket> {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  }

  return {
    origin,
    sent,
    failed,
    open,
    async raw(text) {
      const socket = await open();
      socket.write(text, "latin1");
      return readAll(socket);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** All that comes on `socket` until it is closed, each byte a character. */
export async function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
  await once(socket, "close");
  return text;
}

/** Reads on `socket` until `pattern` matches what has come since this was called. */
export async function readUntil(socket: Socket, pattern: RegExp): Promise<string> {
  let text = "";
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error(`closed after ${JSON.stringify(text)}`));
    const onData = (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (!pattern.test(text)) return;
      socket.off("data", onData).off("close", onClose);
      resolve(text);
    };
    socket.on("data", onData).on("close", onClose);
  });
}

/** A promise and its resolver. */
export function deferred<T = void>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((itsResolve) => {
    resolve = itsResolve;
  });
  return { promise, resolve };
}
