// hot path (bench: npm run bench). One invocation: its ctx, what it handed out, what it received, and when it ends.
import {
  type Held,
  type PendingPromise,
  PlainRealm,
  type Realm,
  toException,
  unownedBehind,
} from "@capstan/client/serving";
import { type Capability, type IncomingCall, WatchedCapability } from "@capstan/vat";
import { type ContextCalls, callerGone, ExecutionContext } from "./context.ts";
import type { Caller } from "./invocation-env.ts";
import { type Scoped, scopeRunner } from "./platform/invocation-scope.ts";
import type { Worker } from "./worker.ts";

const OVERDUE =
  "waitUntil() tasks did not complete within the allowed time after invocation end and have been cancelled.";

/**
 * The realm of everything that one call on an entrypoint sends and receives.
 *
 * States: open (calls run, or somebody holds what it handed out) → draining (only tasks are left; they may open it
 * again) → ended (stubs that it still held are given back). Invariant: counted as live exactly until ended.
 */
export class Invocation extends PlainRealm implements Caller, ContextCalls, Scoped {
  readonly ctx: ExecutionContext;
  readonly #worker: Worker;
  /** The call that the invocation was made for; undefined for an HTTP request. */
  readonly #entry: IncomingCall | undefined;
  #forgetCaller: (() => void) | undefined = undefined;
  #calls = 0;
  #call: IncomingCall | undefined = undefined;
  #more: Set<IncomingCall> | undefined = undefined;
  #handedOut = 0;
  #held: Set<Held> | undefined = undefined;
  /** Calls that it made and that have no outcome. */
  #pending: Set<PendingPromise> | undefined = undefined;
  #isCancelled = false;
  /** What it was aborted with. */
  #aborted: { readonly reason: unknown } | undefined = undefined;
  #onAbort: ((reason: unknown) => void) | undefined = undefined;
  /** What breaks the streams that go on. */
  #streams: Set<(reason: unknown) => void> | undefined = undefined;
  #env: object | undefined = undefined;
  #loopback: Readonly<Record<string, unknown>> | undefined = undefined;
  #state: "open" | "draining" | "ended" = "open";
  /** Runs out where the entry's method goes on though nobody waits for it any more. */
  #placeTimer: ReturnType<typeof setTimeout> | undefined = undefined;
  #hasPlace = true;

  /**
   * Made once admitted. The place is left when the method of `entry` has settled; where nobody waits for it any more, after
   * `waitUntilTimeoutMs` at the latest.
   */
  constructor(worker: Worker, props: unknown, entry: IncomingCall | undefined) {
    super(worker.realm.limits, worker.realm.sendStacks);
    this.#worker = worker;
    this.#entry = entry;
    this.ctx = new ExecutionContext(props, worker, this);
    worker.counter.live++;
  }

  /** Runs `code` as part of this invocation. */
  override run<T>(code: () => T): T {
    const runner = scopeRunner();
    return runner === undefined ? code() : runner(this, code);
  }

  get env(): object {
    this.#env ??= this.#worker.envFor(this);
    return this.#env;
  }

  get loopback(): Readonly<Record<string, unknown>> {
    this.#loopback ??= this.#worker.loopbackFor(this);
    return this.#loopback;
  }

  /** Code that outlives its invocation calls as the host does. */
  get callRealm(): Realm {
    return this.#state === "ended" ? this.#worker.realm : this;
  }

  envOver(env: object): object | undefined {
    return env === this.#worker.env ? this.env : undefined;
  }

  override report(error: unknown): void {
    this.#worker.report(error, "a disposer");
  }

