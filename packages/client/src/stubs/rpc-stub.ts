// new RpcStub(x): a stub for an object of one's own.
import { resolveLimits } from "@capstan/wire";
import { PlainRealm } from "../realm.ts";
import { RpcTarget } from "../targets/rpc-target.ts";
import type { RpcStub as Stub } from "../types.ts";
import { disposerOf } from "../values/by-reference.ts";
import { coreOf, type StubCore } from "./brand.ts";

const REFUSAL = "RpcStubs can only wrap plain objects, functions, and RpcTarget derivatives.";

/**
 * Without AsyncLocalStorage nobody knows which invocation makes a stub. So its object belongs to nobody until it is sent:
 * then to the invocation that sends it, which stays open for it.
 */
class NobodysRealm extends PlainRealm {
  readonly isNobodys = true;
}

let nobody: NobodysRealm | undefined;

/** Promises and properties have cores too. */
function isWhole(core: StubCore | undefined): boolean {
  return core !== undefined && core.send === undefined;
}

function wrap(target: unknown): object {
  if ((typeof target !== "object" && typeof target !== "function") || target === null) throw new TypeError(REFUSAL);
  const core = coreOf(target);
  if (core !== undefined) return core.realm.stubFor(core.capability());
  const isPlain = Object.getPrototypeOf(target) === Object.prototype;
  if (typeof target !== "function" && !isPlain && !(target instanceof RpcTarget)) throw new TypeError(REFUSAL);
  nobody ??= new NobodysRealm(resolveLimits());
  return nobody.stubFor(nobody.serve(target, disposerOf(target)));
}

/** A reference to an object or function, here or at the other end. Dispose of it when done. */
export type RpcStub<T> = Stub<T>;

/**
 * Makes a stub for an object of one's own: a plain object, a function, an RpcTarget or another stub. Calls through it
 * behave as over a link. The object's disposer runs when the last stub is gone.
 *
 * @throws TypeError for anything else.
 */
export const RpcStub = Object.defineProperty(
  function RpcStub(target: unknown): object {
    return wrap(target);
  },
  Symbol.hasInstance,
  {
    value: (value: unknown): boolean =>
      ((typeof value === "object" && value !== null) || typeof value === "function") && isWhole(coreOf(value)),
  },
) as unknown as new <T extends object>(
  target: T,
) => Stub<T>;
