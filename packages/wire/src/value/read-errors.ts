// Bytes to errors: host tag 10, DOMExceptions, and the form in which V8 itself writes errors.
import {
  AGGREGATE_ERROR,
  CLASS_BY_KIND,
  type ErrorClass,
  HIDDEN_PROPERTIES,
  NAME_BY_KIND,
  NAMED_ERROR,
  SUPPRESSED_ERROR,
} from "./error-kinds.ts";
import type { ValueReader } from "./read.ts";
import * as Tag from "./tags.ts";

/** Non-enumerable on errors as the language makes them. */
const HIDDEN = new Set([...HIDDEN_PROPERTIES, "name", "message", "stack"]);

/** Kinds by the tag with which V8 names an error's prototype. */
const KIND_BY_V8_TAG = new Map([
  [0x45, 10], // E
  [0x52, 3], // R
  [0x46, 4], // F
  [0x53, 5], // S
  [0x54, 2], // T
  [0x55, 11], // U
]);
const V8_MESSAGE = 0x6d; // m
const V8_CAUSE = 0x63; // c
const V8_STACK = 0x73; // s
const V8_END = 0x2e; // .

/**
 * Reads what follows host tag 10. The error is known under its id before its properties are read: they may lead back
 * to it. Its stack is made here unless the peer sent one.
 */
export function readNativeError(input: ValueReader, id: number): Error {
  const kind = input.readVarint();
  const name = kind === NAMED_ERROR ? input.readStringValue() : undefined;
  const message = input.readValue();
  const error = input.register(id, makeError(kind, message));
  if (name !== undefined && name !== error.name) define(error, "name", name);
  readProperties(input, error);
  return error;
}

function readProperties(input: ValueReader, error: object): void {
  if (input.peekTag() !== Tag.OBJECT) throw input.failure("an error without properties");
  const properties = input.readValue() as Record<string, unknown>;
  for (const key of Object.keys(properties)) {
    const value = properties[key];
    if (key !== "stack" || typeof value === "string") define(error, key, value);
  }
}

/** Reads what follows host tag 8, or 67: then it is known under its id before its properties are read. */
export function readDomException(input: ValueReader, id: number, hasProperties: boolean): DOMException {
  const name = input.readString();
  const exception = input.register(id, new DOMException(input.readString(), name));
  const stack = input.readString();
  if (stack !== "") define(exception, "stack", stack);
  if (hasProperties) readProperties(input, exception);
  return exception;
}

/** Reads V8's own form. The stack in it was sent without anyone's asking, so it is not taken over. */
export function readV8Error(input: ValueReader): Error {
  const id = input.reserve();
  let kind = 1;
  let error: Error | undefined;
  for (;;) {
    const tag = input.readByte();
    if (tag === V8_STACK) {
      input.readStringValue();
      continue;
    }
    const named = KIND_BY_V8_TAG.get(tag);
    if (named !== undefined) {
      if (error !== undefined) throw input.failure("an error of two kinds");
      kind = named;
      continue;
    }
    if (tag === V8_MESSAGE) {
      if (error !== undefined) throw input.failure("an error of two messages");
      error = input.register(id, makeError(kind, input.readStringValue()));
      continue;
    }
    if (tag !== V8_CAUSE && tag !== V8_END) throw input.failure(`the unknown tag 0x${tag.toString(16)} of an error`);
    error ??= input.register(id, makeError(kind, undefined));
    if (tag === V8_END) return error;
    define(error, "cause", input.readValue());
  }
}

function makeError(kind: number, message: unknown): Error {
  const text = typeof message === "string" ? message : undefined;
  const error = construct(kind, text);
  if (text === undefined && message !== undefined) define(error, "message", message);
  // A class that this runtime lacks is an Error of its name.
  const name = NAME_BY_KIND.get(kind);
  if (name !== undefined && name !== error.name) define(error, "name", name);
  return error;
}

function construct(kind: number, message: string | undefined): Error {
  const Class = CLASS_BY_KIND.get(kind) ?? (Error as ErrorClass);
  // The other two take what they are about in front of the message; it comes with the properties.
  if (kind === AGGREGATE_ERROR) return new Class([], message);
  if (kind === SUPPRESSED_ERROR && Class !== Error) return new Class(undefined, undefined, message);
  return new Class(message);
}

function define(error: object, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, enumerable: !HIDDEN.has(key), configurable: true });
}
