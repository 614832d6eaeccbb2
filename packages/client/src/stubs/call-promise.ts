// hot path (bench: npm run bench). A call in flight, and what is pipelined on it.
import {
  BrokenCapability,
  type Capability,
  LocalCapability,
  NO_CAPABILITY_REASON,
  type PendingCall,
  PromiseCapability,
  type ReceivedPayload,
  type ReturnSink,
  RpcError,
} from "@capstan/vat";
import { JS_RPC_TARGET_CALL_METHOD, JS_RPC_TARGET_ID_HIGH, JS_RPC_TARGET_ID_LOW, readCallResults } from "@capstan/wire";
import { fromException, toException } from "../errors.ts";
import { TargetServer } from "../targets/target-server.ts";
import { UnreadBlobs } from "../values/blob.ts";
import { nothingToDispose, passesOn } from "../values/by-reference.ts";
import { CallContent, callEncoder } from "../values/call.ts";
import { isGiven } from "../values/given-signal.ts";
import { IncomingObjects } from "../values/incoming.ts";
import type { Held, PendingPromise, Realm } from "../values/realm.ts";
import { coreOf, type SentPromise, type StubCore } from "./brand.ts";
import { LateCall } from "./late-call.ts";
import { arriveFrom, callSite, watch } from "./leaks.ts";

/** Where calls go. */
export interface CallBase {
  readonly realm: Realm;
  /** Borrowed. Throws where it was disposed of. */
  target(): Capability;
  /** Makes later calls go to `gate`, whose reference is taken over; returns where they went until now, with one. */
  divert?(gate: Capability): Capability;
}

/** A promise that is a base of calls too. */
export interface PromiseBase extends CallBase, StubCore {
  /** The outcome as a native promise. */
  promise(): Promise<unknown>;
}

/** Where the results of a call keep the target that stands for them. */
const CALL_PIPELINE = Object.freeze([1]);

/** A method of an interface, by its ids. */
export interface RemoteMethod {
  readonly high: number;
  readonly low: number;
  readonly id: number;
}

const JS_CALL: RemoteMethod = { high: JS_RPC_TARGET_ID_HIGH, low: JS_RPC_TARGET_ID_LOW, id: JS_RPC_TARGET_CALL_METHOD };

const NOTHING_KEPT: { kept: Capability | undefined } = Object.seal({ kept: undefined });

type Settled = { readonly value: unknown } | { readonly error: unknown };

/**
 * A call in flight, and the base of what is pipelined on it.
 *
 * States: pending → settled (value or error) ; disposed at any time (a pending call is cancelled, stubs in a result
 * are given back).
 */
export class CallPromise implements PromiseBase, PendingPromise, ReturnSink {
  readonly realm: Realm;
  #call: PendingCall | undefined;
  /** What stands for the result, once somebody pipelines on it: at the callee while pending, then here. */
  #pipeline: Capability | undefined;
  #held: Held | undefined;
  /**
   * What runs the result's disposer at the callee when it is dropped. Apart from this, which holds the result: whoever
   * watches it must not.
   */
  #owner = NOTHING_KEPT;
  #settled: Settled | undefined;
  #waiting: { resolve(value: unknown): void; reject(error: unknown): void } | undefined;
  #promise: Promise<unknown> | undefined;
  #stubs: IncomingObjects | undefined;
  /** A result that is a stub: it stands for itself, and whoever holds it disposes of it. */
  #result: CallBase | undefined;
  #disposed = false;
  /** Stops waiting for signals that were given to the call. */
  #forgetSignals: (() => void) | undefined = undefined;
  /** True once a result arrived that nothing can be pipelined on. */
  #isEmpty = false;
  /** Where the call went; forgotten once settled, so that a long chain keeps none of its links. */
  #base: CallBase | undefined;
  readonly #path: readonly string[];
  /** Where the call was made, for warnings. */
  readonly #site = callSite();

