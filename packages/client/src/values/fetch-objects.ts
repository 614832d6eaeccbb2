// Headers, Request, Response and URL as values. Bodies are streams, mentioned where they stand.
import { cloneError, DecodeError, type ValueReader, type ValueWriter } from "@capstan/wire";
import { makeUpgradeResponse, WorkerWebSocket, webSocketOf } from "../service/web-socket.ts";
import * as Tag from "./host-tags.ts";
import type { Realm } from "./realm.ts";
import { isEncoded, tellResponse } from "./response-facts.ts";

/** The status of a response that hands over a WebSocket. */
const SWITCHING_PROTOCOLS = 101;

const urlOfFetched = Object.getOwnPropertyDescriptor(Response.prototype, "url")?.get;

/** Statuses whose responses have no body. */
const BODYLESS = new Set([103, 204, 205, 304]);

/** Writes `object` if it is one of these; false: it is none. Throws what cannot be sent. */
export function writeFetchObject(out: ValueWriter, object: object): boolean {
  if (object instanceof Headers) writeHeaders(out, object);
  else if (object instanceof Response) writeResponse(out, object);
  else if (object instanceof Request) writeRequest(out, object);
  else if (object instanceof URL) {
    out.writeHostTag(Tag.URL_OBJECT);
    out.writeString(object.href);
  } else return false;
  return true;
}

/**
 * Whether headers of `response` tell of an encoding that its body has no more: it is the platform's own, which decodes what
 * it fetches. One that came through a binding has lost those headers.
 */
export function wasDecoded(response: Response): boolean {
  return (urlOfFetched?.call(response) ?? "") !== "" && response.headers.has("content-encoding");
}

/** Whether the header `name` is about the encoded body. */
export function isAboutEncoding(name: string): boolean {
  return name === "content-encoding" || name === "content-length";
}

function writeHeaders(out: ValueWriter, headers: Headers): void {
  out.writeHostTag(Tag.HEADERS);
  writeFields(out, headers);
}

function writeFields(out: ValueWriter, headers: Iterable<[string, string]>): void {
  const fields = [...headers];
  out.writeVarint(fields.length);
  for (const [name, value] of fields) {
    out.writeString(name);
    out.writeString(value);
  }
}

function writeRequest(out: ValueWriter, request: Request): void {
  out.writeHostTag(Tag.REQUEST);
  out.writeString(request.method);
  out.writeString(request.url);
  out.writeString(request.redirect);
  writeFields(out, request.headers);
  writeBody(out, request);
}

function writeResponse(out: ValueWriter, response: Response): void {
  if (response.status === 0) throw cloneError("Response.error() could not be cloned.");
  out.writeHostTag(isEncoded(response) ? Tag.ENCODED_RESPONSE : Tag.RESPONSE);
  out.writeVarint(response.status);
  out.writeString(response.statusText);
  out.writeString(response.url);
  const { headers } = response;
  writeFields(out, wasDecoded(response) ? [...headers].filter(([name]) => !isAboutEncoding(name)) : headers);
  writeBody(out, response);
  if (response.status === SWITCHING_PROTOCOLS) writeWebSocket(out, response);
}

/** The two streams of its end; they are taken over once the value is whole. */
function writeWebSocket(out: ValueWriter, response: Response): void {
  const webSocket = webSocketOf(response);
  if (webSocket === undefined) throw cloneError("A Response of status 101 without a WebSocket could not be cloned.");
  const { readable, writable } = webSocket.streams();
  out.writeValue(readable);
  out.writeValue(writable);
}

function writeBody(out: ValueWriter, message: Request | Response): void {
  if (message.bodyUsed) throw new TypeError("Body has already been used. It can only be used once.");
  out.writeValue(message.body);
}

export function readHeaders(input: ValueReader): Headers {
  const headers = new Headers();
  const count = input.readVarint();
  for (let i = 0; i < count; i++) {
    const name = input.readString();
    guard(() => headers.append(name, input.readString()));
  }
  return headers;
}

export function readRequest(input: ValueReader): Request {
  const method = input.readString();
  const url = input.readString();
  const redirect = input.readString() as RequestRedirect;
  const headers = readHeaders(input);
  const body = readBody(input);
  const init: RequestInit & { duplex?: "half" } = { method, redirect, headers, body };
  if (body !== null) init.duplex = "half";
  return guard(() => new Request(url, init));
}

/** @param encoded whether the body is encoded already, as its `content-encoding` says. */
export function readResponse(input: ValueReader, realm: Realm, encoded: boolean): Response {
  const status = input.readVarint();
  const statusText = input.readString();
  const url = input.readString();
  const headers = readHeaders(input);
  const body = readBody(input);
  if (status === SWITCHING_PROTOCOLS) return makeUpgradeResponse(readWebSocket(input, realm), headers);
  const response = guard(() => new Response(BODYLESS.has(status) ? null : body, { status, statusText, headers }));
  if (url === "" && !encoded) return response;
  return tellResponse(response, { url: url === "" ? undefined : url, isEncoded: encoded });
}

function readWebSocket(input: ValueReader, realm: Realm): WorkerWebSocket {
  const readable = input.readValue();
  const writable = input.readValue();
  if (!(readable instanceof ReadableStream) || !(writable instanceof WritableStream)) {
    throw new DecodeError("a WebSocket without its streams");
  }
  return new WorkerWebSocket({ readable, writable }, (sent) => realm.waitFor?.(sent));
}

export function readUrl(input: ValueReader): URL {
  const href = input.readString();
  return guard(() => new URL(href));
}

function readBody(input: ValueReader): ReadableStream | null {
  const body = input.readValue();
  if (body !== null && !(body instanceof ReadableStream)) throw new DecodeError("a body that is no stream");
  return body;
}

/** Runs a constructor that refuses what a peer made up. */
function guard<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new DecodeError(`value: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
