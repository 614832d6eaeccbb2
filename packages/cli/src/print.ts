// Values and errors as the command prints them.
import { inspect, isDeepStrictEqual } from "node:util";
import { RpcStub } from "@capstan/client";

/** How a stub looks in a result: what stands behind it is at the other end. */
const STUB = { [inspect.custom]: () => "[RpcStub]" };

/** A result as text: JSON where that says everything, else inspected. Stubs in it are replaced. */
export function resultText(result: unknown): string {
  const value = withoutStubs(result, new Set());
  return jsonText(value) ?? inspect(value, { depth: 8 });
}

/** What was thrown, in one line where it is an Error. */
export function thrownText(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : inspect(thrown, { depth: 8 });
}

/** Undefined where JSON cannot say it: cycles, bigints, dates, undefined and more. */
function jsonText(value: unknown): string | undefined {
  try {
    const json = JSON.stringify(value);
    return json !== undefined && isDeepStrictEqual(JSON.parse(json), value) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** Changes the result in place: nobody else has it. */
function withoutStubs(value: unknown, seen: Set<unknown>): unknown {
  if (value instanceof RpcStub) return STUB;
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || seen.has(value)) return value;
  seen.add(value);
  if (value instanceof Map) {
    const entries = [...value];
    value.clear();
    for (const [key, item] of entries) value.set(withoutStubs(key, seen), withoutStubs(item, seen));
  } else if (value instanceof Set) {
    const items = [...value];
    value.clear();
    for (const item of items) value.add(withoutStubs(item, seen));
  } else {
    for (const key of Object.keys(value)) Reflect.set(value, key, withoutStubs(Reflect.get(value, key), seen));
  }
  return value;
}
