// What a Response knows that its constructor cannot be told. Its clones know the same.

/** All of it; what is undefined is as the constructor left it. */
export interface ResponseFacts {
  /** The URL that was requested last, without its fragment. */
  readonly url?: string | undefined;
  /** Whether another one was requested before. */
  readonly redirected?: boolean | undefined;
  /** Whether the body is encoded as its `content-encoding` says: else whoever sends it over HTTP encodes it so. */
  readonly isEncoded?: boolean | undefined;
}

const NOTHING: ResponseFacts = {};
const known = new WeakMap<Response, ResponseFacts>();

/** Adds to what `response` knows. Returns it. */
export function tellResponse(response: Response, facts: ResponseFacts): Response {
  const all = { ...known.get(response), ...facts };
  known.set(response, all);
  const { url, redirected } = all;
  if (url !== undefined) Object.defineProperty(response, "url", { value: url, configurable: true });
  if (redirected !== undefined)
    Object.defineProperty(response, "redirected", { value: redirected, configurable: true });
  // One that hands over a WebSocket has a `clone` of its own already.
  if (!Object.hasOwn(response, "clone"))
    Object.defineProperty(response, "clone", { value: cloneTold, configurable: true });
  return response;
}

function cloneTold(this: Response): Response {
  return tellResponse(Response.prototype.clone.call(this), known.get(this) ?? NOTHING);
}

/** Whether the body of `response` is encoded already, as its `content-encoding` says. */
export function isEncoded(response: Response): boolean {
  return known.get(response)?.isEncoded === true;
}
