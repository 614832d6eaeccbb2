// Bytes in bulk: payloads of one size there and back, and streams.
import type { Service } from "@capstan/client";
import { chunkStream, countBytes, streamRate } from "../chunks.ts";
import { payloadRate, payloadTime, stream } from "../metrics.ts";
import type { Reading } from "../results.ts";
import { median } from "../statistics.ts";
import type { BenchWorker } from "../worker.ts";
import { inTime, type Session } from "./session.ts";

const MIB = 1024 * 1024;

/** Calls in a row that send so many bytes and get them back. The first one is a warm-up where there is time for more. */
export async function measurePayload(session: Session, size: number, duration: number): Promise<Reading[]> {
  const { worker } = session;
  const bytes = new Uint8Array(size).map((_, index) => index & 0xff);
  const times: number[] = [];
  const started = performance.now();
  do {
    const from = performance.now();
    const back = await inTime(worker.echo(bytes), session.timeout);
    times.push((performance.now() - from) * 1_000);
    if (back.length !== size || back[size - 1] !== bytes[size - 1])
      throw new Error(`an echo of ${size} bytes is wrong`);
  } while (performance.now() - started < duration);
  const time = median(times.length > 1 ? times.slice(1) : times);
  return [
    { metric: payloadTime(size), value: time },
    { metric: payloadRate(size), value: size / MIB / (time / 1e6) },
  ];
}

export async function measureStream(
  { worker, timeout }: Session,
  direction: "upload" | "download",
  duration: number,
): Promise<Reading[]> {
  const transfer = direction === "upload" ? upload : download;
  const rate = await streamRate((chunks) => inTime(transfer(worker, chunks), timeout + duration), duration);
  return [{ metric: stream(direction), value: rate }];
}

/** Streams so many chunks to the Worker; the bytes that it got. */
export function upload(worker: Service<BenchWorker>, chunks: number): Promise<number> {
  return worker.upload(chunkStream(chunks));
}

/** Streams so many chunks from the Worker; the bytes that came. */
export async function download(worker: Service<BenchWorker>, chunks: number): Promise<number> {
  return countBytes(await worker.download(chunks));
}
