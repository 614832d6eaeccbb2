// hot path (bench: npm run bench). Which properties of an object its caller may see, and the words in which everything else is refused.

import { isStub } from "../stubs/brand.ts";
import { RpcTarget } from "./rpc-target.ts";

/** Never callable on any target. */
export const RESERVED_ON_TARGETS: ReadonlySet<string> = new Set(["dup", "constructor"]);
/** Never callable on a class entrypoint. */
export const RESERVED_ON_ENTRYPOINTS: ReadonlySet<string> = new Set([
  ...["fetch", "connect", "alarm", "webSocketMessage", "webSocketClose", "webSocketError", "dup", "constructor"],
]);

function notImplemented(name: string): TypeError {
  return new TypeError(`The RPC receiver does not implement the method "${name}".`);
}

function isPlain(object: object): boolean {
  return Object.getPrototypeOf(object) === Object.prototype;
}

/** Property `name` of `target`, where its caller may see it. */
export function readProperty(target: unknown, name: string, byPrototype: boolean): unknown {
  if (name === "__proto__") throw notImplemented(name);
  if ((typeof target !== "object" && typeof target !== "function") || target === null) throw notImplemented(name);
  if (isStub(target)) return Reflect.get(target, name);
  if (byPrototype || target instanceof RpcTarget) {
    // Own properties of an instance are its private matter.
    if (Object.hasOwn(target, name)) throw notImplemented(name);
    const value: unknown = Reflect.get(target, name);
    if (value === undefined || value === Reflect.get(Object.prototype, name)) throw notImplemented(name);
    return value;
  }
  if ((typeof target === "function" || isPlain(target)) && Object.hasOwn(target, name))
    return Reflect.get(target, name);
  throw notImplemented(name);
}

/** Where a path ends: the value there, and the object that it was read from. */
export interface Found {
  readonly value: unknown;
  readonly owner: unknown;
}

/**
 * Walks `path` from `target`. Throws TypeError with the runtime's own words where it leads nowhere.
 *
 * @param byPrototype whether `target` itself is a class instance that shows its prototype's members, as entrypoints do.
 */
export function walk(
  target: unknown,
  path: readonly string[],
  byPrototype: boolean,
  reserved: ReadonlySet<string>,
): Found {
  let value = target;
  let owner: unknown;
  for (let depth = 0; depth < path.length; depth++) {
    const name = path[depth] as string;
    if ((depth === 0 ? reserved : RESERVED_ON_TARGETS).has(name)) {
      throw new TypeError(`'${name}' is a reserved method and cannot be called over RPC.`);
    }
    owner = value;
    value = readProperty(value, name, byPrototype && depth === 0);
  }
  return { value, owner };
}
