// The benchmark's client: its links to the host, and what is called through them.
import { connect, type Service } from "@capstan/client";
import type { HostMachine } from "../machine.ts";
import type { BenchWorker } from "../worker.ts";
import type { CallClient } from "./closed-loop.ts";
import { countError, type ErrorCounts, TIMEOUT } from "./errors.ts";

/** What to call, and how. Without `method` it is the benchmark's own Worker, and `add` of it. */
export interface Target {
  readonly service?: string | undefined;
  readonly entrypoint?: string | undefined;
  /** path.to.method */
  readonly method?: string | undefined;
  readonly args: readonly unknown[];
  /** Whether links are packed, wherever the host is. Default false. */
  readonly packed?: boolean | undefined;
}

export type Link = ReturnType<typeof connect>;

/** One link, and the way to call through it. */
export interface Client extends CallClient {
  readonly link: Link;
  /** Why the link is at its end; undefined while it is not. */
  readonly broken: Error | undefined;
}

export class Session {
  readonly url: string;
  readonly target: Target;
  /** Milliseconds. */
  readonly timeout: number;
  readonly clients: readonly Client[];

  constructor(url: string, target: Target, connections: number, timeout: number) {
    this.url = url;
    this.target = target;
    this.timeout = timeout;
    this.clients = Array.from({ length: connections }, () => openClient(url, target));
  }

  /** Whether results are sums that can be checked. */
  get sums(): boolean {
    return this.target.method === undefined;
  }

  /** The benchmark's own Worker at the other end of the first link. */
  get worker(): Service<BenchWorker> {
    return workerAt((this.clients[0] as Client).link, this.target);
  }

  /**
   * Makes one call on each link, whose errors are counted. Rejects where a link cannot be opened, or is not packed though
   * it should be.
   */
  async check(): Promise<ErrorCounts> {
    const errors: ErrorCounts = {};
    for (const client of this.clients) {
      const isAnswered = await callFirst(client, this.timeout, errors);
      if (isAnswered && this.target.packed && !client.link.packed)
        throw new Error("the host packs no link to here: leave out --packed");
    }
    return errors;
  }

  /** What the benchmark's own Worker runs on. Rejects where it is another Worker. */
  async machine(): Promise<HostMachine> {
    try {
      const { node, cpu } = await inTime(this.worker.machine(), this.timeout);
      if (typeof node === "string" && typeof cpu === "string") return { node, cpu };
    } catch (error) {
      if (error instanceof NoAnswer) throw error;
    }
    throw new Error("the Worker there is not that of `capstan bench --serve`: name a --method of it");
  }

  close(): void {
    for (const { link } of this.clients) link.close();
  }
}

export function workerAt(link: Link, { service, entrypoint }: Target): Service<BenchWorker> {
  return link.service<BenchWorker>(service, { entrypoint });
}

/** Opens a link; its calls wait until it is open. */
export function openClient(url: string, target: Target): Client {
  const link = connect(url, { packed: target.packed ?? false });
  let broken: Error | undefined;
  link.onBroken((error) => {
    broken = error;
  });
  return {
    link,
    get broken() {
      return broken;
    },
    call: callOn(link, target),
  };
}

function callOn(link: Link, target: Target): Client["call"] {
  if (target.method === undefined) {
    const worker = workerAt(link, target);
    return (a, b) => worker.add(a, b);
  }
  const method = findMethod(link.service(target.service, { entrypoint: target.entrypoint }), target.method);
  return () => callAndDispose(method, target.args);
}

/** Makes one call, and counts its error. Resolves with whether it was answered. Rejects where there is no link. */
export async function callFirst(client: Client, timeout: number, errors: ErrorCounts): Promise<boolean> {
  try {
    await inTime(client.call(1, 2), timeout);
  } catch (error) {
    if (client.broken !== undefined) throw client.broken;
    const isLost = error instanceof NoAnswer;
    countError(errors, isLost ? TIMEOUT : error);
    return !isLost;
  }
  return true;
}

type Method = (...args: unknown[]) => PromiseLike<unknown>;

function findMethod(service: object, path: string): Method {
  let at: unknown = service;
  for (const name of path.split(".")) at = Reflect.get(at as object, name);
  if (typeof at !== "function") throw new TypeError(`"${path}" cannot be called.`);
  return at as Method;
}

/** What the result holds at the other end is given back at once. */
async function callAndDispose(method: Method, args: readonly unknown[]): Promise<unknown> {
  const result = await Reflect.apply(method, undefined, args);
  if (isDisposable(result)) result[Symbol.dispose]();
  return result;
}

function isDisposable(value: unknown): value is Disposable {
  return (typeof value === "object" || typeof value === "function") && value !== null && Symbol.dispose in value;
}

/** What was asked took too long. */
export class NoAnswer extends Error {}

/** Rejects with NoAnswer when `promise` takes longer than `milliseconds`. */
export async function inTime<T>(promise: PromiseLike<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(`no answer within ${milliseconds / 1_000} s`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
