// What Workers take from the global scope for WebSockets: a pair of ends, and a Response that carries one.
import { WorkerWebSocket } from "@capstan/client";
import { isEncoded, makeUpgradeResponse, makeWebSocketPair, tellResponse } from "@capstan/client/serving";

/** Two connected ends, as properties 0 and 1: one for the Response, one to accept. */
export class WebSocketPair {
  /** One end: for the Response, say. */
  readonly 0: WorkerWebSocket;
  /** The other end: to accept, then. */
  readonly 1: WorkerWebSocket;

  constructor() {
    [this[0], this[1]] = makeWebSocketPair();
  }

  *[Symbol.iterator](): IterableIterator<WorkerWebSocket> {
    yield this[0];
    yield this[1];
  }
}

/** Puts the class on the global object, where libraries look for it, unless there is one. */
export function exposeWebSocketPair(): void {
  if ("WebSocketPair" in globalThis) return;
  Object.defineProperty(globalThis, "WebSocketPair", { value: WebSocketPair, writable: true, configurable: true });
}

interface WorkerResponseInit extends ResponseInit {
  /** Handed to the caller. Takes the status 101. */
  readonly webSocket?: WorkerWebSocket | null | undefined;
  /**
   * Whether the host encodes the body as its `content-encoding` says, or it is encoded already. Default "automatic"; anything
   * else is a TypeError.
   */
  readonly encodeBody?: "automatic" | "manual" | undefined;
}

interface WorkerResponseConstructor {
  new (body?: BodyInit | null, init?: WorkerResponseInit): Response;
  readonly prototype: Response;
  error(): Response;
  json(data: unknown, init?: ResponseInit): Response;
  redirect(url: string | URL, status?: number): Response;
}

/** The platform's Response, whose constructor also takes the status 101 with a `webSocket`, and `encodeBody`. */
export const WorkerResponse: WorkerResponseConstructor = new Proxy(Response, {
  construct(target, args: ConstructorParameters<WorkerResponseConstructor>, newTarget) {
    const [body, init] = args;
    const isEncodedAlready = isEncodedAs(init);
    const webSocket = init?.webSocket ?? undefined;
    if (webSocket === undefined && init?.status !== 101) {
      const response = Reflect.construct(target, args, newTarget) as Response;
      return isEncodedAlready ? tellResponse(response, { isEncoded: true }) : response;
    }
    if (!(webSocket instanceof WorkerWebSocket)) {
      throw new TypeError("A Response of status 101 takes a webSocket: one end of a WebSocketPair.");
    }
    if (init?.status !== 101) throw new RangeError("Responses with a WebSocket must have status code 101.");
    if (body !== null && body !== undefined) throw new TypeError("A Response with a WebSocket cannot have a body.");
    webSocket.streams();
    return makeUpgradeResponse(webSocket, init.headers);
  },
});

/** A Response may stand for what another one is made with. */
function isEncodedAs(init: WorkerResponseInit | undefined): boolean {
  if (init instanceof Response) return isEncoded(init);
  const encodeBody = init?.encodeBody ?? "automatic";
  if (encodeBody !== "automatic" && encodeBody !== "manual") {
    throw new TypeError(`encodeBody is "automatic" or "manual", and not "${String(encodeBody)}".`);
  }
  return encodeBody === "manual";
}
