// Byte streams of known length, and how fast they are.

const MIB = 1024 * 1024;
/** Chunks of the first transfer; each further one is twice as long. */
const FIRST_CHUNKS = 16;
const MAX_CHUNKS = 2 ** 16;

/** Larger chunks would be more than half of a stream's window. */
export const STREAM_CHUNK = 64 * 1024;

/** No byte of it is zero: packing would make nothing of those, as of no real content. */
const CONTENT = new Uint8Array(STREAM_CHUNK).map((_, index) => 1 + (index % 255));

/** A chunk of its own of a stream: `STREAM_CHUNK` bytes. */
export function makeChunk(): Uint8Array<ArrayBuffer> {
  return CONTENT.slice();
}

/** A stream of so many chunks of `STREAM_CHUNK` bytes, each made when it is asked for. */
export function chunkStream(chunks: number): ReadableStream<Uint8Array> {
  let left = chunks;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left-- > 0) controller.enqueue(makeChunk());
      else controller.close();
    },
  });
}

/** Reads to the end; the number of bytes. */
export async function countBytes(stream: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
}

/**
 * MiB per second of longer and longer transfers, until one takes `duration` milliseconds: that one counts.
 *
 * @param transfer moves so many chunks of `STREAM_CHUNK` bytes, and gives the number of bytes that arrived.
 */
export async function streamRate(transfer: (chunks: number) => Promise<number>, duration: number): Promise<number> {
  for (let chunks = FIRST_CHUNKS; ; chunks *= 2) {
    const from = performance.now();
    const bytes = await transfer(chunks);
    const time = performance.now() - from;
    if (bytes !== chunks * STREAM_CHUNK) throw new Error(`${chunks * STREAM_CHUNK} bytes of a stream became ${bytes}`);
    if (time >= duration || chunks >= MAX_CHUNKS) return bytes / MIB / (time / 1_000);
  }
}
