// A host in a process of its own, to be attacked. Says over IPC how long it was blocked and what its heap holds.
import { RpcTarget, serve, WorkerEntrypoint } from "../../../packages/host/src/index.ts";
import type { Command, Report } from "./attacked-host.ts";

type Callback = (...args: unknown[]) => Promise<unknown>;

class Counter extends RpcTarget {
  #value = 0;
  increment(): number {
    return ++this.#value;
  }
}

let lent: { dup(): unknown } | undefined;

class Victim extends WorkerEntrypoint {
  add(a: number, b: number): number {
    return a + b;
  }
  echo(value: unknown): unknown {
    return value;
  }
  big(): string {
    return "x".repeat(32 * 1024);
  }
  counter(): Counter {
    return new Counter();
  }
  fail(): void {
    throw new RangeError("out of range");
  }
  /** Answers when it is cancelled. */
  async hang(): Promise<void> {
    await new Promise<void>((done) => this.ctx.signal.addEventListener("abort", () => done()));
  }
  /** Lends a capability to whoever calls `borrow`; never answers. */
  async lend(stub: { dup(): unknown }): Promise<void> {
    lent = stub;
    await new Promise(() => {});
  }
  borrow(): unknown {
    return lent?.dup();
  }
  async callBack(callback: Callback): Promise<unknown> {
    return await callback();
  }
  /** Calls with an object of its own. */
  async handOver(callback: Callback): Promise<unknown> {
    return await callback(new Counter());
  }
  /** Calls with what it was given. */
  async passOn(callback: Callback, stub: unknown): Promise<unknown> {
    return await callback(stub);
  }
  /** Calls twice, the second time after the first has failed or returned. */
  async callBackTwice(callback: Callback): Promise<unknown> {
    await callback().catch(() => {});
    return await callback();
  }
  /** What the error is like that the callback fails with. */
  async nameOfFailure(callback: Callback): Promise<unknown> {
    try {
      await callback();
    } catch (error) {
      const { name, constructor } = error as Error;
      return [name, constructor.name, Object.getPrototypeOf(error) === Error.prototype];
    }
    return undefined;
  }
  /** What every object of this process has, where somebody reached its prototype. */
  pollution(): unknown {
    return ({} as { polluted?: unknown }).polluted;
  }
}

const host = await serve({
  port: 0,
  workers: [{ name: "victim", module: { default: Victim } }],
  limits: JSON.parse(process.argv[2] ?? "{}") as object,
  report: () => {},
});

let measuring = false;
let longest = 0;
let since = process.cpuUsage();

/** Processor time of this process between two turns of a timer: what a loaded machine takes does not count. */
function watch(): void {
  if (!measuring) return;
  const { user, system } = process.cpuUsage(since);
  longest = Math.max(longest, (user + system) / 1000);
  begin();
}

function begin(): void {
  since = process.cpuUsage();
  setTimeout(watch, 1);
}

function report(): Report {
  const longestMs = longest;
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { longestMs, heapBytes: heapUsed + arrayBuffers, ...host.stats() };
}

process.on("message", (command: Command) => {
  if (command === "begin") {
    longest = 0;
    globalThis.gc?.();
    if (!measuring) {
      measuring = true;
      begin();
    }
  } else if (command === "end") measuring = false;
  setImmediate(() => {
    const seen = report();
    // The report's own garbage collection is no fault of a peer's.
    longest = 0;
    since = process.cpuUsage();
    process.send?.({ ...seen, url: host.url });
  });
});
process.on("disconnect", () => process.exit(0));
process.send?.({ ...report(), url: host.url });
