// A client, and a host with a Worker, in memory: what they say to each other is the corpus, and either can be fed it.
import { Link } from "../../../packages/client/src/index.ts";
import { makeRealm } from "../../../packages/client/src/serving/index.ts";
import { Admission } from "../../../packages/host/src/admission.ts";
import { Environment } from "../../../packages/host/src/environment.ts";
import { RpcTarget, WorkerEntrypoint } from "../../../packages/host/src/index.ts";
import { LinkServer } from "../../../packages/host/src/link-server.ts";
import { Worker } from "../../../packages/host/src/worker.ts";
import {
  LocalCapability,
  MemoryTransport,
  RpcError,
  type Transport,
  type TransportReceiver,
} from "../../../packages/vat/src/index.ts";

// What a service offers is the Worker's below.
// biome-ignore lint/suspicious/noExplicitAny: see above.
type Untyped = any;

class Counter extends RpcTarget {
  #value = 0;
  increment(by = 1): number {
    this.#value += Number(by);
    return this.#value;
  }
  get self(): Counter {
    return this;
  }
}

class Subject extends WorkerEntrypoint {
  add(a: number, b: number): number {
    return a + b;
  }
  echo(value: unknown): unknown {
    return value;
  }
  counter(): Counter {
    return new Counter();
  }
  profile(): object {
    return { user: { name: "Ada", tags: ["x", "y"] }, counter: new Counter() };
  }
  fail(): never {
    throw Object.assign(new RangeError("out of range"), { code: 7 });
  }
  async twice(callback: Untyped, value: unknown): Promise<unknown> {
    return [await callback(value), await callback(value)];
  }
  async late(stub: Untyped): Promise<unknown> {
    await Promise.resolve();
    return stub.dup();
  }
  async hang(signal?: AbortSignal): Promise<unknown> {
    return await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  }
  numbers(): ReadableStream {
    return new ReadableStream({
      start(controller) {
        for (let i = 0; i < 3; i++) controller.enqueue(new Uint8Array([i]));
        controller.close();
      },
    });
  }
  async total(stream: ReadableStream<Uint8Array>): Promise<number> {
    let total = 0;
    for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) total += chunk.length;
    return total;
  }
}

/**
 * Everything that a link is for, most of it at once. Each promise is waited for, whatever becomes of it. Streams and
 * signals are left out where `isPlain`: they cost far more than the rest.
 */
async function converse(link: Link, isPlain: boolean): Promise<void> {
  const api = link.service("") as Untyped;
  const counter = api.counter();
  const profile = api.profile();
  const controller = new AbortController();
  const given = new Counter();
  const abandoned = api.hang();
  const first = [
    api.add(1, 2),
    counter.increment(2),
    counter.self.increment(3),
    profile.user.name,
    profile.counter.increment(),
    api.fail(),
    api.fail().further(),
    api.twice((value: number) => value + 1, 41),
    api.twice(given.increment.bind(given), 1),
    api.late(given).increment(5),
    api.late(api.counter()).increment(6),
    api.echo({ text: "text", list: [1, 2n, null, undefined], map: new Map([[1, new Date(0)]]), given }),
    api.echo(counter),
    api.nope(),
    ...(isPlain ? [] : [api.total(new Blob(["some bytes"]).stream()), api.hang(controller.signal)]),
  ];
  abandoned[Symbol.dispose]();
  abandoned.catch(() => {});
  await Promise.allSettled(first.slice(0, 13));
  controller.abort(new Error("enough"));
  await Promise.allSettled(first);
  const [kept, stream] = await Promise.allSettled([counter, isPlain ? undefined : api.numbers()]);
  if (stream?.status === "fulfilled" && !isPlain) await Promise.allSettled([drain(stream.value as ReadableStream)]);
  if (kept?.status === "fulfilled") {
    await Promise.allSettled([(kept.value as Untyped).increment(), api.echo(kept.value)]);
    (kept.value as Untyped)[Symbol.dispose]?.();
  }
  profile[Symbol.dispose]();
}

async function drain(stream: ReadableStream): Promise<void> {
  for await (const _ of stream as unknown as AsyncIterable<unknown>);
}

