// One HTTP request is one invocation of a Worker's default export.
import type { IncomingMessage, ServerResponse } from "node:http";
import { callFetchHandler } from "../event-handlers.ts";
import { Invocation } from "../invocation.ts";
import type { Worker } from "../worker.ts";
import { errorResponse, HttpError } from "./http-error.ts";
import { toRequest } from "./request.ts";
import { sendResponse } from "./response.ts";

/** Answers `req`, whatever happens. What goes wrong is reported, and its client told no more than it must know. */
export async function serveRequest(worker: Worker, req: IncomingMessage, res: ServerResponse): Promise<void> {
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
    const request = toRequest(req, `http://${req.headers.host ?? "localhost"}`, res);
    request.signal.addEventListener("abort", () => ctx.cancel());
    const response = await invocation.run(() => callFetchHandler(worker, worker.exports.default, request, ctx));
    await sendResponse(res, response);
  } catch (error) {
    worker.report(error);
    if (res.headersSent) res.destroy();
    else await sendResponse(res, errorResponse(error)).catch(() => res.destroy());
  }
  invocation.handleRunning(false);
  admission.leave();
}
