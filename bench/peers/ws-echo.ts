// The raw WebSocket: 64 bytes there and the same 64 back, one frame each, no RPC. The floor of single-call latency.
import { listenWebSocket, openWebSocket, WaitingCalls } from "../loopback.ts";
import type { Peer } from "../peer.ts";
import { downloadChunks, STREAM_PATH, serveStreams, uploadChunks } from "../raw-stream.ts";

const SIZE = 64;

export const peer: Peer = {
  about: `raw ws echo, ${SIZE} bytes, no RPC`,
  packages: ["ws"],
  listen: () =>
    listenWebSocket((socket, path) => {
      if (path === STREAM_PATH) serveStreams(socket);
      else socket.on("message", (data: Buffer) => socket.send(data));
    }),
  async connect(port) {
    const socket = await openWebSocket(port);
    const streams = await openWebSocket(port, STREAM_PATH);
    const waiting = new WaitingCalls();
    socket.on("message", (data: Buffer) => {
      if (data.length !== SIZE) throw new Error(`an echo of ${data.length} bytes`);
      const reply = new DataView(data.buffer, data.byteOffset, SIZE);
      waiting.settle(reply.getInt32(0, true), reply.getInt32(8, true) + reply.getInt32(16, true));
    });
    return {
      call: (a, b) =>
        new Promise((resolve) => {
          const message = Buffer.allocUnsafe(SIZE);
          const fields = new DataView(message.buffer, message.byteOffset, SIZE);
          fields.setInt32(0, waiting.add(resolve), true);
          fields.setInt32(8, a, true);
          fields.setInt32(16, b, true);
          socket.send(message);
        }),
      upload: (chunks) => uploadChunks(streams, chunks),
      download: (chunks) => downloadChunks(streams, chunks),
      close() {
        socket.close();
        streams.close();
      },
    };
  },
};
