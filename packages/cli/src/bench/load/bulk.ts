// Bytes in bulk: payloads of one size there and back, and streams.
import { payloadRate, payloadTime, stream } from "../metrics.ts";
import type { Reading } from "../results.ts";
import { median } from "../statistics.ts";
import { STREAM_CHUNK } from "../worker.ts";
import { inTime, type Session } from "./session.ts";

const MIB = 1024 * 1024;
/** Chunks of the first transfer; each further one is twice as long. */
const FIRST_CHUNKS = 16;
const MAX_CHUNKS = 2 ** 16;

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

/** Longer and longer transfers, until one takes `duration`: that one counts. */
export async function measureStream(
  session: Session,
  direction: "upload" | "download",
  duration: number,
): Promise<Reading[]> {
  for (let chunks = FIRST_CHUNKS; ; chunks *= 2) {
    const from = performance.now();
    const transfer = direction === "upload" ? upload(session, chunks) : download(session, chunks);
    const bytes = await inTime(transfer, session.timeout + duration);
    const time = performance.now() - from;
    if (bytes !== chunks * STREAM_CHUNK) throw new Error(`${chunks * STREAM_CHUNK} bytes of a stream became ${bytes}`);
    if (time >= duration || chunks >= MAX_CHUNKS) {
      return [{ metric: stream(direction), value: bytes / MIB / (time / 1_000) }];
    }
  }
}

function upload({ worker }: Session, chunks: number): Promise<number> {
  let left = chunks;
  return worker.upload(
    new ReadableStream<Uint8Array>({
      pull(controller) {
        if (left-- > 0) controller.enqueue(new Uint8Array(STREAM_CHUNK));
        else controller.close();
      },
    }),
  );
}

async function download({ worker }: Session, chunks: number): Promise<number> {
  let bytes = 0;
  for await (const chunk of await worker.download(chunks)) bytes += chunk.length;
  return bytes;
}
