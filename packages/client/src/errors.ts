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

function describe(value: object, limits: Limits, sendStack: boolean): ExceptionDetail[] {
  const writer = new SegmentWriter(1024);
  try {
    writeThrown(writer, value, sendStack ? WITH_STACK : NO_HOST, limits.value);
    return [{ id: THROWN_VALUE_ID, data: writer.take() }];
  } catch {
    return [];
  }
}

/** What the caller catches. Everything that the callee raised is marked `remote`. */
export function fromException(error: RpcError, limits: Limits): unknown {
  const value = thrownValue(error, limits) ?? errorFromReason(error.message);
  if (typeof value !== "object" || value === null) return value;
  const marks: { [mark: string]: true } = {};
  if (error.remote) marks.remote = true;
  if (error.type === ExceptionType.disconnected) marks.retryable = true;
  if (error.type === ExceptionType.overloaded) marks.overloaded = true;
  return Object.isExtensible(value) ? Object.assign(value, marks) : value;
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
