// The Worker that the tests of values call, and what they share with it.
import { RpcTarget, WorkerEntrypoint } from "../../../packages/host/src/index.ts";
import { deferred, type Untyped } from "./transports.ts";

/** What the Worker has seen. */
export const log: unknown[] = [];

/** Bytes that the Worker has read of the stream that it consumes. */
export const progress = { consumed: 0 };

/** Held shut until a test opens it. */
export const gate = { ...deferred(), renew };

function renew(): void {
  Object.assign(gate, deferred());
}

export class Target extends RpcTarget {
  method(): string {
    return "method";
  }
}

export class Foo {
  x = 1;
}

export class Api extends WorkerEntrypoint {
  echo(value: Untyped): unknown {
    if (value?.blob !== undefined) log.push("echo");
    return value;
  }
  note(text: string): void {
    log.push(text);
  }
  /** What the callee sees of a value. */
  describe(value: Untyped): unknown {
    return [value.constructor.name, Object.prototype.toString.call(value)];
  }
  same(a: unknown, b: unknown): boolean {
    return a === b;
  }
  async call(stub: Untyped, ...args: unknown[]): Promise<unknown> {
    return await stub(...args);
  }
  async callMethod(stub: Untyped): Promise<unknown> {
    return await stub.method();
  }
  request(request: Request): unknown {
    return [request instanceof Request, request.method, request.url, request.headers.get("x-a"), request.redirect];
  }
  async bodyOf(message: Request | Response): Promise<string> {
    return await message.text();
  }
  response(): Response {
    return new Response("made there", {
      status: 201,
      statusText: "Made",
      headers: { "x-a": "1", "set-cookie": "a=b" },
    });
  }
  async textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
    return await new Response(stream).text();
  }
  async chunksOf(stream: ReadableStream<unknown>): Promise<unknown[]> {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return chunks;
  }
  async hold(stream: ReadableStream<unknown>): Promise<void> {
    const reader = stream.getReader();
    log.push((await reader.read()).value);
    await gate.promise;
    await reader.cancel(new RangeError("enough"));
  }
  async slowly(stream: ReadableStream<Uint8Array>): Promise<number> {
    let size = 0;
    const reader = stream.getReader();
    await gate.promise;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return size;
      size += value.length;
    }
  }
  async consume(stream: ReadableStream<Uint8Array>): Promise<number> {
    progress.consumed = 0;
    for await (const chunk of stream) progress.consumed += chunk.length;
    return progress.consumed;
  }
  async byob(stream: ReadableStream<Uint8Array>): Promise<string> {
    const reader = stream.getReader({ mode: "byob" });
    const { value } = await reader.read(new Uint8Array(3));
    await reader.cancel();
    return new TextDecoder().decode(value);
  }
  bytes(count: number): ReadableStream<Uint8Array> {
    let sent = 0;
    return new ReadableStream({
      type: "bytes",
      pull(controller) {
        if (sent === count) return controller.close();
        sent++;
        controller.enqueue(new Uint8Array(1000).fill(sent));
      },
      cancel(reason) {
        log.push(["cancelled", (reason as Error).message]);
      },
    });
  }
  values(): ReadableStream<unknown> {
    return new ReadableStream({
      start(controller) {
        for (const value of ["text", 1, { a: new Date(0) }, [1, 2], () => "called"]) controller.enqueue(value);
        controller.close();
      },
    });
  }
  failing(): ReadableStream<Uint8Array> {
    let pulls = 0;
    return new ReadableStream({
      type: "bytes",
      pull(controller) {
        if (pulls++ === 0) controller.enqueue(new Uint8Array([1]));
        else controller.error(new RangeError("source broke"));
      },
    });
  }
  async writeInto(stream: WritableStream<unknown>): Promise<string> {
    const writer = stream.getWriter();
    await writer.write(new TextEncoder().encode("hello "));
    await writer.write("world");
    await writer.close();
    return "written";
  }
  async abortInto(stream: WritableStream<unknown>): Promise<void> {
    const writer = stream.getWriter();
    await writer.write("first");
    await writer.abort(new RangeError("given up"));
  }
  async writeUntilFailure(stream: WritableStream<unknown>): Promise<string> {
    const writer = stream.getWriter();
    try {
      for (;;) await writer.write("more");
    } catch (error) {
      return (error as Error).message;
    }
  }
  sink(): WritableStream<unknown> {
    return new WritableStream({
      write: (chunk) => void log.push(chunk),
      close: () => void log.push("closed"),
      abort: (reason) => void log.push(["aborted", (reason as Error).message]),
    });
  }
  async whenAborted({ nested: signal }: { nested: AbortSignal }): Promise<unknown> {
    if (!signal.aborted) await new Promise((done) => signal.addEventListener("abort", done));
    return [signal instanceof AbortSignal, signal.aborted, (signal.reason as Error).message];
  }
  async watch(signal: AbortSignal): Promise<void> {
    this.ctx.signal.addEventListener("abort", () => log.push("ctx aborted"));
    signal.addEventListener("abort", () => log.push(signal.reason.message));
    log.push(signal.aborted);
    await gate.promise;
  }
  async watchOptions(_options: unknown): Promise<void> {
    this.ctx.signal.addEventListener("abort", () => log.push("ctx aborted"));
    log.push("options");
    await gate.promise;
  }
  signal(): AbortSignal {
    return AbortSignal.abort(new RangeError("aborted there"));
  }
  async through(binding: Untyped): Promise<unknown> {
    return await binding.echo("through a binding");
  }
}

/** A stream of bytes from text pieces. */
export function bytes(...pieces: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const next = pieces.shift();
      if (next === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(next));
    },
  });
}
