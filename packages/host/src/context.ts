// What one invocation offers its Worker as `ctx`.

/** What a context needs of its Worker. */
export interface ContextOwner {
  /** Told of what goes wrong where no caller is told, and what that was. */
  report(error: unknown, what: string): void;
}

/** What a context needs of its invocation. */
export interface ContextCalls {
  abort(reason: unknown): void;
  whenCallerGone(listener: () => void): void;
  /** `env`, whose bindings make calls of this invocation. */
  readonly env: object;
  /** The Worker's entrypoints as bindings to itself, by export name. */
  readonly loopback: Readonly<Record<string, unknown>>;
}

/** `ctx` of one invocation. Its parts are made when they are touched. */
export class ExecutionContext {
  /** What the binding or the caller gave with the call; `{}` where nothing was. */
  readonly props: unknown;
  readonly #owner: ContextOwner;
  readonly #calls: ContextCalls;
  #tasks: Set<Promise<unknown>> | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  constructor(props: unknown, owner: ContextOwner, calls: ContextCalls) {
    this.props = props;
    this.#owner = owner;
    this.#calls = calls;
  }

  /** The Worker's own entrypoints: `ctx.exports.NAME` is a binding; calling it with `{ props }` gives one with props. */
  get exports(): Readonly<Record<string, unknown>> {
    return this.#calls.loopback;
  }

  /** What the invocation of `ctx` has as `env`. */
  static envOf(ctx: ExecutionContext): object {
    return ctx.#calls.env;
  }

  /** Fires when the caller cancels the call or its link is lost. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#calls.whenCallerGone(() => this.cancel());
    }
    return this.#controller.signal;
  }

  /** Keeps the invocation alive until `promise` settles. Its rejection is reported, and touches nothing else. */
  waitUntil(promise: unknown): void {
    const tasks = (this.#tasks ??= new Set());
    const task: Promise<unknown> = Promise.resolve(promise).then(undefined, (error) =>
      this.#owner.report(error, "a waitUntil() task"),
    );
    tasks.add(task);
    void task.then(() => tasks.delete(task));
  }

  /** Fails every call of this invocation that has not been answered, and its HTTP request, with `reason`; later calls too. */
  abort(reason: unknown = new Error("The execution context was aborted.")): void {
    this.#calls.abort(reason);
  }

  /** For compatibility: an exception always reaches the caller. */
  passThroughOnException(): void {}

  /** Whether a promise that was given to `waitUntil` has not settled. */
  get hasTasks(): boolean {
    return this.#tasks !== undefined && this.#tasks.size > 0;
  }

  /** Resolves to true when no task is left, those included that tasks add; to false after `timeoutMs`. */
  async drained(timeoutMs: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const overdue = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, false);
    });
    try {
      while (this.hasTasks) {
        const settled = Promise.all(this.#tasks ?? []).then(() => true as const);
        if (!(await Promise.race([settled, overdue]))) return false;
      }
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The caller is gone, or wants no result. */
  cancel(): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(callerGone());
  }
}

/** What a signal, and whoever waits for a call of the invocation, is told. */
export function callerGone(): DOMException {
  return new DOMException("The caller cancelled the call, or is gone.", "AbortError");
}
