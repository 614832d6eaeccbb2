// Arguments that are whole numbers.
import { InvalidArgumentError } from "commander";

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
