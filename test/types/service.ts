// Expectations on the types of stubs, checked by the compiler: a line that should not compile says so.
import { type RpcPromise, type RpcStub, RpcTarget, type Service } from "../../packages/client/src/index.ts";

class Counter extends RpcTarget {
  count = 0;
  increment(by = 1): number {
    return this.count + by;
  }
}

/** As deep as one likes. */
interface Tree {
  readonly value: number;
  readonly children: readonly Tree[];
}

class Api {
  protected readonly env: unknown;
  private secret(): void {}
  add(a: number, b: number): number {
    return a + b + (this.secret() as unknown as number);
  }
  async counter(): Promise<Counter> {
    return new Counter();
  }
  each(callback: (n: number) => void): void {
    callback(1);
  }
  profile(): { readonly name: string; readonly counter: Counter } {
    return { name: "", counter: new Counter() };
  }
  take(counter: RpcStub<Counter>): void {
    counter[Symbol.dispose]();
  }
  upload(body: ReadableStream<Uint8Array>, signal: AbortSignal): Response {
    return new Response(body, { status: signal.aborted ? 500 : 200 });
  }
  watch(listener: (event: { readonly at: Date; readonly counter: Counter }) => void): () => void {
    listener({ at: new Date(), counter: new Counter() });
    return () => {};
  }
  first<T>(values: readonly T[]): T | undefined {
    return values[0];
  }
  tree(): Tree {
    return { value: 1, children: [] };
  }
  readonly own = Symbol("own");
  get version(): string {
    return "1";
  }
}

declare const api: Service<Api>;

export async function expectations(): Promise<void> {
  const sum: number = await api.add(1, 2);
  const version: string = await api.version;
  const counter: RpcStub<Counter> = await api.counter();
  const count: number = await api.counter().increment(2);
  const pipelined: RpcPromise<number> = api.profile().counter.increment(1);
  const name: string = await api.profile().name;
  const profile = await api.profile();
  const inside: RpcStub<Counter> = profile.counter;
  profile[Symbol.dispose]();
  await api.each((n) => void n.toFixed());
  await api.take(new Counter());
  await api.take(counter);
  const second: RpcStub<Counter> = counter.dup();
  const response: Response = await api.upload(new ReadableStream<Uint8Array>(), new AbortController().signal);
  const stop: RpcStub<() => void> = await api.watch(({ at, counter: given }) => void [at.getTime(), given.count]);
  await stop();
  const leaf: number | undefined = (await api.tree()).children[0]?.children[0]?.value;
  const one: unknown = await api.first([1, 2]);
  void [response, leaf, one];
  void [sum, version, count, pipelined, name, inside, second];

  // @ts-expect-error: a number is wanted
  await api.add("1", 2);
  // @ts-expect-error: there is no such method
  await api.subtract(1, 2);
  // @ts-expect-error: private members are not remote
  await api.secret();
  // @ts-expect-error: env is not remote
  await api.env;
  // @ts-expect-error: a result is a promise
  const now: number = api.add(1, 2);
  // @ts-expect-error: there is nothing to pipeline on in a number
  api.add(1, 2).increment();
  void now;
}