  /** @param method what is called; default: `JsRpcTarget.call`. */
  constructor(
    base: CallBase,
    path: readonly string[],
    args: readonly unknown[] | undefined,
    method: RemoteMethod = JS_CALL,
  ) {
    this.realm = base.realm;
    this.#base = base;
    this.#path = path;
    let content: CallContent | undefined;
    try {
      const target = base.target();
      content = new CallContent(base.realm, target, path, args);
      this.#call = target.call(method.high, method.low, method.id, callEncoder, content, this);
      base.realm.handlePending?.(this, true);
    } catch (error) {
      if (error instanceof UnreadBlobs) this.#callLater(error, base, args, method);
      else this.#settled = { error };
    }
    if (content?.signals !== undefined) this.#obey(content.signals, args);
  }

  /** Those of `signals` that are given to the call cancel it. */
  #obey(signals: readonly AbortSignal[], args: readonly unknown[] | undefined): void {
    if (this.#settled !== undefined) return;
    for (const signal of signals) {
      if (args === undefined || !isGiven(signal, args)) continue;
      if (signal.aborted) {
        this.#abort(signal.reason);
        return;
      }
      const abort = (): void => this.#abort(signal.reason);
      signal.addEventListener("abort", abort);
      const before = this.#forgetSignals;
      this.#forgetSignals = () => {
        signal.removeEventListener("abort", abort);
        before?.();
      };
    }
  }

  /** The caller gave up: a pending call fails with `reason` here, and is cancelled at the callee. */
  #abort(reason: unknown): void {
    if (this.#settled !== undefined || this.#disposed) return;
    const call = this.#call;
    this.#settle({ error: reason });
    call?.cancel();
  }

  /** Breaks the streams of the result with the signal's reason if it aborts before they are over. */
  breakStreamsWith(signal: AbortSignal): void {
    this.#stubs?.breakStreamsWith(signal);
  }

  /** Waits for an argument to be read. Later calls on the same base wait too, so that their order is kept. */
  #callLater(unread: UnreadBlobs, base: CallBase, args: readonly unknown[] | undefined, method: RemoteMethod): void {
    const { realm } = this;
    const gate = new PromiseCapability(realm.limits);
    const target = base.divert?.(gate.addRef()) ?? base.target().addRef();
    const late = new LateCall(realm.limits);
    this.#call = late;
    realm.handlePending?.(this, true);
    const attempt = async (): Promise<void> => {
      const kept = await unread.read();
      try {
        if (late.isCancelled) {
          late.settle(undefined, new BrokenCapability(RpcError.failed("The call was cancelled.")));
          return;
        }
        const content = new CallContent(realm, target, this.#path, args, kept);
        late.settle(target.call(method.high, method.low, method.id, callEncoder, content, this));
      } finally {
        kept.release();
      }
    };
    attempt()
      .catch((error: unknown) => {
        late.settle(undefined, new BrokenCapability(toException(error, realm.limits)));
        this.#settle({ error });
      })
      .finally(() => {
        gate.resolve(target);
        gate.release();
      });
  }

  /** The outcome as a native promise, made when somebody asks. */
  promise(): Promise<unknown> {
    if (this.#disposed) return Promise.reject(new Error("RPC promise used after being disposed."));
    const settled = this.#settled;
    if (this.#promise !== undefined) return this.#promise;
    if (settled === undefined) {
      this.#promise = new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject };
      });
    } else {
      this.#promise = "error" in settled ? Promise.reject(settled.error) : Promise.resolve(settled.value);
    }
    return this.#promise;
  }

  target(): Capability {
    if (this.#disposed) throw new Error("RPC promise used after being disposed.");
    const settled = this.#settled;
    if (settled !== undefined && "error" in settled) throw settled.error;
    if (this.#result !== undefined) return this.#result.target();
    this.#pipeline ??= settled === undefined ? this.#call?.pipeline(CALL_PIPELINE) : this.#serveValue(settled.value);
    if (this.#pipeline === undefined) throw new TypeError("Can't pipeline on RPC that did not return an object.");
    return this.#pipeline;
  }

  divert(gate: Capability): Capability {
    if (this.#result?.divert !== undefined) return this.#result.divert(gate);
    const target = this.target();
    this.#pipeline = gate;
    return target;
  }

  #serveValue(value: unknown): Capability | undefined {
    if (typeof value !== "object" || value === null) return undefined;
    return new LocalCapability(new TargetServer(this.realm, value), this.realm.limits);
  }

  capability(): Capability {
    return this.target().addRef();
  }

  send(lends: boolean): SentPromise {
    if (this.#disposed) throw new Error("RPC promise used after being disposed.");
    const settled = this.#settled;
    const leadsOn = settled === undefined || this.#result !== undefined;
    return {
      promise: this.promise(),
      pipeline: leadsOn ? this.capability() : undefined,
      release: lends ? undefined : () => this.dispose(),
    };
  }

  dispose(): void {
    this.abandon(new Error("RPC promise used after being disposed."));
  }

  abandon(reason: unknown): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#forgetSignals?.();
    this.#forgetSignals = undefined;
    if (this.#settled === undefined) {
      this.realm.handlePending?.(this, false);
      this.#call?.cancel();
    }
    this.#call = undefined;
    this.#releaseResult();
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
  }

  handleResults(results: ReceivedPayload): void {
    arriveFrom(this.#site);
    try {
      const { limits } = this.realm;
      const { value: ref, callPipeline, hasDisposer } = readCallResults(results.reader, results.content, limits);
      const stubs = new IncomingObjects(results, this.realm, ref?.externals);
      const value = ref === undefined ? undefined : stubs.read(ref);
      this.#stubs = stubs;
      this.#call = undefined;
      if (stubs.holdsStubs) this.#result = coreOf(value as object) as (CallBase & StubCore) | undefined;
      const pipeline = results.cap(callPipeline);
      this.#isEmpty = pipeline === undefined;
      // From here on the value itself is at hand for pipelined calls; only its owner's disposer is still at the callee.
      this.#dropPipeline();
      if (hasDisposer) {
        this.#owner = { kept: pipeline?.addRef() };
        this.#held = { dispose: () => this.#releaseResult() };
        this.realm.handleHeld?.(this.#held, true);
      }
      if (typeof value === "object" && value !== null && this.#result === undefined) this.#attachDisposer(value);
      this.#settle({ value });
    } catch (error) {
      this.#settle({ error });
    } finally {
      arriveFrom(undefined);
      results.release();
    }
  }

  handleException(error: RpcError): void {
    const base = this.#base;
    // The callee had nothing to look the path up in: its answer was gone. What was asked of it is known here alone.
    if (error.message === NO_CAPABILITY_REASON || (base instanceof CallPromise && base.#isEmpty))
      this.#settle({ error: notThere(this.#path) });
    else this.#settle({ error: fromException(error, this.realm.limits) });
  }

  #dropPipeline(): void {
    const pipeline = this.#pipeline;
    this.#pipeline = undefined;
    pipeline?.release();
  }

  #settle(settled: Settled): void {
    this.#settled = settled;
    if (!this.#disposed) this.realm.handlePending?.(this, false);
    this.#call = undefined;
    this.#base = undefined;
    this.#forgetSignals?.();
    this.#forgetSignals = undefined;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if ("error" in settled) {
      this.#releaseResult();
      waiting?.reject(settled.error);
    } else waiting?.resolve(settled.value);
  }

  #releaseResult(): void {
    this.#dropPipeline();
    const owner = this.#owner.kept;
    if (owner !== undefined) {
      this.#owner.kept = undefined;
      if (this.#held !== undefined) this.realm.handleHeld?.(this.#held, false);
      owner.release();
    }
    this.#stubs?.discard();
  }

  /** The result's own disposer gives back everything that came with it. A lone stub disposes of itself. */
  #attachDisposer(value: object): void {
    const holds = this.#owner.kept !== undefined || this.#stubs?.holdsStubs === true;
    const release = (): void => this.#releaseResult();
    const dispose = holds ? release : this.#stubs?.holdsStreams === true ? passesOn(release) : nothingToDispose;
    Object.defineProperty(value, Symbol.dispose, { value: dispose, configurable: true });
    // Stubs are watched one by one.
    if (this.#owner.kept !== undefined) watch(value, "result", this.#owner);
  }
}

/** What a callee says of a path that leads nowhere from the start. */
function notThere(path: readonly string[]): TypeError {
  const [name] = path;
  const text =
    name === undefined ? '"(this)" is not a function.' : `The RPC receiver does not implement the method "${name}".`;
  return Object.assign(new TypeError(text), { remote: true });
}
