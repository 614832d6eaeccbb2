// Errors as values: native ones under host tag 10, DOMExceptions under 8.
import { HIDDEN_PROPERTIES, KIND_BY_NAME, KIND_BY_PROTOTYPE, NAMED_ERROR } from "./error-kinds.ts";
import { FEW_PROPERTIES } from "./limits.ts";
import * as Tag from "./tags.ts";
import type { ValueWriter } from "./value-writer.ts";
import { writeStringValue } from "./write-strings.ts";

const hasOwn = Object.prototype.hasOwnProperty;
const isErrorOfRuntime = (Error as { isError?: (value: unknown) => boolean }).isError;

const FAILED = Symbol("a getter that threw");

/** Whether `object` was made as an error, as far as this runtime can tell. */
export function isNativeError(object: object): boolean {
  if (isErrorOfRuntime !== undefined) return isErrorOfRuntime(object);
  return Symbol.toStringTag in object || Object.prototype.toString.call(object) === "[object Error]";
}

/**
 * Writes kind, message and properties of a native error. Properties that cannot be read or written are left out.
 * `stack` is one of them only if the host asks for it.
 */
export function writeError(out: ValueWriter, error: object): void {
  const kind = kindOf(error);
  out.writeHostTag(Tag.HostTag.nativeError);
  out.writeVarint(kind);
  if (kind === NAMED_ERROR) {
    const name = read(error, "name");
    writeStringValue(out, typeof name === "string" ? name : "Error");
  }
  const message = read(error, "message");
  const inherited = message === "" && !hasOwn.call(error, "message");
  if (inherited || !attempt(out, () => out.writeValue(message))) out.writeByte(Tag.UNDEFINED);
  writePropertiesOf(out, error, propertiesOf(error, kind, out.host.sendStack === true));
}

/** Writes a plain object without those of its properties that cannot be read or written. */
export function writeRemnant(out: ValueWriter, object: object): void {
  out.objects.enter(object);
  out.descend();
  writeProperties(out, object, Object.keys(object));
  out.ascend();
}

/** The properties of an error are an object of their own to the reader, with an id and one level deeper. */
function writePropertiesOf(out: ValueWriter, error: object, keys: readonly string[]): void {
  out.objects.skip();
  out.descend();
  writeProperties(out, error, keys);
  out.ascend();
}

function writeProperties(out: ValueWriter, object: object, keys: readonly string[]): void {
  out.writeByte(Tag.OBJECT);
  let count = 0;
  for (const key of keys) {
    const write = (value: unknown): void =>
      out.withinLimits(() => {
        if (count >= FEW_PROPERTIES) out.chargeProperties(FEW_PROPERTIES + 1);
        writeStringValue(out, key);
        out.writeValue(value);
      });
    const value = read(object, key, FAILED);
    if (value === FAILED) continue;
    if (attempt(out, () => write(value)) || (key === "errors" && writeSome(out, value, write))) count++;
  }
  out.writeByte(Tag.OBJECT_END);
  out.writeVarint(count);
}

/** Writes those errors of an AggregateError that can be written. False where `errors` is something else. */
function writeSome(out: ValueWriter, errors: unknown, write: (errors: unknown[]) => void): boolean {
  if (!Array.isArray(errors)) return false;
  const kept = errors.filter((error) => {
    const mark = out.mark();
    const isWritten = attempt(out, () => out.withinLimits(() => out.writeValue(error)));
    if (isWritten) out.rollback(mark);
    return isWritten;
  });
  return attempt(out, () => write(kept));
}

/**
 * Writes name, message and stack (empty unless the host asks for it) of a DOMException; where it has more, a form that
 * properties follow.
 */
export function writeDomException(out: ValueWriter, exception: DOMException): void {
  const hidden = hasOwn.call(exception, "cause") && !Object.keys(exception).includes("cause") ? ["cause"] : [];
  const keys = [...hidden, ...Object.keys(exception).filter((key) => !DOM_EXCEPTION_PARTS.has(key))];
  out.writeHostTag(keys.length === 0 ? Tag.HostTag.domException : Tag.HostTag.fullDomException);
  out.writeString(exception.name);
  out.writeString(exception.message);
  const stack = out.host.sendStack === true ? read(exception, "stack") : "";
  out.writeString(typeof stack === "string" ? stack : "");
  if (keys.length > 0) writePropertiesOf(out, exception, keys);
}

const DOM_EXCEPTION_PARTS = new Set(["name", "message", "stack", "code"]);

/** A subclass has the kind of its inherited `name` if that is a native one; other names are its own. */
function kindOf(error: object): number {
  const kind = KIND_BY_PROTOTYPE.get(Object.getPrototypeOf(error));
  const ownName = hasOwn.call(error, "name");
  if (kind !== undefined) return kind === KIND_BY_NAME.get("Error") && ownName ? NAMED_ERROR : kind;
  const name = read(error, "name");
  if (ownName || typeof name !== "string") return NAMED_ERROR;
  return KIND_BY_NAME.get(name) ?? NAMED_ERROR;
}

function propertiesOf(error: object, kind: number, sendStack: boolean): string[] {
  const keys = Object.keys(error).filter(
    (key) => key !== "message" && key !== "stack" && (key !== "name" || kind !== NAMED_ERROR),
  );
  const hidden = HIDDEN_PROPERTIES.filter((key) => hasOwn.call(error, key) && !keys.includes(key));
  if (kind !== NAMED_ERROR && hasOwn.call(error, "name") && !keys.includes("name")) hidden.push("name");
  if (sendStack && typeof read(error, "stack") === "string") hidden.unshift("stack");
  return [...hidden, ...keys];
}

/** Runs `write`; what it wrote before it threw is dropped. */
function attempt(out: ValueWriter, write: () => void): boolean {
  const mark = out.mark();
  try {
    write();
    return true;
  } catch {
    out.rollback(mark);
    return false;
  }
}

function read(object: object, key: string, otherwise?: unknown): unknown {
  try {
    return (object as Record<string, unknown>)[key];
  } catch {
    return otherwise;
  }
}
