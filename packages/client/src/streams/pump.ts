// From a ReadableStream here into a peer's sink.
import type { SinkClient } from "./sink-client.ts";

/**
 * Writes everything that `reader` gives into `sink`, and closes it. Never rejects: each end tells the other.
 *
 * @param onSent runs once when nothing more is read here, though the other end may not have read all of it.
 */
export async function pump(
  reader: ReadableStreamDefaultReader<unknown>,
  sink: SinkClient,
  onSent: () => void,
): Promise<void> {
  let isSent = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      await sink.write(value);
    }
    const ended = sink.end();
    isSent = true;
    onSent();
    await ended;
  } catch (error) {
    sink.abort(error);
    reader.cancel(error).catch(() => {});
  }
  if (!isSent) onSent();
  sink.close();
}
