// Every bound of the project with its default, in one validated place.
import { DEFAULT_VALUE_LIMITS, type ValueLimits } from "./value/limits.ts";

/** Bounds on what a peer may send, on what waits, and on how long things take. Sizes in bytes, times in ms. */
export interface Limits {
  /** Bytes of one WebSocket frame, in either direction; of a packed one, of what is in it. Default 64 MiB. */
  readonly maxFrameBytes: number;
  /** Segments of one message. Default 511: Cap'n Proto's own implementation refuses 512. */
  readonly maxMessageSegments: number;
  /**
   * Words (8 bytes) that reading one message may visit, those visited twice counted twice; where it is copied (one of several
   * segments, or one that is passed on) each pointer counts for eight. Default 8 Mi.
   */
  readonly maxMessageWords: number;
  /** Pointers within one another that a copy of foreign structs follows. It recurses. Default 64. */
  readonly maxNesting: number;
  /** Steps from an answer's content to the capability that a call is pipelined on. Default 64. */
  readonly maxTransformLength: number;
  /** Property names in the path of one call. Default 64. */
  readonly maxPathLength: number;
  /** Entries of one message's cap table. Default 16,384. */
  readonly maxCapTable: number;
  /** Bounds on one value: arguments or a result. */
  readonly value: ValueLimits;
  /** Calls of ours on one link that wait for their answers; more are refused. Default 1,000,000. */
  readonly maxQuestions: number;
  /** Answers that a peer may hold open on one link; more end it. Default 65,536. */
  readonly maxAnswers: number;
  /** Capabilities of ours that a peer may hold on one link. Default 1,000,000. */
  readonly maxExports: number;
  /** Capabilities of a peer's that one link may hold; more end it. Default 1,000,000. */
  readonly maxImports: number;
  /** Calls of a peer's on one link that wait for our answers; more are refused as overloaded. Default 16,384. */
  readonly maxCallsInFlight: number;
  /**
   * Bytes of a peer's calls on one link that wait for our answers, and of results that the peer leaves here for another of
   * its answers; more are refused as overloaded. Default 64 MiB.
   */
  readonly maxCallBytesInFlight: number;
  /** Bytes that wait for a link to open; then calls are refused as overloaded. Default 16 MiB. */
  readonly maxQueuedBytes: number;
  /**
   * Bytes that wait on an open link for the network; then calls are refused as overloaded. Past twice as many the link ends
   * when more is to be sent, or comes. Default 64 MiB.
   */
  readonly maxBufferedBytes: number;
  /** Time for a link to open. Default 10,000 ms. */
  readonly connectTimeoutMs: number;
  /** Time between two pings on a link; one that stays unanswered for as long ends it. 0: none. Default 30,000 ms. */
  readonly heartbeatMs: number;
  /** Time that calls and background tasks get to finish when a host stops. Default 30,000 ms. */
  readonly gracePeriodMs: number;
  /** Time that `waitUntil` tasks get after their caller is gone. Default 30,000 ms. */
  readonly waitUntilTimeoutMs: number;
  /** Links that a host has at the same time; more are refused with 503. Default 10,000. */
  readonly maxLinks: number;
  /** Invocations that a host runs at the same time; more wait. Default 10,000. */
  readonly maxConcurrentInvocations: number;
  /** Invocations that wait to run; more are refused as overloaded. Default 10,000. */
  readonly maxWaitingInvocations: number;
  /** Bytes of one stream that are on their way and unread before its writer has to wait. Default 256 KiB. */
  readonly streamWindowBytes: number;
  /** Bytes of one stream that wait here to be read; a peer that sends more breaks the stream. Default 16 MiB. */
  readonly maxStreamBytes: number;
  /** Redirects that one fetch follows. Default 20. */
  readonly maxRedirects: number;
}

/** Limits to change: each one left out has its default. */
export type LimitOptions = Partial<Omit<Limits, "value">> & { readonly value?: Partial<ValueLimits> | undefined };

