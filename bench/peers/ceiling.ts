// The no-codec ceiling: as many bytes as a Capstan call and its return have, batched into one frame and one write per turn,
// with no codec, tables or invocations. What is left between this and Capstan is what Capstan itself costs.
import type { WebSocket } from "ws";
import { listenWebSocket, openWebSocket, WaitingCalls } from "../loopback.ts";
import type { Peer } from "../peer.ts";

const REQUEST = 184;
const REPLY = 128;

/** Collects the requests of one turn of the event loop and sends them as one frame. */
class Outbox {
  private bytes = Buffer.alloc(64 * REQUEST);
  private fields = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  private length = 0;
  private readonly socket: WebSocket;
  private readonly flush = (): void => {
    // `ws` masks a copy of it, so that the buffer may be written again at once.
    this.socket.send(this.bytes.subarray(0, this.length));
    this.length = 0;
  };

  constructor(socket: WebSocket) {
    this.socket = socket;
  }

  append(id: number, a: number, b: number): void {
    // From inside a microtask, a tick comes after all other microtasks: after every call of this turn.
    if (this.length === 0) process.nextTick(this.flush);
    if (this.length + REQUEST > this.bytes.length) this.grow();
    this.fields.setInt32(this.length, id, true);
    this.fields.setInt32(this.length + 8, a, true);
    this.fields.setInt32(this.length + 16, b, true);
    this.length += REQUEST;
  }

  private grow(): void {
    const larger = Buffer.alloc(2 * this.bytes.length);
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.fields = new DataView(larger.buffer, larger.byteOffset, larger.length);
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
