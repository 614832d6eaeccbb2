// From a ReadableStream here into a peer's sink.
import type { SinkClient } from "./sink-client.ts";

/** Writes everything that `reader` gives into `sink`, and closes it. Never rejects: each end tells the other. */
export async function pump(reader: ReadableStreamDefaultReader<unknown>, sink: SinkClient): Promise<void> {
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      await sink.write(value);
    }
    await sink.end();
  } catch (error) {
    sink.abort(error);
    reader.cancel(error).catch(() => {});
  }
  sink.close();
}
