// Which objects go by reference, and what happens to them when nobody holds them any more.
import type { Capability } from "@capstan/vat";
import { isProxy } from "#platform";
import { coreOf } from "../stubs/brand.ts";
import { RpcTarget } from "../targets/rpc-target.ts";
import type { Realm } from "./realm.ts";

/**
 * The capability to send for an object that goes by reference; a new reference. Undefined: it does not.
 *
 * @param lends the sender keeps the object: one that has a `dup()` is duplicated, and the duplicate disposed of when the
 * receiver is done. What is returned goes over to the receiver as it is.
 */
export function capabilityFor(realm: Realm, object: object, lends: boolean): Capability | undefined {
  // A stub is passed on; the sender's own stays usable.
  const core = coreOf(object);
  if (core !== undefined) return core.capability();
  if (typeof object !== "function" && !(object instanceof RpcTarget)) {
    // A Proxy of a plain object: its traps are called where they are.
    if (!isProxy(object) || Object.getPrototypeOf(object) !== Object.prototype) return undefined;
  }
  const dup: unknown = lends ? Reflect.get(object, "dup") : undefined;
  const target: unknown = typeof dup === "function" ? Reflect.apply(dup, object, []) : object;
  if ((typeof target !== "object" && typeof target !== "function") || target === null) {
    throw new TypeError("The dup() method of an RPC target must return an object.");
  }
  return realm.serve(target, disposerOf(target));
}

/** The disposer of results that hold nothing: passing such a result on passes on no duty. */
export function nothingToDispose(): void {}

/** An object's own disposer, bound to it. */
export function disposerOf(object: object): (() => void) | undefined {
  const dispose: unknown = Reflect.get(object, Symbol.dispose);
  return typeof dispose === "function" && dispose !== nothingToDispose
    ? () => void Reflect.apply(dispose, object, [])
    : undefined;
}
