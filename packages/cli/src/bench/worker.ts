// The Worker that the benchmark calls where it is not told to call a user's.
import { RpcTarget, WorkerEntrypoint } from "@capstan/host";
import { readUsage, type Usage } from "./usage.ts";

/** Larger chunks would be more than half of a stream's window. */
export const STREAM_CHUNK = 64 * 1024;

/** What a chain of calls goes along: each step gives the next target. */
export class Step extends RpcTarget {
  readonly #steps: number;

  constructor(steps: number) {
    super();
    this.#steps = steps;
  }

  next(): Step {
    return new Step(this.#steps + 1);
  }

  steps(): number {
    return this.#steps;
  }

  add(a: number, b: number): number {
    return a + b;
  }
}

export class BenchWorker extends WorkerEntrypoint {
  add(a: number, b: number): number {
    return a + b;
  }

  first(): Step {
    return new Step(1);
  }

  targets(count: number): Step[] {
    return Array.from({ length: count }, (_, steps) => new Step(steps));
  }

  echo(bytes: Uint8Array): Uint8Array {
    return bytes;
  }

  /** A stream of so many chunks of `STREAM_CHUNK` bytes. */
  download(chunks: number): ReadableStream<Uint8Array> {
    let left = chunks;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        if (left-- > 0) controller.enqueue(new Uint8Array(STREAM_CHUNK));
        else controller.close();
      },
    });
  }

  /** Reads to the end; the number of bytes. */
  async upload(stream: ReadableStream<Uint8Array>): Promise<number> {
    let bytes = 0;
    for await (const chunk of stream) bytes += chunk.length;
    return bytes;
  }

  usage(collect: boolean): Usage {
    return readUsage(collect);
  }
}
