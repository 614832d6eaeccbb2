// Expectations on the types of stubs, checked by the compiler: a line that should not compile says so.
import {
  connect,
  type RpcPromise,
  type RpcStub,
  RpcTarget,
  type Service,
  type ServiceStub,
  type Socket,
} from "../../packages/client/src/index.ts";

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

/** What overloads, optional and rest parameters, unions and generics become. */
interface Store {
  get(key: string): number;
  get(key: string, type: "text"): string;
  get(keys: readonly string[]): Map<string, number>;
  list(options?: { readonly prefix?: string }): AsyncDeep;
  log(...lines: string[]): void;
  find(id: number): Promise<{ readonly id: number } | null>;
  map<T>(values: readonly T[], change: (value: T) => T): T[];
  same<T extends { readonly id: number }>(value: T): T;
  subscribe(onEvent: (event: string, counter: Counter) => Promise<boolean>): Promise<() => void>;
  pipe(from: ReadableStream<{ readonly at: Date }>): WritableStream<string>;
  fetch(request: Request): Response;
  forget(): symbol;
  [Symbol.iterator](): Iterator<number>;
}

/** Properties of properties, promises on the way. */
interface AsyncDeep {
  readonly a: Promise<{ readonly b: { readonly c: Promise<readonly { readonly counter: Counter }[]> } }>;
  step(): AsyncDeep;
}

declare const store: Service<Store>;
declare const byBinding: Service<Api>;

export async function more(): Promise<void> {
  const number: number = await store.get("a");
  const text: string = await store.get("a", "text");
  const several: Map<string, number> = await store.get(["a"]);
  // @ts-expect-error: no overload takes it
  await store.get("a", "json");

  await store.log();
  await store.log("a", "b");
  // @ts-expect-error: lines are text
  await store.log("a", 1);
  await store.list({});
  const found: { readonly id: number } | null = await store.find(1);
  // @ts-expect-error: it may be null
  found.id;
  const mapped: unknown[] = await store.map([1], (value) => value);
  // Type parameters become what they extend.
  const same: { readonly id: number } = await store.same({ id: 1 });
  // @ts-expect-error: that has no name
  await store.same({ id: 1, name: "a" });

  const stop: RpcStub<() => void> = await store.subscribe(async (event, counter) => {
    const next: number = await counter.increment(event.length);
    return next > 0;
  });
  // @ts-expect-error: the callback is to tell whether it goes on
  await store.subscribe(async () => "yes");
  using kept = stop.dup();
  await kept();

  const sink: WritableStream<string> = await store.pipe(new ReadableStream<{ at: Date }>());
  const deep = await store.list().step().step().a.b;
  void deep;

  const response: Response = await store.fetch("http://x.test/", { method: "POST", body: "b" });
  const socket: Socket = store.connect({ hostname: "h", port: 1 });
  // @ts-expect-error: symbols are not remote
  store[Symbol.iterator];
  const nothing: never = await store.forget();

  // A link's services: by interface or class, default or named.
  using link = connect<Store>("ws://x");
  const again: string = await link.service().get("a", "text");
  const sum: number = await link.service<Api>("other").add(1, 2);
  const byClass: Service<typeof Api> = link.service<typeof Api>();
  const added: number = await byClass.add(1, 2);
  using held = connect<Api>("ws://x").service();
  using twin: ServiceStub<Api> = held.dup();
  const one: number = await twin.add(1, 2);
  held.onRpcBroken(() => {})[Symbol.dispose]();
  // @ts-expect-error: bindings have no disposer
  using binding = byBinding;

  // A promise takes the place of what it resolves to, and a stub that of its target.
  await api.take(api.counter());
  await api.take(api.profile().counter);
  const caught: number = await api.add(1, 2).catch(() => 0);
  using pending = api.counter();
  void [
    number,
    text,
    several,
    mapped,
    same,
    sink,
    response,
    socket,
    nothing,
    again,
    sum,
    added,
    one,
    binding,
    caught,
    pending,
  ];
}

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

