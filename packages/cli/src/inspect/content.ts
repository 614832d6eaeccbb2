// What params and results hold, in a few words.
import { inspect } from "node:util";
import { previewValue } from "@capstan/client/serving";
import {
  type CallMessage,
  type JsValueRef,
  Operation,
  type Payload,
  readBytesParams,
  readCallParams,
  readCallResults,
  readServiceParams,
  readValueParams,
  resolveLimits,
} from "@capstan/wire";

/** A value that is to be looked at is no larger. */
const LARGEST_VALUE = 64 * 1024;
const LIMITS = resolveLimits({ value: { maxBytes: LARGEST_VALUE, maxDepth: 64, maxObjects: 16 * 1024 } });
const LONGEST = 240;

const INSPECT = { depth: 4, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 16, maxStringLength: 100 };

/** What a call is about; "" where nothing is known of its method. @param method as `nameMethod` has it. */
export function contentOfCall(method: string, { params }: CallMessage): string {
  return describe(params, () => {
    const { reader, content } = params;
    switch (method) {
      case "JsRpcTarget.call":
      case "Service.fetch":
      case "Service.connect": {
        const { path, operation, value } = readCallParams(reader, content, LIMITS);
        const name = path.length === 0 ? "(target)" : path.join(".");
        if (operation === Operation.get) return name;
        return `${name}(${value === undefined ? "" : showArguments(value)})`;
      }
      case "Link.service": {
        const { name, entrypoint, props } = readServiceParams(reader, content, LIMITS);
        const shown = [JSON.stringify(name), JSON.stringify(entrypoint)];
        if (props !== undefined) shown.push(showValue(props));
        return `service(${shown.join(", ")})`;
      }
      case "ByteStream.write":
        return `write(${readBytesParams(reader, content).length} bytes)`;
      case "ValueSink.write":
      case "ValueSink.abort":
      case "AbortTrigger.abort": {
        const value = readValueParams(reader, content, LIMITS);
        return `${method.split(".")[1]}(${value === undefined ? "" : showValue(value)})`;
      }
      default:
        return undefined;
    }
  });
}

/** What a call of `method` returned. */
export function contentOfResults(method: string, results: Payload): string {
  return describe(results, () => {
    if (method !== "JsRpcTarget.call" && method !== "Service.fetch" && method !== "Service.connect") return undefined;
    const { value, hasDisposer } = readCallResults(results.reader, results.content, LIMITS);
    return `${value === undefined ? "nothing" : showValue(value)}${hasDisposer ? " with disposer" : ""}`;
  });
}

/** "" where there is nothing to say. */
function describe({ reader, content }: Payload, read: () => string | undefined): string {
  try {
    const text = content < 0 || reader.isNull(content) ? "empty" : read();
    return shorten(text ?? "");
  } catch (error) {
    return shorten(`unreadable: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function showArguments(ref: JsValueRef): string {
  const args = sizeOf(ref) > LARGEST_VALUE ? undefined : previewValue(ref, LIMITS);
  return Array.isArray(args) ? args.map(show).join(", ") : showValue(ref);
}

function showValue(ref: JsValueRef): string {
  return sizeOf(ref) > LARGEST_VALUE ? `[value of ${sizeOf(ref)} bytes]` : show(previewValue(ref, LIMITS));
}

function sizeOf({ start, end }: JsValueRef): number {
  return end - start;
}

function show(value: unknown): string {
  // Its stack is long, and for others.
  if (value instanceof Error) return `[${String(value.name)}: ${String(value.message)}]`;
  return inspect(value, INSPECT);
}

/** One line, not a long one. */
function shorten(text: string): string {
  const line = text.replaceAll(/\s*\n\s*/g, " ");
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`;
}

/** Replaces whatever would do something to a terminal: a peer chose the text. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
