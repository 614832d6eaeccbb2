// The classes of promises and properties, for `instanceof`: only calls make them.

import type { RpcPromise as Promised } from "../types.ts";
import { coreOf } from "./brand.ts";
import { CallPromise } from "./call-promise.ts";
import { ReceivedPromise } from "./received-promise.ts";
import { Property } from "./stub.ts";

/** A call in flight: await it, or call what it will return without waiting. Disposing of it cancels the call. */
export type RpcPromise<T> = Promised<T>;

type Marker = abstract new () => object;

function marker(name: string, has: (core: unknown) => boolean): Marker {
  const refuse = (): never => {
    throw new TypeError("Illegal constructor");
  };
  Object.defineProperty(refuse, "name", { value: name });
  Object.defineProperty(refuse, Symbol.hasInstance, {
    value: (value: unknown): boolean =>
      ((typeof value === "object" && value !== null) || typeof value === "function") && has(coreOf(value)),
  });
  return refuse as unknown as Marker;
}

/** What a call returns. Cannot be constructed. */
export const RpcPromise = marker(
  "RpcPromise",
  (core) => core instanceof CallPromise || core instanceof ReceivedPromise,
);

/** What reading a property of a stub or promise gives. Cannot be constructed. */
export const RpcProperty = marker("RpcProperty", (core) => core instanceof Property);
