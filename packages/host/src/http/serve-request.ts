// One HTTP request is one invocation of a Worker's default export.
import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { webSocketOf } from "@capstan/client";
import type { ExecutionContext } from "../context.ts";
import { callFetchHandler } from "../event-handlers.ts";
import { Invocation } from "../invocation.ts";
import type { Worker } from "../worker.ts";
import { endExchange } from "./exchange.ts";
import { errorResponse, HttpError } from "./http-error.ts";
import { toRequest } from "./request.ts";
import { sendResponse } from "./response.ts";
import type { WebSocketAcceptor } from "./web-socket.ts";

/** Of requests without a Host header. */
const OWN_ORIGIN = "http://localhost";

/** Answers with `response` in another way than as plain HTTP; undefined where it is to be sent so. */
type TakeOver = (response: Response, ctx: ExecutionContext, aborted: Promise<never>) => Promise<void> | undefined;

/** Answers `req`, whatever happens. What goes wrong is reported, and its client told no more than it must know. */
export async function serveRequest(
  worker: Worker,
  req: IncomingMessage,
  res: ServerResponse,
  takeOver?: TakeOver,
): Promise<void> {
  const { admission } = worker;
  try {
    if (!(await admission.enter())) throw new HttpError(503, "Service Unavailable");
  } catch (error) {
    await sendResponse(res, errorResponse(error)).catch(() => res.destroy());
    return;
  }
  const invocation = new Invocation(worker, {}, undefined);
  const { ctx } = invocation;
  invocation.handleRunning(true);
  try {
    const request = toRequest(req, OWN_ORIGIN, res);
    request.signal.addEventListener("abort", () => invocation.cancel());
    const aborted = invocation.whenAborted();
    const handled = invocation.run(() => callFetchHandler(worker.exports.default, request, ctx));
    // A response that comes after that is sent to nobody; the body of one that is being sent is locked, and not ours.
    aborted.catch(() => handled.then((late) => late.body?.cancel()).catch(() => {}));
    const response = await Promise.race([handled, aborted]);
    await (takeOver?.(response, ctx, aborted) ?? Promise.race([sendResponse(res, response), aborted]));
  } catch (error) {
    // What the client did wrong it is told, and nobody else.
    if (!(error instanceof HttpError)) worker.report(error, `${req.method} ${req.url}`);
    if (res.headersSent) res.destroy();
    else await sendResponse(res, errorResponse(error)).catch(() => res.destroy());
  }
  invocation.handleRunning(false);
  admission.leave();
}

/**
 * Answers a request that asks for another protocol: with the WebSocket that the Worker's response carries, else with
 * that response as plain HTTP, after which the connection ends.
 */
export async function serveUpgrade(
  worker: Worker,
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  acceptor: WebSocketAcceptor,
): Promise<void> {
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(req.socket);
  res.on("finish", () => socket.end());
  // Node leaves the socket to us; what breaks it closes it too.
  socket.on("error", () => {});
  // Node has stopped to read HTTP from this connection: a body would never arrive.
  const hasBody = req.headers["content-length"] !== undefined || req.headers["transfer-encoding"] !== undefined;
  if (hasBody) {
    await sendResponse(res, errorResponse(new HttpError(400, "A request that asks for an upgrade can't have a body")));
    return;
  }
  await serveRequest(worker, req, res, (response, ctx, aborted) => {
    const webSocket = webSocketOf(response);
    if (webSocket === undefined) return undefined;
    res.detachSocket(req.socket);
    // The request was answered: what becomes of its client is the WebSocket's to tell.
    endExchange(res);
    return acceptor.accept(webSocket, response.headers, req, { socket, head, aborted }, ctx);
  });
}
