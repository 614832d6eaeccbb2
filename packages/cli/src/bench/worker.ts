// The Worker that the benchmark calls where it is not told to call a user's.
import { RpcTarget, WorkerEntrypoint } from "@capstan/host";
import { chunkStream, countBytes } from "./chunks.ts";
import { describeHost, type HostMachine } from "./machine.ts";
import { readUsage, type Usage } from "./usage.ts";

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

  download(chunks: number): ReadableStream<Uint8Array> {
    return chunkStream(chunks);
  }

  upload(stream: ReadableStream<Uint8Array>): Promise<number> {
    return countBytes(stream);
  }

  machine(): HostMachine {
    return describeHost();
  }

  usage(collect: boolean): Usage {
    return readUsage(collect);
  }
}
