// What one invocation offers its Worker as `ctx`, and what keeps the invocation alive.

/** Told about tasks that failed or took too long; they never touch a result. */
export type TaskReporter = (error: unknown) => void;

/** `ctx` of one invocation. Its parts are made when they are touched. */
export class ExecutionContext {
  readonly props: unknown;
  readonly #report: TaskReporter;
  #tasks: Set<Promise<unknown>> | undefined;
  #controller: AbortController | undefined;

  constructor(props: unknown, report: TaskReporter) {
    this.props = props;
    this.#report = report;
  }

  /** Fires when the caller cancels the call or its link is lost. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Keeps the invocation alive until `promise` settles. Its rejection is reported, and touches nothing else. */
  waitUntil(promise: unknown): void {
    const task: Promise<unknown> = Promise.resolve(promise).then(undefined, this.#report);
    this.#tasks ??= new Set();
    this.#tasks.add(task);
    void task.then(() => this.#tasks?.delete(task));
  }

  /** For compatibility: an exception always reaches the caller. */
  passThroughOnException(): void {}

  /** Resolves when no task is left, those included that tasks add. */
  async drained(): Promise<void> {
    while (this.#tasks !== undefined && this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  /** The caller is gone, or wants no result. */
  cancel(reason: unknown): void {
    // Without a listener there is nobody to tell, and later ones find the signal fired.
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }
}
