// fetch() on a binding: HTTP's semantics over a service's own method.
import { SERVICE_FETCH_METHOD, SERVICE_ID_HIGH, SERVICE_ID_LOW } from "@capstan/wire";
import { type CallBase, CallPromise, type RemoteMethod } from "../stubs/call-promise.ts";
import { isEncoded, tellResponse } from "../values/response-facts.ts";
import { NOT_REPLAYABLE, ReplayableBody } from "./replay.ts";

const FETCH: RemoteMethod = { high: SERVICE_ID_HIGH, low: SERVICE_ID_LOW, id: SERVICE_FETCH_METHOD };
const PATH = Object.freeze(["fetch"]);

/** `duplex` isn't in TypeScript's types yet; a streamed body needs it. */
type StreamedInit = RequestInit & { duplex?: "half" };

/** A body that can be sent once more. */
type Replayable = Exclude<BodyInit, ReadableStream>;

/**
 * What `fetch(input, init)` is on the service that `base` is. The handler gets one Request with `redirect: "manual"`; a
 * redirect that is to be followed goes to the same service.
 *
 * @throws (as a rejection) TypeError for what no Request can be, for a redirect that must not be followed, and past
 * `maxRedirects`; the signal's reason where it aborts; and what the handler throws.
 */
export async function fetchThrough(base: CallBase, input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const first = new Request(input, streamed(init));
  const given = replayable(init?.body);
  // What the body of a Request was made of cannot be asked for: it is kept as it is read.
  const isKept = first.redirect === "follow" && first.body !== null && (init?.body ?? undefined) === undefined;
  const kept = isKept ? new ReplayableBody(first.body, base.realm.limits.maxStreamBytes) : undefined;
  try {
    const signal = input instanceof Request || init?.signal ? first.signal : undefined;
    return await follow(base, first, signal, kept ?? given);
  } finally {
    kept?.finish();
  }
}

/** @param body what the request's body is made of; undefined: there is none, or it can be read only once. */
async function follow(
  base: CallBase,
  first: Request,
  signal: AbortSignal | undefined,
  body: Replayable | ReplayableBody | undefined,
): Promise<Response> {
  const { redirect } = first;
  const { maxRedirects } = base.realm.limits;
  let hasBody = first.body !== null;
  let request = first;
  for (let redirects = 0; ; redirects++) {
    const { method, url, headers } = request;
    const manual: StreamedInit = { redirect: "manual" };
    if (hasBody) manual.duplex = "half";
    const isKept = hasBody && body instanceof ReplayableBody;
    // The first one's own body is being read already.
    const sent = isKept
      ? new Request(url, { ...manual, method, headers, body: body.open() } as RequestInit)
      : new Request(request, manual);
    const response = await callOnce(base, sent, signal);
    const location = redirect === "manual" ? null : locationOf(response);
    if (location === null) return finish(response, request, redirects > 0);
    void response.body?.cancel();
    if (redirect === "error") throw new TypeError(`Unexpected redirect to "${location}".`);
    if (redirects === maxRedirects) throw new TypeError("Too many redirects.");
    const next = new URL(location, url);
    if (becomesGet(response.status, method)) {
      hasBody = false;
      request = new Request(next, { headers: withoutContent(headers) });
    } else if (!hasBody) request = new Request(next, { method, headers });
    else if (body instanceof ReplayableBody) {
      if (!body.canReplay) throw new TypeError(NOT_REPLAYABLE);
      request = new Request(next, { method, headers });
    } else if (body === undefined) throw new TypeError(NOT_REPLAYABLE);
    else request = new Request(next, { method, headers, body } as RequestInit);
  }
}

/** @param signal what the caller may give up with, if anything: before the response came, and while its body does. */
async function callOnce(base: CallBase, request: Request, signal: AbortSignal | undefined): Promise<Response> {
  signal?.throwIfAborted();
  // A signal beside the request cancels the invocation, and so the handler's request, as long as it lives.
  const call = new CallPromise(base, PATH, signal === undefined ? [request] : [request, signal], FETCH);
  const response = (await call.promise()) as Response;
  if (signal !== undefined) call.breakStreamsWith(signal);
  return response;
}

function locationOf({ status, headers }: Response): string | null {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
    ? headers.get("location")
    : null;
}

function becomesGet(status: number, method: string): boolean {
  return (
    ((status === 301 || status === 302) && method === "POST") ||
    (status === 303 && method !== "HEAD" && method !== "GET")
  );
}

function withoutContent(headers: Headers): Headers {
  const rest = new Headers(headers);
  for (const name of ["content-encoding", "content-language", "content-length", "content-location", "content-type"]) {
    rest.delete(name);
  }
  return rest;
}

/** What the platform knows, and does, of what it fetched itself. */
function finish(response: Response, request: Request, redirected: boolean): Response {
  const url = new URL(request.url);
  url.hash = "";
  return tellResponse(request.method === "HEAD" ? withoutBody(response) : decode(response), {
    url: url.href,
    redirected,
  });
}

/** What answers HEAD has no body, whatever its handler made. */
function withoutBody(response: Response): Response {
  const { body, headers, status, statusText } = response;
  if (body === null) return response;
  body.cancel().catch(() => {});
  return new Response(null, { status, statusText, headers });
}

/** Whoever fetches gets bodies decoded, also one that was encoded by hand. */
function decode(response: Response): Response {
  const { body, headers, status, statusText } = response;
  const format = headers.get("content-encoding")?.trim().toLowerCase();
  if (!isEncoded(response) || body === null || (format !== "gzip" && format !== "deflate")) return response;
  return new Response(body.pipeThrough(new DecompressionStream(format)), { status, statusText, headers });
}

/** Workers need not say that a stream is sent before the answer comes. */
function streamed(init: StreamedInit | undefined): StreamedInit | undefined {
  if (!(init?.body instanceof ReadableStream) || init.duplex !== undefined) return init;
  return Object.create(init, { duplex: { value: "half" } }) as StreamedInit;
}

function replayable(body: BodyInit | null | undefined): Replayable | undefined {
  return body instanceof ReadableStream || body === null ? undefined : body;
}
