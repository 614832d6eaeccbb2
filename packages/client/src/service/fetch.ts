// fetch() on a binding: HTTP's semantics over a service's own method.
import { SERVICE_FETCH_METHOD, SERVICE_ID_HIGH, SERVICE_ID_LOW } from "@capstan/wire";
import { type CallBase, CallPromise, type RemoteMethod } from "../stubs/call-promise.ts";
import { baseOf } from "../stubs/stub.ts";

const FETCH: RemoteMethod = { high: SERVICE_ID_HIGH, low: SERVICE_ID_LOW, id: SERVICE_FETCH_METHOD };
const PATH = Object.freeze(["fetch"]);

/** `duplex` isn't in TypeScript's types yet; a streamed body needs it. */
type StreamedInit = RequestInit & { duplex?: "half" };

/** A body that can be sent once more. */
type Replayable = Exclude<BodyInit, ReadableStream>;

/**
 * What `fetch(input, init)` is on the service that `stub` leads to. The handler gets one Request with `redirect: "manual"`; a
 * redirect that is to be followed goes to the same service.
 *
 * @throws (as a rejection) TypeError for what no Request can be, for a redirect that must not be followed, and past
 * `maxRedirects`; the signal's reason where it aborts; and what the handler throws.
 */
export async function fetchThrough(stub: object, input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const base = baseOf(stub);
  const first = new Request(input, init);
  const { redirect, signal } = first;
  let body = replayable(init?.body);
  let hasBody = first.body !== null;
  const { maxRedirects } = base.realm.limits;
  let request = first;
  for (let redirects = 0; ; redirects++) {
    const { method, url, headers } = request;
    const manual: StreamedInit = { redirect: "manual" };
    if (request.body !== null) manual.duplex = "half";
    const response = await callOnce(base, new Request(request, manual), signal);
    const location = redirect === "manual" ? null : locationOf(response);
    if (location === null) return redirects === 0 ? response : markRedirected(response);
    void response.body?.cancel();
    if (redirect === "error") throw new TypeError(`Unexpected redirect to "${location}".`);
    if (redirects === maxRedirects) throw new TypeError("Too many redirects.");
    const next = new URL(location, url);
    const toGet = becomesGet(response.status, method);
    if (toGet) {
      body = undefined;
      hasBody = false;
    }
    if (hasBody && body === undefined) {
      throw new TypeError("A body that is a stream cannot be sent once more for a redirect.");
    }
    request = new Request(
      next,
      toGet ? { headers: withoutBody(headers), signal } : ({ method, headers, body, signal } as RequestInit),
    );
  }
}

async function callOnce(base: CallBase, request: Request, signal: AbortSignal): Promise<Response> {
  signal.throwIfAborted();
  const call = new CallPromise(base, PATH, [request], FETCH);
  let cancel: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    cancel = () => {
      reject(signal.reason);
      call.dispose();
    };
    signal.addEventListener("abort", cancel);
  });
  const outcome = call.promise();
  outcome.catch(() => {});
  try {
    return (await Promise.race([outcome, aborted])) as Response;
  } finally {
    if (cancel !== undefined) signal.removeEventListener("abort", cancel);
  }
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

function withoutBody(headers: Headers): Headers {
  const rest = new Headers(headers);
  for (const name of ["content-encoding", "content-language", "content-length", "content-location", "content-type"]) {
    rest.delete(name);
  }
  return rest;
}

function markRedirected(response: Response): Response {
  return Object.defineProperty(response, "redirected", { value: true, configurable: true });
}

function replayable(body: BodyInit | null | undefined): Replayable | undefined {
  return body instanceof ReadableStream || body === null ? undefined : body;
}
