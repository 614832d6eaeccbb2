// connect() on a binding: bytes both ways between two Workers.
import { SERVICE_CONNECT_METHOD, SERVICE_ID_HIGH, SERVICE_ID_LOW } from "@capstan/wire";
import { connectionLost } from "../errors.ts";
import { endWithSender } from "../streams/unkept.ts";
import { type CallBase, CallPromise, type RemoteMethod } from "../stubs/call-promise.ts";
import type { Held } from "../values/realm.ts";
import { SocketIncoming, SocketOutgoing } from "./socket-ends.ts";

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

/** Whether a socket is plain ("off"), encrypted ("on"), or plain until `startTls()`. */
export type SecureTransport = "off" | "on" | "starttls";

/** What TLS needs to know. */
export interface TlsOptions {
  /** The name that the other end's certificate must show. Default: the host that was connected to. */
  readonly expectedServerHostname?: string | undefined;
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
  /** Whether bytes are encrypted: "on", "off", or "starttls" for off until `startTls` is called. */
  readonly secureTransport: SecureTransport;
  /** Whether `startTls()` took the connection over. */
  readonly upgraded: boolean;
  /**
   * Ends both directions, whoever reads and writes: what was written still arrives, what comes is dropped. Resolves as
   * `closed` does.
   */
  close(): Promise<void>;
  /** Goes on with TLS on the same connection, in a socket of its own. Throws TypeError unless made for it. */
  startTls(options?: TlsOptions): Socket;
}

/** Where to connect to: `host:port`, or the two apart. */
export type SocketAddress = string | { readonly hostname: string; readonly port: number };

/** How to connect. */
export interface SocketOptions {
  /** Whether this end may go on writing after the other has ended. Default false. */
  readonly allowHalfOpen?: boolean | undefined;
}

export function addressText(address: SocketAddress): string {
  if (typeof address === "object" && address !== null) return `${address.hostname}:${address.port}`;
  return String(address);
}

/** What `connect(address, options)` is on the service that `base` is. */
export function connectThrough(base: CallBase, address: SocketAddress, options: SocketOptions = {}): Socket {
  const remoteAddress = addressText(address);
  const sent = new TransformStream<Bytes, Bytes>();
  const received = new TransformStream<Bytes, Bytes>();
  // A socket that nobody closes must not keep both ends for ever.
  const streams = [endWithSender(sent.readable), endWithSender(received.writable)];
  const { realm } = base;
  const call = new CallPromise(base, PATH, [remoteAddress, ...streams], CONNECT);
  const opened = call.promise().then(() => ({ remoteAddress }));
  const incoming = new SocketIncoming(received.readable, opened);
  const outgoing = new SocketOutgoing(sent.writable, opened);
  const handleClosing = (closing: Promise<void>): void => realm.waitFor?.(closing);
  const parts = { allowHalfOpen: options.allowHalfOpen ?? false, handleClosing };
  const socket = socketOver(incoming, outgoing, opened, parts);
  const held: Held = {
    dispose: () => {
      incoming.fail(connectionLost());
      outgoing.fail(connectionLost());
    },
  };
  realm.handleHeld?.(held, true);
  const forget = (): void => realm.handleHeld?.(held, false);
  socket.closed.then(forget, forget);
  return socket;
}

/** The other end: a socket over what `connectThrough` sent, and what only its taker needs. */
export interface AcceptedSocket {
  /** It may go on writing after the other end has ended. */
  readonly socket: Socket;
  /** Resolves when nothing more comes: the other end has ended, what broke it included. */
  readonly received: Promise<void>;
  /** Takes nothing more: the other end hears why. */
  refuse(error: unknown): void;
}

export function acceptSocket(
  readable: ReadableStream<Bytes>,
  writable: WritableStream<Bytes>,
  address: string,
): AcceptedSocket {
  const opened = Promise.resolve({ localAddress: address });
  const incoming = new SocketIncoming(readable, opened);
  const socket = socketOver(incoming, new SocketOutgoing(writable, opened), opened, { allowHalfOpen: true });
  return { socket, received: incoming.ended.catch(() => {}), refuse: (error) => incoming.fail(error) };
}

/** What a socket is made of, beside its streams. */
export interface SocketParts {
  /** Whether this end may go on writing after the other has ended. */
  readonly allowHalfOpen: boolean;
  /** Default "off". */
  readonly secureTransport?: SecureTransport;
  /** Goes on with TLS once `flushed` says that what was written is out. */
  readonly upgrade?: (flushed: Promise<void>, options: TlsOptions) => Socket;
  /** Lets go of the connection: this end has closed it. */
  readonly destroy?: () => void;
  /** Told of each `close()`, which may outlast whoever called it. It never rejects. */
  readonly handleClosing?: (closing: Promise<void>) => void;
}

/** A socket over two streams; where `opened` rejects, both are broken with the same error. */
export function makeSocket(
  source: ReadableStream<Bytes>,
  sink: WritableStream<Bytes>,
  opened: Promise<SocketInfo>,
  parts: SocketParts,
): Socket {
  return socketOver(new SocketIncoming(source, opened), new SocketOutgoing(sink, opened), opened, parts);
}

function socketOver(
  incoming: SocketIncoming,
  outgoing: SocketOutgoing,
  opened: Promise<SocketInfo>,
  { allowHalfOpen, secureTransport = "off", upgrade, destroy, handleClosing }: SocketParts,
): Socket {
  let isUpgraded = false;
  let isOpening = true;
  let finish: () => void = () => {};
  const closed = new Promise<void>((resolve, reject) => {
    finish = resolve;
    // Where it was never opened, that is why.
    const ended = Promise.all([incoming.ended, outgoing.ended]);
    ended.then(
      () => resolve(),
      (error) => opened.then(() => reject(error), reject),
    );
  });
  closed.catch(() => {});
  opened.then(
    () => {
      isOpening = false;
    },
    (error) => {
      incoming.fail(error);
      outgoing.fail(error);
    },
  );
  if (!allowHalfOpen) incoming.ended.then(() => (incoming.isCancelled ? undefined : outgoing.end())).catch(() => {});
  const close = async (): Promise<void> => {
    incoming.drop();
    // A connection that has nothing to send need not come about first.
    const isNeeded = !isOpening || !outgoing.isIdle || destroy === undefined;
    if (isNeeded) await outgoing.close().catch(() => {});
    finish();
    destroy?.();
    await closed;
  };
  return {
    readable: incoming.readable,
    writable: outgoing.writable,
    opened,
    closed,
    secureTransport,
    get upgraded() {
      return isUpgraded;
    },
    close() {
      const closing = close();
      handleClosing?.(closing.catch(() => {}));
      return closing;
    },
    startTls(options = {}) {
      if (secureTransport !== "starttls" || upgrade === undefined) {
        throw new TypeError("The `secureTransport` socket option must be set to 'starttls' for startTls to be used.");
      }
      if (isUpgraded) throw new TypeError("This socket was upgraded already.");
      isUpgraded = true;
      incoming.letGo();
      const flushed = outgoing.letGo();
      finish();
      return upgrade(flushed, options);
    },
  };
}
