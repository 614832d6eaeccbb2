// Why a Worker's module couldn't be loaded, for the person who wrote it.

/**
 * A Worker can't be loaded: its code doesn't bundle (one line per mistake, `file:line:column: text`, files relative to
 * the folder of its configuration), it threw while it was imported (`cause` is what it threw), it didn't finish, or it
 * exports nothing that could be called.
 */
export class WorkerLoadError extends Error {
  override readonly name = "WorkerLoadError";
  /** The Worker's name in its configuration. */
  readonly worker: string;

  /** @param problem what goes on after `Worker "NAME" `. */
  constructor(worker: string, problem: string, options?: ErrorOptions) {
    super(`Worker "${worker}" ${problem}`, options);
    this.worker = worker;
  }
}
