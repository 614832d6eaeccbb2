// What went wrong in a measurement, counted by kind.

/** How often each kind of error came; the kind is its name and the first line of its message. */
export type ErrorCounts = { [kind: string]: number };

/** Kinds kept apart; the rest is counted as one. */
const MAX_KINDS = 20;
const MAX_KIND_LENGTH = 160;
export const OTHER_ERRORS = "other errors";
/** The kinds of errors that no callee has thrown. */
export const TIMEOUT = "no answer in time";
export const WRONG_RESULT = "wrong result";

export function countError(counts: ErrorCounts, error: unknown, times = 1): void {
  const kind = kindOf(error);
  const known = kind in counts || Object.keys(counts).length < MAX_KINDS ? kind : OTHER_ERRORS;
  counts[known] = (counts[known] ?? 0) + times;
}

export function addErrors(counts: ErrorCounts, more: ErrorCounts): void {
  for (const [kind, times] of Object.entries(more)) countError(counts, kind, times);
}

export function totalErrors(counts: ErrorCounts): number {
  return Object.values(counts).reduce((sum, times) => sum + times, 0);
}

/** What a measurement says of which no call succeeded. */
export function noneSucceeded(counts: ErrorCounts): string {
  return `no call succeeded: ${Object.keys(counts).join("; ") || "none came back"}`;
}

function kindOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return (text.split("\n", 1)[0] ?? "").slice(0, MAX_KIND_LENGTH);
}
