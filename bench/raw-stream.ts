// Streams of chunks over a bare WebSocket, as fast as it takes them: what a stream of Capstan's is measured against.
import type { RawData, WebSocket } from "ws";
import { makeChunk } from "../packages/cli/src/bench/chunks.ts";

/** Where such streams are served. */
export const STREAM_PATH = "/stream";
/** Chunks that were given to the socket and are not written yet. */
const WINDOW = 16;

type Order = readonly [direction: "upload" | "download", chunks: number];

/** Does what the other end orders, one transfer at a time. */
export function serveStreams(socket: WebSocket): void {
  socket.on("message", (data: RawData, isBinary: boolean) => {
    if (isBinary) return;
    const [direction, chunks] = JSON.parse(String(data)) as Order;
    if (direction === "download") void sendChunks(socket, chunks);
    else void countChunks(socket, chunks).then((bytes) => socket.send(String(bytes)));
  });
}

/** Sends so many chunks; the bytes that the other end got. */
export async function uploadChunks(socket: WebSocket, chunks: number): Promise<number> {
  const counted = new Promise<number>((resolve) => {
    socket.once("message", (data: RawData) => resolve(Number(String(data))));
  });
  order(socket, ["upload", chunks]);
  await sendChunks(socket, chunks);
  return counted;
}

/** Has so many chunks sent; the bytes that came. */
export function downloadChunks(socket: WebSocket, chunks: number): Promise<number> {
  order(socket, ["download", chunks]);
  return countChunks(socket, chunks);
}

function order(socket: WebSocket, order: Order): void {
  socket.send(JSON.stringify(order));
}

async function sendChunks(socket: WebSocket, chunks: number): Promise<void> {
  const unwritten: Promise<void>[] = [];
  for (let sent = 0; sent < chunks; sent++) {
    unwritten.push(new Promise((resolve) => socket.send(makeChunk(), () => resolve())));
    if (unwritten.length >= WINDOW) await unwritten.shift();
  }
}

function countChunks(socket: WebSocket, chunks: number): Promise<number> {
  return new Promise((resolve) => {
    let bytes = 0;
    let left = chunks;
    const take = (data: Buffer): void => {
      bytes += data.length;
      if (--left > 0) return;
      socket.off("message", take);
      resolve(bytes);
    };
    socket.on("message", take);
  });
}
