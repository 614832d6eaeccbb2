// Arguments that are whole numbers.
import { availableParallelism } from "node:os";
import { InvalidArgumentError } from "commander";

const MAX_PROCESSES = 1_024;

/** Of digits alone: `Number` takes "" and "80.0" too. */
export function wholeNumber(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The argument of --port. */
export function parsePort(text: string): number {
  const port = wholeNumber(text);
  if (port === undefined || port > 65_535) throw new InvalidArgumentError("Not a port (0 to 65535).");
  return port;
}

/** The argument of --workers. */
export function parseProcesses(text: string): number {
  if (text === "auto") return availableParallelism();
  const count = wholeNumber(text);
  if (count === undefined || count < 1 || count > MAX_PROCESSES) {
    throw new InvalidArgumentError(`Not a number of processes (1 to ${MAX_PROCESSES}), nor "auto".`);
  }
  return count;
}
