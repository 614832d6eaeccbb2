// What went wrong in a measurement, counted by kind.

/**
 * How often each kind of error came. The kind is its name and the first line of its message. Those that differ in numbers or
 * UUIDs alone are one kind, which has "#" in their place.
 */
export type ErrorCounts = { [kind: string]: number };

/** Kinds kept apart; the rest is counted as one. */
const MAX_KINDS = 20;
const MAX_KIND_LENGTH = 160;
export const OTHER_ERRORS = "other errors";
/** The kinds of errors that no callee has thrown. */
export const TIMEOUT = "no answer in time";
export const WRONG_RESULT = "wrong result";

export function countError(counts: ErrorCounts, error: unknown, times = 1): void {
  const kind = kindIn(counts, kindOf(error));
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

/** What `kind` is counted as: itself, or what it has in common with another one. */
function kindIn(counts: ErrorCounts, kind: string): string {
  if (kind in counts) return kind;
  const common = withoutNumbers(kind);
  if (common in counts) return common;
  const other = Object.keys(counts).find((known) => withoutNumbers(known) === common);
  if (other === undefined) return kind;
  counts[common] = counts[other] ?? 0;
  delete counts[other];
  return common;
}

function withoutNumbers(kind: string): string {
  return kind.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+/gi, "#");
}

function kindOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return (text.split("\n", 1)[0] ?? "").slice(0, MAX_KIND_LENGTH);
}