/** Told by its private member. */
class Instance {
  readonly shown = 1;
  private readonly hidden = 2;
  sum(): number {
    return this.shown + this.hidden;
  }
}

type IsNever<T> = [T] extends [never] ? true : false;
type Gives<T> = Awaited<ReturnType<Service<{ give(): T }>["give"]>>;
type Takes<T> = Parameters<Service<{ take(value: T): void }>["take"]>[0];
/** Neither given nor taken, as itself or within a value. */
type Refused<T> = [IsNever<Gives<T>>, IsNever<Takes<T>>, IsNever<Gives<{ a: T }>["a"]>, IsNever<Gives<T[]>[number]>];

export const refused: {
  readonly weakMap: Refused<WeakMap<object, number>>;
  readonly weakSet: Refused<WeakSet<object>>;
  readonly weakRef: Refused<WeakRef<object>>;
  readonly searchParams: Refused<URLSearchParams>;
  readonly formData: Refused<FormData>;
  readonly transform: Refused<TransformStream<string, string>>;
  readonly key: Refused<CryptoKey>;
  readonly controller: Refused<AbortController>;
  readonly shared: Refused<SharedArrayBuffer>;
  readonly iterator: Refused<Iterator<number>>;
  readonly generator: Refused<Generator<number, void, string>>;
  readonly asyncGenerator: Refused<AsyncGenerator<number>>;
  readonly symbol: Refused<symbol>;
  readonly instance: Refused<Instance>;
} = {
  weakMap: [true, true, true, true],
  weakSet: [true, true, true, true],
  weakRef: [true, true, true, true],
  searchParams: [true, true, true, true],
  formData: [true, true, true, true],
  transform: [true, true, true, true],
  key: [true, true, true, true],
  controller: [true, true, true, true],
  shared: [true, true, true, true],
  iterator: [true, true, true, true],
  generator: [true, true, true, true],
  asyncGenerator: [true, true, true, true],
  symbol: [true, true, true, true],
  instance: [true, true, true, true],
};

/** What looks like the refused, and is not. */
export const accepted: {
  readonly map: IsNever<Gives<Map<object, number>>>;
  readonly set: IsNever<Gives<Set<object>>>;
  readonly buffer: IsNever<Gives<ArrayBuffer>>;
  readonly view: IsNever<Gives<Uint8Array>>;
  readonly signal: IsNever<Gives<AbortSignal>>;
  readonly list: IsNever<Gives<readonly number[]>>;
  readonly tree: IsNever<Gives<Tree>>;
  readonly record: IsNever<Takes<Record<string, unknown>>>;
  readonly optional: IsNever<Takes<{ readonly a?: number }>>;
  readonly error: IsNever<Gives<RangeError>>;
} = {
  map: false,
  set: false,
  buffer: false,
  view: false,
  signal: false,
  list: false,
  tree: false,
  record: false,
  optional: false,
  error: false,
};

interface Collections {
  addAll(counters: Set<RpcStub<Counter>>): void;
  addNamed(counters: Map<string, RpcStub<Counter>>): void;
  all(): Set<Counter>;
  use(other: Service<Api>): Service<Api>;
}

export async function collections(service: Service<Collections>, other: Service<Api>): Promise<void> {
  await service.addAll(new Set([new Counter()]));
  await service.addAll(new Set([await api.counter()]));
  await service.addNamed(new Map([["a", new Counter()]]));
  const [first] = await service.all();
  const stub: RpcStub<Counter> | undefined = first;
  const sum: number = await (await service.use(other)).add(1, 2);
  void [stub, sum];
  // @ts-expect-error: these are no counters
  await service.addAll(new Set([1]));
  // @ts-expect-error: the keys are text
  await service.addNamed(new Map([[1, new Counter()]]));
  // @ts-expect-error: another service
  await service.use(store);
}
