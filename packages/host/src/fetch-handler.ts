// The fetch event: from HTTP, or through a binding.
import type { ExecutionContext } from "./context.ts";
import { isEntrypointClass, type Worker } from "./worker.ts";

/**
 * Calls the `fetch` of an entrypoint: of a fresh instance with the request alone, of an object of handlers with
 * `(request, env, ctx)`.
 *
 * @throws TypeError where there is no handler, or where it gives no Response; and what the handler throws.
 */
export async function callFetchHandler(
  worker: Worker,
  exported: unknown,
  request: Request,
  ctx: ExecutionContext,
): Promise<Response> {
  const isClass = isEntrypointClass(exported);
  const target = isClass ? new exported(ctx, worker.env) : exported;
  const handler: unknown = typeof target === "object" && target !== null ? Reflect.get(target, "fetch") : undefined;
  if (typeof handler !== "function") throw new TypeError("Handler does not export a fetch() function.");
  const args = isClass ? [request] : [request, worker.env, ctx];
  const response: unknown = await Reflect.apply(handler, target, args);
  if (response instanceof Response) return response;
  throw new TypeError("Incorrect type for Promise: the Promise did not resolve to 'Response'.");
}