/** A transport that keeps what was sent, and is fed by the test. */
class Fed implements Transport {
  readonly batched = true;
  readonly bufferedBytes = 0;
  sentBytes = 0;
  isClosed = false;
  #receiver: TransportReceiver | undefined;

  start(receiver: TransportReceiver): void {
    this.#receiver = receiver;
    receiver.handleOpen();
  }
  send(frame: Uint8Array): void {
    this.sentBytes += frame.length;
  }
  schedule(flush: () => void): void {
    queueMicrotask(flush);
  }
  close(_code: number, reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    queueMicrotask(() => this.#receiver?.handleClosed(reason));
  }
  feed(frame: Uint8Array): void {
    this.#receiver?.handleFrame(frame);
  }
}

/** One end of a session, fed by a test that plays the other. */
export interface Subjected {
  readonly transport: Fed;
  readonly link: Link;
  /** Ends the session. Throws where something is still pending or held a while after. */
  end(): Promise<void>;
}

/** A host whose Worker the peer may call. */
export function hostSession(transport: Transport): { readonly link: Link; readonly live: () => number } {
  const realm = makeRealm({ maxStreamBytes: 1 << 20, waitUntilTimeoutMs: 1 });
  const counter = { live: 0, running: 0 };
  const environment = new Environment(realm, {});
  const admission = new Admission(realm.limits);
  const worker = new Worker("subject", { default: Subject }, environment, realm, counter, admission, () => {});
  const find = (name: string, entrypoint: string): Untyped => {
    const service = name === "" ? worker.entrypoint(entrypoint === "" ? "default" : entrypoint, {}) : undefined;
    if (service === undefined) throw RpcError.failed(`No such service: "${name}"`);
    return service;
  };
  const bootstrap = new LocalCapability(new LinkServer(find, realm.limits), realm.limits);
  return { link: new Link(transport, { limits: realm.limits, bootstrap }), live: () => counter.live };
}

export function subjectHost(): Subjected {
  const transport = new Fed();
  const { link, live } = hostSession(transport);
  const end = async (): Promise<void> => {
    link.close();
    await untilTrue(() => live() === 0, "invocations live on");
  };
  return { transport, link, end };
}

export function subjectClient(isPlain: boolean): Subjected {
  const transport = new Fed();
  const link = new Link(transport);
  let pending = true;
  void converse(link, isPlain).finally(() => {
    pending = false;
  });
  const end = async (): Promise<void> => {
    link.close();
    await untilTrue(() => !pending, "promises are pending");
  };
  return { transport, link, end };
}

async function untilTrue(isSo: () => boolean, otherwise: string): Promise<void> {
  for (let turns = 0; turns < 50; turns++) {
    if (isSo()) return;
    await new Promise((done) => setImmediate(done));
  }
  for (let waits = 0; waits < 400; waits++) {
    if (isSo()) return;
    await new Promise((done) => setTimeout(done, 5));
  }
  throw new Error(`The link has ended, and ${otherwise}.`);
}

/** Logs what goes out through a transport. */
class Recorded implements Transport {
  readonly frames: Uint8Array[] = [];
  readonly #inner: MemoryTransport;

  constructor(inner: MemoryTransport) {
    this.#inner = inner;
  }
  get batched(): boolean {
    return this.#inner.batched;
  }
  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }
  start(receiver: TransportReceiver): void {
    this.#inner.start(receiver);
  }
  send(frame: Uint8Array): void {
    this.frames.push(frame.slice());
    this.#inner.send(frame);
  }
  schedule(flush: () => void): void {
    this.#inner.schedule(flush);
  }
  close(code: number, reason: string): void {
    this.#inner.close(code, reason);
  }
}

/** The frames of either end. */
export interface Session {
  readonly client: readonly Uint8Array[];
  readonly host: readonly Uint8Array[];
}

/** A whole session of a client and a host: the frames of either, in order. */
export async function record(isPlain: boolean): Promise<Session> {
  const [left, right] = MemoryTransport.pair();
  const [client, host] = [new Recorded(left), new Recorded(right)];
  const { link } = hostSession(host);
  const own = new Link(client);
  await converse(own, isPlain);
  own.close();
  link.close();
  await new Promise((done) => setTimeout(done, 20));
  return { client: client.frames, host: host.frames };
}
