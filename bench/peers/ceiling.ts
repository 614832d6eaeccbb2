// The no-codec ceiling: as many bytes as a Capstan call and its return have, batched into frames as Capstan's are, with no codec,
// tables or invocations. What is left between this and Capstan is what Capstan itself costs.
import type { WebSocket } from "ws";
import { listenWebSocket, openWebSocket, WaitingCalls } from "../loopback.ts";
import type { Peer } from "../peer.ts";

/** Of `add(a, b)` with 64 in flight, all that is in the frames (docs/performance.md). */
const REQUEST = 144;
const REPLY = 88;

/** Requests that piled up to so many bytes go out before the turn ends, as Capstan's do: both ends work at once. */
const PIECE = 4 * 1024;
/** The same for the first piece of a turn that follows a quiet one. */
const FIRST_PIECE = 512;
const QUIET = 2 * 1024;
const SLAB = 128 * 1024;

/** Collects the requests of one turn of the event loop and sends them in frames of many. */
class Outbox {
  private bytes = Buffer.allocUnsafeSlow(SLAB);
  private fields = new DataView(this.bytes.buffer);
  private start = 0;
  private end = 0;
  private piece = FIRST_PIECE;
  private sentInTurn = 0;
  private isScheduled = false;
  private readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    this.socket = socket;
  }

  append(id: number, a: number, b: number): void {
    if (this.end + REQUEST > SLAB) this.replace();
    this.fields.setInt32(this.end, id, true);
    this.fields.setInt32(this.end + 8, a, true);
    this.fields.setInt32(this.end + 16, b, true);
    this.end += REQUEST;
    if (this.end - this.start >= this.piece) {
      this.send();
      this.piece = PIECE;
    }
    if (this.isScheduled) return;
    this.isScheduled = true;
    // From inside a microtask, a tick comes after all other microtasks: after every call of this turn.
    process.nextTick(() => {
      this.isScheduled = false;
      this.send();
      this.piece = this.sentInTurn < QUIET ? FIRST_PIECE : PIECE;
      this.sentInTurn = 0;
    });
  }

  private send(): void {
    if (this.end > this.start) this.socket.send(this.bytes.subarray(this.start, this.end));
    this.sentInTurn += this.end - this.start;
    this.start = this.end;
  }

  /** What was sent may not have been written yet. */
  private replace(): void {
    this.send();
    this.bytes = Buffer.allocUnsafeSlow(SLAB);
    this.fields = new DataView(this.bytes.buffer);
    this.start = 0;
    this.end = 0;
  }
}

export const peer: Peer = {
  about: `no-codec ceiling: ${REQUEST} bytes there, ${REPLY} back, batched`,
  packages: ["ws"],
  listen: () =>
    listenWebSocket((socket) => {
      socket.on("message", (data: Buffer) => {
        const count = data.length / REQUEST;
        const replies = Buffer.allocUnsafe(count * REPLY);
        for (let i = 0; i < count; i++) data.copy(replies, i * REPLY, i * REQUEST, i * REQUEST + REPLY);
        socket.send(replies);
      });
    }),
  async connect(port) {
    const socket = await openWebSocket(port);
    const waiting = new WaitingCalls();
    const outbox = new Outbox(socket);
    socket.on("message", (data: Buffer) => {
      const replies = new DataView(data.buffer, data.byteOffset, data.length);
      for (let at = 0; at < data.length; at += REPLY) {
        waiting.settle(replies.getInt32(at, true), replies.getInt32(at + 8, true) + replies.getInt32(at + 16, true));
      }
    });
    return {
      call: (a, b) => new Promise((resolve) => outbox.append(waiting.add(resolve), a, b)),
      close: () => socket.close(),
    };
  },
};