  /** A signal among what the caller sent cancels the invocation when it aborts. */
  handleSignal(signal: AbortSignal): void {
    if (this.#call === this.#entry) signal.addEventListener("abort", () => this.ctx.cancel(), { once: true });
  }

  /**
   * An object that belongs to nobody is handed out as one of this invocation's. What came from elsewhere and is given away
   * with a result keeps it alive too, unless it is the caller's own.
   */
  passOn(cap: Capability, answered: IncomingCall | undefined): Capability {
    const object = unownedBehind(cap);
    if (object !== undefined) return this.serve(object, () => cap.release());
    if (answered === undefined || cap.brokenReason !== undefined || isCallers(cap, answered)) return cap;
    return new WatchedCapability(cap, this.keepAlive());
  }

  override keepAlive(handleAbort?: (reason: unknown) => void): () => void {
    const release = super.keepAlive();
    if (handleAbort === undefined) return release;
    (this.#streams ??= new Set()).add(handleAbort);
    return () => {
      this.#streams?.delete(handleAbort);
      release();
    };
  }

  /** Objects handed out keep the invocation alive until the last reference to them is gone. */
  protected override handleServed(held: boolean): void {
    this.#handedOut += held ? 1 : -1;
    if (!held) this.#settle();
  }

  /** What is still held when the invocation ends goes with it, leaked duplicates of parameters among them. */
  handleHeld(held: Held, isHeld: boolean): void {
    if (!isHeld) this.#held?.delete(held);
    else if (this.#state !== "ended") (this.#held ??= new Set()).add(held);
    // It came with the outcome of a call that nobody waited for.
    else held.dispose();
  }

  waitFor(task: Promise<unknown>): void {
    this.ctx.waitUntil(task);
  }

  handlePending(call: PendingPromise, isPending: boolean): void {
    if (!isPending) this.#pending?.delete(call);
    else if (this.#state !== "ended") (this.#pending ??= new Set()).add(call);
  }

  handleCall(call: IncomingCall, running: boolean): boolean {
    if (running && this.#aborted !== undefined) {
      call.returnException(toException(this.#aborted.reason, this.limits, this.sendStacks));
      return false;
    }
    if (!running && call === this.#entry) this.#leavePlace();
    this.#countCall(call, running);
    return true;
  }

  #countCall(call: IncomingCall, running: boolean): void {
    // Nearly always there is one: it needs no set.
    if (running) {
      call.onCancel = () => this.#handleCancel(call);
      if (this.#call === undefined) this.#call = call;
      else (this.#more ??= new Set()).add(call);
    } else if (this.#call === call) this.#call = undefined;
    else if (this.#more?.delete(call) !== true) return; // aborted, and done with then
    this.handleRunning(running);
  }

  /** A call was answered without its method, which may go on. */
  #giveUp(call: IncomingCall): void {
    this.#countCall(call, false);
    if (call !== this.#entry || !this.#hasPlace) return;
    this.#placeTimer ??= setTimeout(() => this.#leavePlace(), this.limits.waitUntilTimeoutMs).unref();
  }

  #leavePlace(): void {
    if (!this.#hasPlace) return;
    this.#hasPlace = false;
    if (this.#placeTimer !== undefined) clearTimeout(this.#placeTimer);
    this.#worker.admission.leave();
  }

  /** A call or request begins to run, or was answered. */
  handleRunning(running: boolean): void {
    const change = running ? 1 : -1;
    this.#calls += change;
    this.#worker.counter.running += change;
    if (!running) this.#settle();
  }

  /** Fails every call of this invocation that has not been answered, and all that come. What they return is dropped. */
  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    this.#onAbort?.(reason);
    for (const breakOff of [...(this.#streams ?? [])]) breakOff(reason);
    const error = toException(reason, this.limits, this.sendStacks);
    const calls = [...(this.#call === undefined ? [] : [this.#call]), ...(this.#more ?? [])];
    for (const call of calls) {
      call.returnException(error);
      this.#giveUp(call);
    }
  }

  /** Rejects with the reason once the invocation is aborted. Whoever asks is the only one. */
  whenAborted(): Promise<never> {
    return new Promise((_, reject) => {
      this.#onAbort = reject;
    });
  }

  /** Runs `listener` once if the link to the caller is lost before the invocation has ended. */
  whenCallerGone(listener: () => void): void {
    if (this.#state !== "ended") this.#forgetCaller ??= this.#entry?.origin?.whenClosed(listener);
  }

  /** Nobody waits for this call any more: it counts as answered, though its code may go on. */
  #handleCancel(call: IncomingCall): void {
    if (call === this.#entry) this.cancel();
    this.#giveUp(call);
  }

  /** Its caller is gone, or wants no result. The calls that it waits for are cancelled too, unless they may be a task's. */
  cancel(): void {
    this.#isCancelled = true;
    this.run(() => this.ctx.cancel());
    if (!this.ctx.hasTasks) this.#abandonCalls();
  }

  #abandonCalls(): void {
    const calls = this.#pending;
    this.#pending = undefined;
    if (calls === undefined) return;
    for (const call of calls) call.abandon(callerGone());
  }

  #settle(): void {
    if (this.#state !== "open" || this.#calls > 0 || this.#handedOut > 0) return;
    if (!this.ctx.hasTasks) {
      this.#end();
      return;
    }
    this.#state = "draining";
    void this.ctx.drained(this.limits.waitUntilTimeoutMs).then((inTime) => {
      if (!inTime) {
        this.#worker.report(new Error(OVERDUE), "waitUntil()");
        this.#isCancelled = true;
        this.#end();
        return;
      }
      this.#state = "open";
      this.#settle();
    });
  }

  #end(): void {
    this.#state = "ended";
    this.#forgetCaller?.();
    this.#worker.counter.live--;
    if (this.#isCancelled) this.#abandonCalls();
    const rest = this.#held;
    this.#held = undefined;
    if (rest !== undefined) for (const held of rest) this.#giveBack(held);
  }

  #giveBack(held: Held): void {
    if (this.#isCancelled && held.abandon !== undefined) held.abandon();
    else held.dispose();
  }
}

/** Whether `cap` is an object of the caller's, or came with the call. */
function isCallers(cap: Capability, { origin, params }: IncomingCall): boolean {
  if (origin?.reaches(cap) === true) return true;
  const end = cap.resolved;
  for (let index = 0; index < params.capCount; index++) if (params.cap(index)?.resolved === end) return true;
  return false;
}
