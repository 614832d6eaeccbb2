// JavaScript errors ↔ Cap'n Proto exceptions.
import { RpcError } from "@capstan/vat";
import {
  DecodeError,
  type ExceptionDetail,
  ExceptionType,
  type Limits,
  readValue,
  SegmentWriter,
  writeThrown,
  writeValue,
} from "@capstan/wire";

/** Kind of exception detail that holds the thrown value, as workerd numbers it. */
const THROWN_VALUE_ID = 0xe8027292171b1646n;

const NO_HOST = {
  writeHostObject: () => false,
  readHostObject: (): never => {
    throw new DecodeError("an error holds a host object");
  },
};

const WITH_STACK = { ...NO_HOST, sendStack: true };

const NATIVE: { readonly [name: string]: (new (message: string) => Error) | undefined } = {
  __proto__: null as never,
  Error,
  TypeError,
  RangeError,
  ReferenceError,
  SyntaxError,
  EvalError,
  URIError,
};

/** The longest text that goes along for peers that know no details. */
const MAX_REASON_LENGTH = 16384;

/**
 * What goes on the wire for a thrown value: the value itself in the details, its text for peers that know no details.
 * Never throws, whatever reading the value does.
 *
 * @param sendStack whether the caller gets the stacks of errors: they tell it of paths and code. Default false.
 */
export function toException(thrown: unknown, limits: Limits, sendStack = false): RpcError {
  if (isRpcError(thrown)) return thrown;
  const value = typeof thrown === "object" && thrown !== null ? thrown : new Error(textOf(thrown));
  const name = read(value, "name");
  const message = read(value, "message");
  const isNamed = typeof name === "string" && NATIVE[name] !== undefined;
  const text = typeof message === "string" ? message : "A value that is no Error was thrown.";
  const type =
    read(value, "overloaded") === true
      ? ExceptionType.overloaded
      : read(value, "retryable") === true
        ? ExceptionType.disconnected
        : ExceptionType.failed;
  const reason = `jsg.${isNamed ? name : "Error"}: ${text.slice(0, MAX_REASON_LENGTH)}`;
  return new RpcError(type, reason, { details: describe(value, limits, sendStack), remote: true });
}

/** Like `toException`, for what a stream is cancelled or fails with: a primitive that can be sent stays what it is. */
export function toReason(reason: unknown, limits: Limits): RpcError {
  if (typeof reason === "object" ? reason !== null : typeof reason === "function") return toException(reason, limits);
  const text = String(reason).slice(0, MAX_REASON_LENGTH);
  const details = describe(reason, limits, false);
  return new RpcError(ExceptionType.failed, `jsg.Error: ${text}`, { details, remote: true });
}

function isRpcError(thrown: unknown): thrown is RpcError {
  try {
    return thrown instanceof RpcError;
  } catch {
    return false;
  }
}

/** The text of a primitive; of a function not its source. */
function textOf(thrown: unknown): string {
  return typeof thrown === "function" ? "A function was thrown." : String(thrown);
}

/** A property of what was thrown, which may run code of its own. */
function read(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function describe(value: unknown, limits: Limits, sendStack: boolean): ExceptionDetail[] {
  const writer = new SegmentWriter(1024);
  try {
    if (typeof value !== "object" || value === null) writeValue(writer, value, NO_HOST, limits.value);
    else writeThrown(writer, value, sendStack ? WITH_STACK : NO_HOST, limits.value);
    return [{ id: THROWN_VALUE_ID, data: writer.take() }];
  } catch {
    return [];
  }
}

/** What the caller catches. Everything that the callee raised is marked `remote`. */
export function fromException(error: RpcError, limits: Limits): unknown {
  const thrown = thrownValue(error, limits);
  const value = thrown === undefined ? errorFromReason(error.message) : thrown;
  const marks: Marks = {};
  if (error.remote) marks.remote = true;
  if (error.type === ExceptionType.disconnected) marks.retryable = true;
  if (error.type === ExceptionType.overloaded) marks.overloaded = true;
  return mark(value, marks);
}

type Marks = { remote?: true; retryable?: true; overloaded?: true };

/** Marks what a peer's stream failed with, or was aborted with. Primitives stay what they are. */
export function markRemote(reason: unknown): unknown {
  return mark(reason, { remote: true });
}

function mark(value: unknown, marks: Marks): unknown {
  return typeof value === "object" && value !== null && Object.isExtensible(value)
    ? Object.assign(value, marks)
    : value;
}

function thrownValue(error: RpcError, limits: Limits): unknown {
  const detail = error.details.find(({ id }) => id === THROWN_VALUE_ID);
  if (detail === undefined) return undefined;
  const { data } = detail;
  try {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    return readValue(data, view, 0, data.byteLength, NO_HOST, limits.value);
  } catch {
    return undefined;
  }
}

function errorFromReason(reason: string): Error {
  const match = /^(?:remote\.)?jsg\.(\w+): ([\s\S]*)$/.exec(reason);
  const Native = NATIVE[match?.[1] ?? "Error"] ?? Error;
  return new Native(match?.[2] ?? reason);
}

/** What sockets and WebSockets fail with whose other end is gone. */
export function connectionLost(): Error {
  return new Error("Network connection lost.");
}
