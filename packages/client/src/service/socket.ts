// connect() on a binding: bytes both ways between two Workers.
import { SERVICE_CONNECT_METHOD, SERVICE_ID_HIGH, SERVICE_ID_LOW } from "@capstan/wire";
import { CallPromise, type RemoteMethod } from "../stubs/call-promise.ts";
import { baseOf } from "../stubs/stub.ts";

const CONNECT: RemoteMethod = { high: SERVICE_ID_HIGH, low: SERVICE_ID_LOW, id: SERVICE_CONNECT_METHOD };
const PATH = Object.freeze(["connect"]);

type Bytes = Uint8Array<ArrayBufferLike>;

/** The two ends of a socket. */
export interface SocketInfo {
  /** `host:port` that was connected to; undefined at the end that took the connection. */
  readonly remoteAddress?: string | undefined;
  /** `host:port` of this end, where that is known. */
  readonly localAddress?: string | undefined;
}

/** A socket as Workers know it. */
export interface Socket {
  /** The bytes that arrive. It fails where the connection breaks. */
  readonly readable: ReadableStream<Bytes>;
  /** Takes the bytes to send. Closing it ends this direction alone. */
  readonly writable: WritableStream<Bytes>;
  /** Resolves when the other end has taken the connection; rejects where it does not. */
  readonly opened: Promise<SocketInfo>;
  /** Resolves when both directions have ended, or after `close()`; rejects with what broke one. */
  readonly closed: Promise<void>;
  /** Ends both directions: what was written still arrives, what comes is dropped. Resolves as `closed` does. */
  close(): Promise<void>;
}

/** Where to connect to: `host:port`, or the two apart. */
export type SocketAddress = string | { readonly hostname: string; readonly port: number };

export function addressText(address: SocketAddress): string {
  return typeof address === "string" ? address : `${address.hostname}:${address.port}`;
}

/** What `connect(address)` is on the service that `stub` leads to. */
export function connectThrough(stub: object, address: SocketAddress): Socket {
  const remoteAddress = addressText(address);
  const sent = new TransformStream<Bytes, Bytes>();
  const received = new TransformStream<Bytes, Bytes>();
  const call = new CallPromise(baseOf(stub), PATH, [remoteAddress, sent.readable, received.writable], CONNECT);
  const opened = call.promise().then(() => ({ remoteAddress }));
  return makeSocket(received.readable, sent.writable, opened);
}

/** The other end: a socket over what `connectThrough` sent. */
export function acceptSocket(
  readable: ReadableStream<Bytes>,
  writable: WritableStream<Bytes>,
  address: string,
): Socket {
  return makeSocket(readable, writable, Promise.resolve({ localAddress: address }));
}

/** A socket over two streams; where `opened` rejects, both are broken with the same error. */
export function makeSocket(
  source: ReadableStream<Bytes>,
  sink: WritableStream<Bytes>,
  opened: Promise<SocketInfo>,
): Socket {
  const incoming = new TransformStream<Bytes, Bytes>();
  const outgoing = new TransformStream<Bytes, Bytes>();
  const stop = new AbortController();
  const { signal } = stop;
  const ends = Promise.all([source.pipeTo(incoming.writable, { signal }), outgoing.readable.pipeTo(sink)]);
  let finish: () => void = () => {};
  const closed = new Promise<void>((resolve, reject) => {
    finish = resolve;
    ends.then(() => resolve(), reject);
  });
  closed.catch(() => {});
  opened.catch((error) => stop.abort(error));
  return {
    readable: incoming.readable,
    writable: outgoing.writable,
    opened,
    closed,
    async close() {
      // A writer that holds the stream closes it itself.
      if (!outgoing.writable.locked) await outgoing.writable.close().catch(() => {});
      // What still comes is let pass, so that the other end can close in order.
      if (!incoming.readable.locked) incoming.readable.pipeTo(new WritableStream()).catch(() => {});
      finish();
      await closed;
    },
  };
}
