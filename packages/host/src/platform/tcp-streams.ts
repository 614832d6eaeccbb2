// The two directions of a TCP or TLS connection as web streams, which can be taken off it again.
import type { Socket as TcpSocket } from "node:net";
import { connectionLost } from "@capstan/client/serving";

/** The streams of a connection. */
export interface TcpStreams {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Leaves the connection to somebody else: nothing more is read from it here. */
  detach(): void;
}

/** @param socket must let each direction end alone (`allowHalfOpen`). */
export function streamsOf(socket: TcpSocket): TcpStreams {
  let incoming: ReadableStreamDefaultController<Uint8Array> | undefined;
  let outgoing: WritableStreamDefaultController | undefined;
  const handleData = (chunk: Uint8Array): void => {
    incoming?.enqueue(new Uint8Array(chunk));
    if (incoming !== undefined && (incoming.desiredSize ?? 0) <= 0) socket.pause();
  };
  const handleEnd = (): void => {
    incoming?.close();
    incoming = undefined;
  };
  const handleError = (error: unknown): void => {
    incoming?.error(error);
    incoming = undefined;
    outgoing?.error(error);
  };
  const handleClose = (): void => {
    if (incoming !== undefined) handleError(connectionLost());
  };
  const listeners = { data: handleData, end: handleEnd, close: handleClose };
  socket.on("error", handleError);
  const readable = new ReadableStream<Uint8Array>({
    start(controller) {
      incoming = controller;
      for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
    },
    pull: () => void socket.resume(),
    cancel() {
      incoming = undefined;
      socket.resume();
    },
  });
  const writable = new WritableStream<Uint8Array>({
    start(controller) {
      outgoing = controller;
    },
    write: (chunk) => new Promise((resolve, reject) => socket.write(chunk, (error) => settle(error, resolve, reject))),
    close: () => new Promise((resolve, reject) => socket.end((error?: Error | null) => settle(error, resolve, reject))),
    abort: (reason) => void socket.destroy(reason instanceof Error ? reason : undefined),
  });
  const detach = (): void => {
    incoming = undefined;
    for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
    socket.pause();
  };
  return { readable, writable, detach };
}

function settle(error: Error | null | undefined, resolve: () => void, reject: (error: Error) => void): void {
  if (error === undefined || error === null) resolve();
  else reject(error);
}
