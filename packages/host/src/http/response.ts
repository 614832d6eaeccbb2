// From the fetch API's response to the one that Node's HTTP server sends.
import { type ServerResponse, STATUS_CODES } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isAboutEncoding, wasDecoded } from "@capstan/client/serving";
import { connectionHeaders } from "./connection-headers.ts";
import { encodersFor } from "./encode-body.ts";
import { clientGone, onExchangeEnd } from "./exchange.ts";

/** Bytes of a body that are waited for, within one turn of the event loop, before the head is sent. */
const MAX_EAGER = 65_536;

/**
 * Sends `response` and takes its body: it is read to its end, or cancelled where nobody gets it (HEAD, a client that
 * goes away). Settles when all was handed to the operating system; also, without an error, when the client has gone.
 *
 * A body whose `content-encoding` is gzip, x-gzip, deflate, br or a list of these is encoded so, unless the response was made
 * with `encodeBody: "manual"`. Headers about the connection (`connection`, `transfer-encoding`, …) are left out. A body that
 * is complete in the turn of the event loop in which it is first read gets a `content-length`; any other goes out as it
 * comes, its head first.
 *
 * @throws (as a rejection) what the body's stream failed with; TypeError for a response that can't be sent: a body that
 * was read already or isn't of bytes, a status below 200, a header that HTTP can't have, a `content-length` that the
 * body doesn't have. Where `res.headersSent` is false then, nothing was sent and another response still can be; else
 * the connection has been destroyed, so that the client sees that the response is not whole.
 */
export async function sendResponse(res: ServerResponse, response: Response): Promise<void> {
  const { body, status } = response;
  if (status < 200) throw new TypeError(`A response with the status ${status} can't be sent.`);
  if (response.bodyUsed || body?.locked) throw new TypeError("The response's body was read already.");

  const bodyless = res.req.method === "HEAD" || status === 204 || status === 304;
  const encoders = bodyless ? [] : encodersFor(response);
  let outgoing = encoders.length === 0 ? body : body?.pipeThrough(checking());
  for (const encoder of encoders) outgoing = outgoing?.pipeThrough(encoder);
  const reader = outgoing?.getReader();
  const exchange: Exchange = { ended: false, wake: () => {} };
  onExchangeEnd(res.req, res, (sent) => {
    exchange.ended = true;
    exchange.wake();
    if (!sent) void reader?.cancel(clientGone()).catch(() => {});
  });
  if (exchange.ended) return;
  res.on("drain", () => exchange.wake());
  // What fails on the socket ends the exchange; there is no one else to tell.
  res.on("error", () => {});
  res.strictContentLength = true;

  try {
    if (reader === undefined || bodyless) {
      void reader?.cancel().catch(() => {});
      writeHead(res, response, bodyless ? undefined : 0);
      res.end();
    } else {
      await sendBody(res, response, reader, exchange, encoders.length > 0);
    }
  } catch (error) {
    if (exchange.ended) return;
    void reader?.cancel(error).catch(() => {});
    if (res.headersSent) res.destroy();
    throw error;
  }
  while (!exchange.ended) await woken(exchange);
}

/** What a sender waits for. One object for the whole response: a promise raced for each chunk would gather reactions. */
interface Exchange {
  ended: boolean;
  /** Called when the socket takes more, and at the end. */
  wake: () => void;
}

function woken(exchange: Exchange): Promise<void> {
  return new Promise((resolve) => {
    exchange.wake = resolve;
  });
}

async function sendBody(
  res: ServerResponse,
  response: Response,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  exchange: Exchange,
  encodes: boolean,
): Promise<void> {
  const start: Uint8Array[] = [];
  let size = 0;
  let reading = reader.read();
  const turn = nextTurn(undefined);
  let result = await Promise.race([reading, turn]);
  while (result !== undefined && !result.done && size < MAX_EAGER) {
    start.push(checkedChunk(result.value));
    size += result.value.byteLength;
    reading = reader.read();
    result = await Promise.race([reading, turn]);
  }
  if (exchange.ended) return;
  if (result?.done) {
    writeHead(res, response, size, encodes);
    res.end(start.length === 1 ? start[0] : Buffer.concat(start));
    return;
  }

  writeHead(res, response, undefined, encodes);
  if (start.length === 0) res.flushHeaders();
  for (const chunk of start) await write(res, chunk, exchange);
  for (;;) {
    // When the exchange ends the reader is cancelled, and so this read is done.
    const { done, value } = await reading;
    if (exchange.ended) return;
    if (done) break;
    await write(res, checkedChunk(value), exchange);
    reading = reader.read();
  }
  res.end();
}

/** Writes, and waits where the socket has enough to send for now. */
async function write(res: ServerResponse, chunk: Uint8Array, exchange: Exchange): Promise<void> {
  if (exchange.ended || res.write(chunk)) return;
  await woken(exchange);
}

/** Lets bytes pass, and breaks at anything else. */
function checking(): TransformStream<unknown, Uint8Array> {
  return new TransformStream({ transform: (chunk, controller) => controller.enqueue(checkedChunk(chunk)) });
}

function checkedChunk(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError("The response's body has a chunk that is no Uint8Array.");
}

/** @param encodes whether the response's own `content-length` is that of something else. */
function writeHead(res: ServerResponse, response: Response, length: number | undefined, encodes = false): void {
  const isAboutConnection = connectionHeaders(response.headers.get("connection"));
  const decoded = wasDecoded(response);
  const fields: string[] = [];
  let hasLength = false;
  for (const [name, value] of response.headers) {
    if (isAboutConnection(name)) continue;
    if (decoded && isAboutEncoding(name)) continue;
    if (encodes && name === "content-length") continue;
    if (name === "content-length") hasLength = true;
    fields.push(name, value);
  }
  if (length !== undefined && !hasLength) fields.push("content-length", String(length));
  const { status, statusText } = response;
  // Always given: left to Node, it may be that of a response that failed before this one.
  res.writeHead(status, statusText === "" ? (STATUS_CODES[status] ?? "") : statusText, fields);
}
