// What ties values to the objects on either side of the wire.
import type { Capability, IncomingCall } from "@capstan/vat";
import type { Limits } from "@capstan/wire";

/** Something of a peer's that is held here: a stub, a stream, a signal. */
export interface Held {
  /** Gives it back. */
  dispose(): void;
  /** The same where nobody waits for what it is used for any more; default: `dispose`. */
  abandon?(): void;
}

/** A binding that arrived. It has no disposer of its own. */
export interface ReceivedBinding {
  readonly binding: object;
  readonly held: Held;
}

/** A call made from here that has not been answered. */
export interface PendingPromise {
  /** Cancels it; whoever waits for it gets `reason`. */
  abandon(reason: unknown): void;
}

/** Ties values to the objects on either side of the wire. An application has one; on a host each invocation is one. */
export interface Realm {
  readonly limits: Limits;
  /** Whether callers get the stacks of errors. */
  readonly sendStacks: boolean;
  /** A stub for a capability that arrived. Takes over the reference. */
  stubFor(cap: Capability): Disposable & object;
  /** A binding for a service that arrived, and what gives its reference back. Takes over the reference. */
  bindingFor(cap: Capability): ReceivedBinding;
  /** A promise that arrived. Takes over both references. */
  promiseFor(value: Capability, pipeline: Capability | undefined): Disposable & object;
  /** Serves `target` by reference; `dispose` runs when the last reference is gone. The reference belongs to the caller. */
  serve(target: object, dispose: (() => void) | undefined): Capability;
  /** True where nothing ends with this realm: whoever sends an object of its serves that from then on. Default false. */
  readonly isNobodys?: boolean;
  /**
   * What goes out for `cap`, which a stub of ours stands for. Takes over and returns a reference. Without it: `cap` itself.
   *
   * @param answered the call whose results give it away; undefined where it is lent.
   */
  passOn?(cap: Capability, answered: IncomingCall | undefined): Capability;
  /** Serves the value of `promise`: reading it waits for it. Otherwise like `serve`. */
  servePromise(promise: Promise<unknown>, dispose: (() => void) | undefined): Capability;
  /** Lets a peer write into a stream of ours, which is taken over. Otherwise like `serve`. */
  serveWritable(stream: WritableStream<unknown>): Capability;
  /** Takes streams and signals that are mentioned in what this realm reads. */
  servePushes(): Capability;
  /** Told of what a disposer threw. */
  report(error: unknown): void;
  /**
   * Keeps the realm alive for something that goes on: a stream that is sent. Returns what ends that.
   *
   * @param handleAbort runs where the realm is aborted meanwhile.
   */
  keepAlive(handleAbort?: (reason: unknown) => void): () => void;
  /** What was begun in this realm, and goes on: the realm waits for it as for its tasks. Never rejects. */
  waitFor?(task: Promise<unknown>): void;
  /** Something of a peer's arrived, or was given back. */
  handleHeld?(held: Held, isHeld: boolean): void;
  /** A call was made from here, or has its outcome. */
  handlePending?(call: PendingPromise, isPending: boolean): void;
  /** A peer's signal arrived that was given to a call, to cancel it. */
  handleSignal?(signal: AbortSignal): void;
  /** Runs user code as part of this realm. */
  run<T>(code: () => T): T;
  /** A call on an object of this realm begins to run, or was answered. False: it was answered now, and is not to run. */
  handleCall?(call: IncomingCall, running: boolean): boolean;
}
