// The native classes of errors and the numbers that host tag 10 has for them.

/** Kind 0: an Error with a name of its own, which follows. */
export const NAMED_ERROR = 0;
export const AGGREGATE_ERROR = 12;
export const SUPPRESSED_ERROR = 13;

/** Most take just a message. */
export type ErrorClass = new (...args: unknown[]) => Error;

/** Name, kind and class of each; no class where the runtime lacks it. */
const KINDS: readonly [name: string, kind: number, of: ErrorClass | undefined][] = (
  [
    ["Error", 1],
    ["TypeError", 2],
    ["RangeError", 3],
    ["ReferenceError", 4],
    ["SyntaxError", 5],
    ["EvalError", 10],
    ["URIError", 11],
    ["AggregateError", AGGREGATE_ERROR],
    ["SuppressedError", SUPPRESSED_ERROR],
  ] as const
).map(([name, kind]) => [name, kind, (globalThis as unknown as Record<string, ErrorClass | undefined>)[name]]);

export const KIND_BY_NAME: ReadonlyMap<string, number> = new Map(KINDS.map(([name, kind]) => [name, kind]));
export const NAME_BY_KIND: ReadonlyMap<number, string> = new Map(KINDS.map(([name, kind]) => [kind, name]));
export const CLASS_BY_KIND: ReadonlyMap<number, ErrorClass> = new Map(
  KINDS.flatMap(([, kind, of]): [number, ErrorClass][] => (of === undefined ? [] : [[kind, of]])),
);
export const KIND_BY_PROTOTYPE: ReadonlyMap<unknown, number> = new Map(
  KINDS.flatMap(([, kind, of]): [unknown, number][] => (of === undefined ? [] : [[of.prototype, kind]])),
);

/** Own properties that the language makes non-enumerable on errors. */
export const HIDDEN_PROPERTIES: readonly string[] = ["cause", "errors", "error", "suppressed"];