interface Range {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
/** Timers of JavaScript run at once past this. */
const MAX_MS = 2 ** 31 - 1;
const MAX_IDS = 2 ** 30;

function range(byDefault: number, min: number, max: number): Range {
  return { default: byDefault, min, max };
}

const RANGES: { readonly [Key in Exclude<keyof Limits, "value">]: Range } = {
  maxFrameBytes: range(64 * MIB, KIB, 1024 * MIB),
  maxMessageSegments: range(511, 1, 511),
  maxMessageWords: range(8 * MIB, 128, 1024 * MIB),
  maxNesting: range(64, 1, 1000),
  maxTransformLength: range(64, 1, 65_536),
  maxPathLength: range(64, 1, 65_536),
  maxCapTable: range(16_384, 1, MAX_IDS),
  maxQuestions: range(1_000_000, 1, MAX_IDS),
  maxAnswers: range(65_536, 1, MAX_IDS),
  maxExports: range(1_000_000, 1, MAX_IDS),
  maxImports: range(1_000_000, 1, MAX_IDS),
  maxCallsInFlight: range(16_384, 1, MAX_IDS),
  maxCallBytesInFlight: range(64 * MIB, 0, Number.MAX_SAFE_INTEGER),
  maxQueuedBytes: range(16 * MIB, 0, Number.MAX_SAFE_INTEGER),
  maxBufferedBytes: range(64 * MIB, KIB, Number.MAX_SAFE_INTEGER),
  connectTimeoutMs: range(10_000, 1, MAX_MS),
  heartbeatMs: range(30_000, 0, MAX_MS),
  gracePeriodMs: range(30_000, 0, MAX_MS),
  waitUntilTimeoutMs: range(30_000, 0, MAX_MS),
  maxLinks: range(10_000, 1, MAX_IDS),
  maxConcurrentInvocations: range(10_000, 1, MAX_IDS),
  maxWaitingInvocations: range(10_000, 0, MAX_IDS),
  streamWindowBytes: range(256 * KIB, 1, 1024 * MIB),
  maxStreamBytes: range(16 * MIB, KIB, 1024 * MIB),
  maxRedirects: range(20, 0, 1000),
};

const VALUE_RANGES: { readonly [Key in keyof ValueLimits]: Range } = {
  // A list of bytes counts them in 29 bits.
  maxBytes: range(DEFAULT_VALUE_LIMITS.maxBytes, 16, 2 ** 29 - 1),
  maxDepth: range(DEFAULT_VALUE_LIMITS.maxDepth, 1, 2000),
  maxObjects: range(DEFAULT_VALUE_LIMITS.maxObjects, 8, 1024 * MIB),
  maxBigIntBytes: range(DEFAULT_VALUE_LIMITS.maxBigIntBytes, 8, 128 * MIB),
  maxRegExpLength: range(DEFAULT_VALUE_LIMITS.maxRegExpLength, 1, 512 * MIB),
};

/**
 * All limits, those in `options` instead of their defaults; frozen. A key that is there but undefined counts as
 * left out. Throws TypeError for unknown keys and what is no number, RangeError for numbers out of range.
 */
export function resolveLimits(options: LimitOptions = {}): Readonly<Limits> {
  const { value, ...numbers } = requireObject(options, "limits") as LimitOptions;
  const limits = resolve(RANGES, numbers, "");
  const valueLimits = resolve(VALUE_RANGES, value === undefined ? {} : requireObject(value, "value"), "value.");
  return Object.freeze({ ...limits, value: Object.freeze(valueLimits) });
}

/** What holds where nothing else was asked for. */
export const DEFAULT_LIMITS: Readonly<Limits> = resolveLimits();

function resolve<Key extends string>(
  ranges: { readonly [K in Key]: Range },
  given: { readonly [key: string]: unknown },
  prefix: string,
): { [K in Key]: number } {
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(ranges, key)) throw new TypeError(`Unknown limit "${prefix}${key}".`);
  }
  const resolved: { [key: string]: number } = {};
  for (const [key, bounds] of Object.entries<Range>(ranges)) {
    resolved[key] = given[key] === undefined ? bounds.default : check(prefix + key, given[key], bounds);
  }
  return resolved as { [K in Key]: number };
}

function check(name: string, value: unknown, { min, max }: Range): number {
  if (typeof value !== "number") throw new TypeError(`Limit "${name}" must be a number, not ${describe(value)}.`);
  if (!Number.isInteger(value)) throw new RangeError(`Limit "${name}" must be an integer, not ${value}.`);
  if (value < min || value > max) {
    throw new RangeError(`Limit "${name}" must be from ${min} to ${max}, not ${value}.`);
  }
  return value;
}

function requireObject(value: unknown, what: string): { readonly [key: string]: unknown } {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as { readonly [key: string]: unknown };
  }
  throw new TypeError(`${what === "limits" ? "Limits" : `Limit "${what}"`} must be an object, not ${describe(value)}.`);
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "string" ? JSON.stringify(value) : `a value of type ${typeof value}`;
}
