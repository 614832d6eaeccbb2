// The fetch and connect events: from HTTP, or through a binding.
import { acceptSocket, type Receiver } from "@capstan/client/serving";
import { ExecutionContext } from "./context.ts";
import { isEntrypointClass } from "./platform/entrypoint.ts";
import type { Worker } from "./worker.ts";

/**
 * Calls the `fetch` of an entrypoint: of a fresh instance with the request alone, of an object of handlers with
 * `(request, env, ctx)`.
 *
 * @throws TypeError where there is no handler, or where it gives no Response; and what the handler throws.
 */
export async function callFetchHandler(exported: unknown, request: Request, ctx: ExecutionContext): Promise<Response> {
  const response: unknown = await callHandler(exported, "fetch", request, ctx);
  if (response instanceof Response) return response;
  throw new TypeError("Incorrect type for Promise: the Promise did not resolve to 'Response'.");
}

/** What a call of `Service.fetch` is made on. */
export function fetchReceiver(exported: unknown, ctx: ExecutionContext): Receiver {
  const fetch = (sent: unknown): Promise<Response> => {
    if (!(sent instanceof Request)) throw new TypeError("fetch() takes a Request.");
    const init: RequestInit & { duplex?: "half" } = { redirect: "manual", signal: ctx.signal };
    if (sent.body !== null) init.duplex = "half";
    return callFetchHandler(exported, new Request(sent, init), ctx);
  };
  return { target: { fetch }, byPrototype: false, reserved: NOTHING };
}

/**
 * What a call of `Service.connect` is made on. It returns once the handler has the socket; `keepAlive` holds the
 * invocation until the handler is done with it, and the other end too.
 */
export function connectReceiver(
  worker: Worker,
  exported: unknown,
  ctx: ExecutionContext,
  keepAlive: () => () => void,
): Receiver {
  const connect = (address: unknown, readable: unknown, writable: unknown): void => {
    if (!(readable instanceof ReadableStream) || !(writable instanceof WritableStream)) {
      throw new TypeError("connect() takes two streams.");
    }
    // The socket pipes into what it is given, and its handler may hold a writer: the error goes in behind both.
    const stop = new AbortController();
    const outgoing = new TransformStream<Uint8Array, Uint8Array>();
    const sent = outgoing.readable.pipeTo(writable, { signal: stop.signal }).catch(() => {});
    const { socket, received, refuse } = acceptSocket(readable, outgoing.writable, String(address));
    const done = callHandler(exported, "connect", socket, ctx);
    const release = keepAlive();
    Promise.resolve(done)
      // Where the caller is gone meanwhile, there is nothing left to tell.
      .then(() => socket.close().catch(() => {}))
      // The other end closes in order as long as what it still sends is let pass.
      .then(() => received)
      .catch((error: unknown) => {
        worker.report(error, "connect()");
        stop.abort(error);
        refuse(error);
        return sent;
      })
      .finally(release);
  };
  return { target: { connect }, byPrototype: false, reserved: NOTHING };
}

const NOTHING: ReadonlySet<string> = new Set();

/** Of a fresh instance with `event` alone, of an object of handlers with `(event, env, ctx)`. */
function callHandler(exported: unknown, name: string, event: unknown, ctx: ExecutionContext): unknown {
  const isClass = isEntrypointClass(exported);
  const env = ExecutionContext.envOf(ctx);
  const target = isClass ? new exported(ctx, env) : exported;
  const handler: unknown = typeof target === "object" && target !== null ? Reflect.get(target, name) : undefined;
  if (typeof handler !== "function") throw new TypeError(`Handler does not export a ${name}() function.`);
  return Reflect.apply(handler, target, isClass ? [event] : [event, env, ctx]);
}
