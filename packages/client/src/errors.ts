// JavaScript errors ↔ Cap'n Proto exceptions.
import { RpcError } from "@capstan/vat";
import {
  DecodeError,
  type ExceptionDetail,
  ExceptionType,
  type Limits,
  readValue,
  SegmentWriter,
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

/**
 * What goes on the wire for a thrown value: the value itself in the details, its text for peers that know no details.
 *
 * @param sendStack whether the caller gets the stacks of errors: they tell it of paths and code. Default false.
 */
export function toException(thrown: unknown, limits: Limits, sendStack = false): RpcError {
  if (thrown instanceof RpcError) return thrown;
  const value = typeof thrown === "object" && thrown !== null ? thrown : new Error(String(thrown));
  const error = value instanceof Error ? value : undefined;
  const kind = error !== undefined && NATIVE[error.name] !== undefined ? error.name : "Error";
  const reason = `jsg.${kind}: ${error?.message ?? "a value that is no Error was thrown"}`;
  const flags = value as { retryable?: unknown; overloaded?: unknown };
  const type =
    flags.overloaded === true
      ? ExceptionType.overloaded
      : flags.retryable === true
        ? ExceptionType.disconnected
        : ExceptionType.failed;
  return new RpcError(type, reason, { details: describe(value, limits, sendStack) });
}

function describe(value: object, limits: Limits, sendStack: boolean): ExceptionDetail[] {
  const writer = new SegmentWriter(1024);
  try {
    writeValue(writer, value, sendStack ? WITH_STACK : NO_HOST, limits.value);
  } catch {
    return [];
  }
  return [{ id: THROWN_VALUE_ID, data: writer.take() }];
}

/** What the caller catches. Everything that the callee raised is marked `remote`. */
export function fromException(error: RpcError, limits: Limits): unknown {
  const value = thrownValue(error, limits) ?? errorFromReason(error.message);
  if (typeof value !== "object" || value === null) return value;
  const marks: { [mark: string]: true } = {};
  if (error.remote || error.details.length > 0) marks.remote = true;
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
