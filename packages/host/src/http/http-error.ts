// What goes wrong in HTTP, and what its client is told.

/** A request can't be served as it is. `message` is for the client: it names nothing of the host's. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  /** 400 to 599. */
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/**
 * The response for a request that failed with `error`: an HttpError's own status and text; 503 for what says that it is
 * `overloaded`; else 500. Plain text that tells nothing of an error that a Worker threw: its message may hold secrets.
 */
export function errorResponse(error: unknown): Response {
  if (error instanceof HttpError) return plainText(error.status, error.message);
  if (isOverloaded(error)) return plainText(503, "Service Unavailable");
  return plainText(500, "Internal Server Error");
}

function isOverloaded(error: unknown): boolean {
  return error instanceof Error && "overloaded" in error && error.overloaded === true;
}

function plainText(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}
