// The types of stubs: what a method looks like from the other end.
import type { Socket, SocketAddress, SocketOptions } from "./service/socket.ts";
import type { RpcTarget } from "./targets/rpc-target.ts";

// biome-ignore lint/suspicious/noExplicitAny: only `any` takes every function, whatever its parameters.
type AnyFunction = (...args: any[]) => unknown;

/** What goes by reference. */
export type Stubable = RpcTarget | AnyFunction;

/** What goes by value, or moves, and is the same at both ends. */
type Plain =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | RegExp
  | Error
  | ArrayBuffer
  | ArrayBufferView
  | ReadableStream<unknown>
  | WritableStream<unknown>
  | Headers
  | Request
  | Response
  | URL
  | Blob
  | AbortSignal;

/** The same, with arrays and literal types of such. It ends where types without an end, as that of JSON, lead to themselves. */
type PlainTree = Plain | readonly PlainTree[] | { readonly [key: string]: PlainTree };

/** What cannot be sent, as far as types tell. Maps and sets are told apart from the weak ones before. */
type Unsendable =
  | symbol
  | Promise<unknown>
  | WeakMap<never, unknown>
  | WeakSet<WeakKey>
  | { readonly [Symbol.toStringTag]: "WeakRef" }
  | FormData
  | TransformStream<never, unknown>
  | CryptoKey
  | AbortController
  | Iterator<unknown, unknown, never>
  | AsyncIterator<unknown, unknown, never>;

/** What looks like something that can be sent: shared memory like an ArrayBuffer, parameters like headers. */
type Lookalike = { readonly [Symbol.toStringTag]: "SharedArrayBuffer" } | URLSearchParams;

/** Instances of other classes are refused. Those with private or protected members can be told: a copy by members lacks them. */
type IsInstance<T> = { [K in keyof T]: T[K] } extends T ? false : true;

/** A value as its receiver gets it: what goes by reference has become a stub; what cannot be sent is `never`. */
export type Received<T> = T extends Lookalike
  ? never
  : T extends PlainTree
    ? T
    : T extends RpcStub<infer _>
      ? T
      : T extends Stubable
        ? RpcStub<T>
        : T extends Events
          ? T
          : T extends ReadonlyMap<infer K, infer V>
            ? Map<Received<K>, Received<V>>
            : T extends ReadonlySet<infer V>
              ? Set<Received<V>>
              : T extends Unsendable
                ? never
                : T extends object
                  ? IsInstance<T> extends true
                    ? never
                    : { [K in keyof T]: Received<T[K]> }
                  : T;

/**
 * What may be passed where the receiver expects a `T`: the thing itself, a stub for it, or a promise of either. `never`
 * where it cannot be sent.
 */
export type Sendable<T> = T extends AnyFunction
  ? // Without their call signatures, which would leave a function expression's parameters untyped.
    T | (Disposable & { dup(): RpcStub<T> }) | Promise<RpcStub<T>>
  : T extends Lookalike
    ? never
    : T extends RpcTarget
      ? T | RpcStub<T> | RpcPromise<T>
      : T extends RpcStub<infer U>
        ? T | U | RpcPromise<U>
        : T extends Plain
          ? T | RpcPromise<T>
          : T extends Events | Promise<unknown>
            ? T
            : T extends ReadonlyMap<infer K, infer V>
              ? ReadonlyMap<Sendable<K>, Sendable<V>>
              : T extends ReadonlySet<infer V>
                ? ReadonlySet<Sendable<V>>
                : T extends readonly unknown[]
                  ? SendableArray<T>
                  : T extends Unsendable
                    ? never
                    : T extends object
                      ? IsInstance<T> extends true
                        ? never
                        : { [K in keyof T]: Sendable<T[K]> }
                      : T;

/** Tuples by their elements; of arrays an interface, which the compiler looks into only as far as it needs. */
type SendableArray<T extends readonly unknown[]> = number extends T["length"]
  ? SendableElements<T[number]>
  : { [K in keyof T]: Sendable<T[K]> };

interface SendableElements<T> extends ReadonlyArray<Sendable<T>> {}

/** Members that never are remote: those of entrypoints and stubs that are local, and symbols. */
type Hidden = "ctx" | "env" | "dup" | "constructor" | "onRpcBroken" | symbol;

/**
 * A method from the other end: arguments may be stubs, the result is a promise that pipelines. Of overloads the last four
 * are seen; where there are fewer, the first is inferred for those that are missing. Type parameters become what they extend,
 * `unknown` where that is nothing.
 */
type Method<F> = F extends {
  (...args: infer Args1): infer Result1;
  (...args: infer Args2): infer Result2;
  (...args: infer Args3): infer Result3;
  (...args: infer Args4): infer Result4;
}
  ? Call<Args1, Result1> & Call<Args2, Result2> & Call<Args3, Result3> & Call<Args4, Result4>
  : never;

type Call<Args, Result> = Args extends readonly unknown[]
  ? (...args: { [K in keyof Args]: Sendable<Args[K]> }) => RpcPromise<Awaited<Result>>
  : never;

/** The members of a remote object: methods to call, properties to await. */
export type Members<T> = {
  readonly [K in keyof T as K extends Hidden ? never : K]: T[K] extends AnyFunction
    ? Method<T[K]>
    : RpcPromise<Awaited<T[K]>>;
};

type Callable<T> = T extends AnyFunction ? Method<T> : unknown;

/** A reference to an object or function at the other end. Dispose of it when done. */
export type RpcStub<T> = Callable<T> &
  Members<T> &
  Disposable & {
    /** An independent handle on the same object. */
    dup(): RpcStub<T>;
    /** Runs `listener` once if the object becomes unreachable, after calls in flight have failed. */
    onRpcBroken(listener: (error: unknown) => void): Disposable;
  };

/** A call in flight: await it, or call what it will return without waiting. Disposing of it cancels the call. */
export type RpcPromise<T> = Promise<Result<T>> & Disposable & Pipelined<T>;

/** What awaiting gives: objects carry a disposer for the stubs inside. */
type Result<T> = T extends Plain | Stubable ? Received<T> : T extends object ? Received<T> & Disposable : Received<T>;

type Pipelined<T> = T extends Plain | symbol | readonly unknown[] | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
  ? unknown
  : Callable<T> & Members<T>;

/** The public methods and properties of an entrypoint, by the type of its instances or by its class; not its two events. */
export type Provider<T> = Omit<
  Members<T extends abstract new (...args: never[]) => infer Instance ? Instance : T>,
  keyof Events
>;

/** A service as a binding shows it: what its entrypoint provides, and the two events. */
export type Service<T = unknown> = Provider<T> & Events;

/** What `link.service` gives: a service, and what every stub has. */
export type ServiceStub<T = unknown> = Service<T> &
  Disposable & {
    /** An independent handle on the same service. */
    dup(): ServiceStub<T>;
    /** Runs `listener` once if the service becomes unreachable, after calls in flight have failed. */
    onRpcBroken(listener: (error: unknown) => void): Disposable;
  };

interface Events {
  /** Hands the handler one Request, whose `redirect` is "manual"; redirects go to the same service. */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Opens a socket to the handler. @param address "host:port", or the two apart. */
  connect(address: SocketAddress, options?: SocketOptions): Socket;
}
