// The end of one request and its response, however it comes.
import type { IncomingMessage, ServerResponse } from "node:http";

/** The reason that streams and signals get when a client goes away. */
export function clientGone(): DOMException {
  return new DOMException("The client went away.", "AbortError");
}

const answered = new WeakSet<ServerResponse>();

/** The exchange of `res` ends here, all of its response sent: its connection goes on as something else. */
export function endExchange(res: ServerResponse): void {
  answered.add(res);
  res.emit("close");
}

/**
 * Calls `ended` once, with whether all of the response was sent: at once where that is settled already, else when the
 * response or its socket closes, or with `endExchange`. Without a response the socket alone counts, and nothing was sent.
 */
export function onExchangeEnd(
  req: IncomingMessage,
  res: ServerResponse | undefined,
  ended: (sent: boolean) => void,
): void {
  const { socket } = req;
  if (socket.destroyed || res?.closed || res?.destroyed) {
    ended(isSent(res));
    return;
  }
  const end = () => {
    res?.off("close", end);
    socket.off("close", end);
    ended(isSent(res));
  };
  res?.on("close", end);
  // A response that waits behind another on its connection isn't told when that closes. Many may wait there.
  socket.setMaxListeners(0).on("close", end);
}

function isSent(res: ServerResponse | undefined): boolean {
  return res !== undefined && (res.writableFinished || answered.has(res));
}
