// Finds out that a peer is gone when TCP does not say so: links are idle for hours and live for weeks.
import type { WebSocket } from "ws";

/**
 * Pings `socket` every `intervalMs` and ends it when nothing at all came back in between. 0 switches it off. Never keeps
 * the process alive.
 */
export function keepAlive(socket: WebSocket, intervalMs: number): void {
  if (intervalMs === 0) return;
  let heard = true;
  const hear = (): void => {
    heard = true;
  };
  const timer = setInterval(() => {
    if (!heard) {
      socket.terminate();
      return;
    }
    heard = false;
    if (socket.readyState === socket.OPEN) socket.ping();
    else heard = true;
  }, intervalMs);
  timer.unref();
  socket.on("pong", hear);
  socket.on("message", hear);
  socket.once("close", () => clearInterval(timer));
}
