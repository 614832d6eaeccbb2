// hot path (bench: npm run bench). One invocation: its ctx, what it handed out, what it received, and when it ends.
import { makeStub, type Realm, type StubCore, TargetServer, toException } from "@capstan/client";
import { type Capability, type IncomingCall, LocalCapability } from "@capstan/vat";
import type { Limits } from "@capstan/wire";
import { ExecutionContext } from "./context.ts";
import { type Scoped, scopeRunner } from "./invocation-scope.ts";
import type { Worker } from "./worker.ts";

const OVERDUE =
  "waitUntil() tasks did not complete within the allowed time after invocation end and have been cancelled.";

/**
 * The realm of everything that one call on an entrypoint sends and receives.
 *
 * States: open (calls run, or somebody holds what it handed out) → draining (only tasks are left; they may open it
 * again) → ended (stubs that it still held are given back). Invariant: counted as live exactly until ended.
 */
export class Invocation implements Realm, Scoped {
  readonly limits: Limits;
  readonly ctx: ExecutionContext;
  readonly #worker: Worker;
  #calls = 0;
  #call: IncomingCall | undefined = undefined;
  #more: Set<IncomingCall> | undefined = undefined;
  #handedOut = 0;
  #received: Set<StubCore> | undefined = undefined;
  #state: "open" | "draining" | "ended" = "open";

  constructor(worker: Worker, props: unknown) {
    this.limits = worker.realm.limits;
    this.#worker = worker;
    this.ctx = new ExecutionContext(props, worker, this);
    worker.counter.live++;
  }

  /** `env` of the Worker. */
  get env(): object {
    return this.#worker.env;
  }

  /** Runs `code` as part of this invocation. */
  run<T>(code: () => T): T {
    const runner = scopeRunner();
    return runner === undefined ? code() : runner(this, code);
  }

  report(error: unknown): void {
    this.#worker.report(error);
  }

  stubFor(cap: Capability): Disposable & object {
    return makeStub(this, cap);
  }

  /** Objects handed out keep the invocation alive until the last reference to them is gone. */
  serve(target: object, dispose: (() => void) | undefined): Capability {
    this.#handedOut++;
    const release = (): void => {
      this.#handedOut--;
      try {
        dispose?.();
      } finally {
        this.#settle();
      }
    };
    return new LocalCapability(new TargetServer(this, target, release), this.limits);
  }

  /** Stubs still held when the invocation ends go with it, leaked duplicates of parameters among them. */
  handleStub(core: StubCore, held: boolean): void {
    if (held && this.#state !== "ended") {
      this.#received ??= new Set();
      this.#received.add(core);
    } else this.#received?.delete(core);
  }

  handleCall(call: IncomingCall, running: boolean): void {
    // Nearly always there is one: it needs no set.
    if (running) {
      if (this.#call === undefined) this.#call = call;
      else (this.#more ??= new Set()).add(call);
    } else if (this.#call === call) this.#call = undefined;
    else if (this.#more?.delete(call) !== true) return; // aborted, and done with then
    this.handleRunning(running);
  }

  /** A call or request begins to run, or was answered. */
  handleRunning(running: boolean): void {
    const change = running ? 1 : -1;
    this.#calls += change;
    this.#worker.counter.running += change;
    if (!running) this.#settle();
  }

  /** Fails every call of this invocation that has not been answered. What they return later is dropped. */
  abort(reason: unknown): void {
    const error = toException(reason, this.limits);
    const calls = [...(this.#call === undefined ? [] : [this.#call]), ...(this.#more ?? [])];
    for (const call of calls) {
      call.returnException(error);
      this.handleCall(call, false);
    }
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
        this.#worker.report(new Error(OVERDUE));
        this.#end();
        return;
      }
      this.#state = "open";
      this.#settle();
    });
  }

  #end(): void {
    this.#state = "ended";
    this.#worker.counter.live--;
    const received = this.#received;
    this.#received = undefined;
    if (received !== undefined) for (const core of received) core.dispose();
  }
}
