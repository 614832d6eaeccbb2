// From a request as Node's HTTP server has it to the fetch API's.
import type { IncomingMessage, ServerResponse } from "node:http";
import { connectionHeaders } from "./connection-headers.ts";
import { clientGone, onExchangeEnd } from "./exchange.ts";
import { HttpError } from "./http-error.ts";

/** `duplex` isn't in TypeScript's types yet; a streamed body needs it. */
type StreamedRequestInit = RequestInit & { duplex?: "half" };

/**
 * The request, with `redirect: "manual"` and a streamed body: nothing of it is read before its consumer asks.
 *
 * Headers about the connection itself (`connection`, `transfer-encoding`, …) are left out; `host` and `upgrade` stay.
 * The URL is an absolute target as it is, else made of the Host header, or of `origin` where there is none.
 *
 * @param origin of this server, like "http://127.0.0.1:8787".
 * @param res the response to `req`. `request.signal` aborts when it closes before all of it was sent, and what was not
 * read of the body by then is discarded. Without it (upgrades) both happen when the socket closes.
 * @throws HttpError: 400 for a target, Host or header that no Request can have, 501 for such a method.
 */
export function toRequest(req: IncomingMessage, origin: string, res?: ServerResponse): Request {
  const method = req.method ?? "GET";
  if (/^(?:CONNECT|TRACE|TRACK)$/i.test(method)) throw new HttpError(501, `Method not supported: ${method}`);
  const url = requestUrl(req, origin);
  const headers = requestHeaders(req);

  const abort = new AbortController();
  const init: StreamedRequestInit = { method, headers, redirect: "manual", signal: abort.signal };
  let body: IncomingBody | undefined;
  if (hasBody(req, method)) {
    body = streamBody(req);
    init.body = body.stream;
    init.duplex = "half";
  }
  const request = new Request(url, init);
  onExchangeEnd(req, res, (sent) => {
    // Naming the request keeps it alive until then: Node drops the link from our signal to its own along with it, even
    // where a Worker holds on to that signal.
    if (!sent && !request.signal.aborted) abort.abort(clientGone());
    body?.discard(
      sent ? new TypeError("Can't read from the request's body after the response was sent.") : clientGone(),
    );
  });
  return request;
}

function requestUrl(req: IncomingMessage, origin: string): string {
  const target = req.url ?? "/";
  if (!target.startsWith("/") && target !== "*") {
    const url = parseUrl(target);
    if (url === undefined || !/^https?:$/.test(url.protocol)) throw new HttpError(400, "Bad request target");
    return url.href;
  }
  const hosts = req.headersDistinct.host ?? [];
  const [host] = hosts;
  const base = parseUrl(host ? `${new URL(origin).protocol}//${host}` : origin);
  if (hosts.length > 1 || base === undefined || base.href !== `${base.origin}/`)
    throw new HttpError(400, "Bad Host header");
  // Joined, not resolved: a target "//other/" is a path of this host.
  const url = parseUrl(base.origin + (target === "*" ? "/" : target));
  if (url === undefined) throw new HttpError(400, "Bad request target");
  return url.href;
}

/** Undefined also for a URL with a user in it, which a Request refuses. */
function parseUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.username === "" && url.password === "" ? url : undefined;
}

function requestHeaders(req: IncomingMessage): Headers {
  const isAboutConnection = connectionHeaders(req.headers.connection);
  const headers = new Headers();
  try {
    // Node joins repeated headers in ways of its own, and drops some; the raw list has them all.
    for (let i = 0; i + 1 < req.rawHeaders.length; i += 2) {
      const name = (req.rawHeaders[i] ?? "").toLowerCase();
      // Node has answered an `expect` already.
      if (name !== "expect" && !isAboutConnection(name)) headers.append(name, req.rawHeaders[i + 1] ?? "");
    }
  } catch (cause) {
    throw new HttpError(400, "Bad header", { cause });
  }
  return headers;
}

function hasBody(req: IncomingMessage, method: string): boolean {
  if (method === "GET" || method === "HEAD") return false;
  return req.headers["transfer-encoding"] !== undefined || Number(req.headers["content-length"] ?? 0) > 0;
}

interface IncomingBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Lets what is still to come pass unread, so that the connection can go on. The stream, unless it ended, fails. */
  discard(reason: unknown): void;
}

/** Reads from the socket only as fast as the stream is read. */
function streamBody(req: IncomingMessage): IncomingBody {
  let controller!: ReadableByteStreamController;
  let open = true;

  const onData = (chunk: Uint8Array) => {
    // Copied: a byte stream takes the buffer of what it is given, and Node's chunks share theirs.
    controller.enqueue(new Uint8Array(chunk));
    req.pause();
  };
  const settle = (how: () => void) => {
    if (!open) return;
    open = false;
    req.off("data", onData);
    how();
    req.resume();
  };
  const discard = (reason: unknown) => settle(() => controller.error(reason));

  const source: UnderlyingByteSource = {
    type: "bytes",
    start(itsController) {
      controller = itsController;
    },
    pull() {
      if (req.listenerCount("data") === 0) req.on("data", onData);
      req.resume();
    },
    cancel() {
      settle(() => {});
    },
  };
  const stream = new ReadableStream(source);

  req.on("end", () =>
    settle(() => {
      controller.close();
      // Answers a read into the reader's own buffer that was waiting for more.
      controller.byobRequest?.respond(0);
    }),
  );
  req.on("error", () => discard(clientGone()));
  req.on("close", () => discard(clientGone()));
  return { stream, discard };
}
