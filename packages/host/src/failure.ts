// What went wrong where no caller is told.
import { errorText } from "./loader/error-text.ts";

/** Where an error came up that no caller was told of. */
export interface Failure {
  /** The Worker's name. */
  readonly worker: string;
  /** What failed, for people: `GET /path`, `a waitUntil() task`, `connect()`, `a disposer`. */
  readonly what: string;
}

/** Told of what goes wrong where no caller is told. Must not throw. */
export type FailureReporter = (error: unknown, failure: Failure) => void;

/** Prints a failure to standard error: `worker "x": GET /path failed: Error: …`, and where in the Worker's files. */
export const printFailure: FailureReporter = (error, { worker, what }) => {
  console.error(`worker "${worker}": ${what} failed: ${errorText(error)}`);
};
