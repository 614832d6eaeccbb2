// Which objects go by reference, and what happens to them when nobody holds them any more.
import type { Capability, IncomingCall } from "@capstan/vat";
import { isProxy } from "#platform";
import { coreOf, type StubCore } from "../stubs/brand.ts";
import { RpcTarget } from "../targets/rpc-target.ts";
import type { Realm } from "./realm.ts";

/** A disposer that does nothing until its object was sent: what could not be sent stays with its owner. */
export class SentDisposer {
  readonly #dispose: () => void;
  #isSent = false;

  constructor(dispose: () => void) {
    this.#dispose = dispose;
  }

  readonly run = (): void => {
    if (this.#isSent) this.#dispose();
  };

  handleSent(): void {
    this.#isSent = true;
  }
}

/** Collects the disposers of what is being sent. */
export interface DisposerKeeper {
  keepDisposer(disposer: SentDisposer): void;
}

/** `dispose` for an object that is being sent: it counts once `keeper` knows that the message is whole. */
export function onceSent(dispose: (() => void) | undefined, keeper: DisposerKeeper): (() => void) | undefined {
  if (dispose === undefined) return undefined;
  const disposer = new SentDisposer(dispose);
  keeper.keepDisposer(disposer);
  return disposer.run;
}

/**
 * The capability to send for an object that goes by reference; a new reference. Undefined: it does not.
 *
 * @param lends the sender keeps the object: one that has a `dup()` is duplicated, and the duplicate disposed of when the
 * receiver is done. What is returned goes over to the receiver as it is.
 * @param answered the call whose results give the object away.
 */
export function capabilityFor(
  realm: Realm,
  object: object,
  lends: boolean,
  keeper: DisposerKeeper,
  answered?: IncomingCall,
): Capability | undefined {
  // A stub is passed on; the sender's own stays usable.
  const core = coreOf(object);
  if (core !== undefined) return passedOn(realm, core, answered);
  if (typeof object !== "function" && !(object instanceof RpcTarget)) {
    // A Proxy of a plain object: its traps are called where they are.
    if (!isProxy(object) || Object.getPrototypeOf(object) !== Object.prototype) return undefined;
  }
  const dup: unknown = lends ? Reflect.get(object, "dup") : undefined;
  const target: unknown = typeof dup === "function" ? Reflect.apply(dup, object, []) : object;
  if ((typeof target !== "object" && typeof target !== "function") || target === null) {
    throw new TypeError("The dup() method of an RPC target must return an object.");
  }
  const dispose = disposerOf(target);
  // A duplicate was made for this message alone: it is disposed of also where that is not sent.
  return realm.serve(target, target === object ? onceSent(dispose, keeper) : dispose);
}

function passedOn(realm: Realm, core: StubCore, answered: IncomingCall | undefined): Capability {
  const cap = core.capability();
  return core.isService === true ? cap : (realm.passOn?.(cap, answered) ?? cap);
}

/** The disposer of results that hold nothing: passing such a result on passes on no duty. */
export function nothingToDispose(): void {}

/** Disposers of results that hold only streams and signals, which go over to whoever the result is passed on to. */
const ofStreams = new WeakSet<object>();

/** Marks `dispose` as one whose result can be passed on without any duty. */
export function passesOn<T extends () => void>(dispose: T): T {
  ofStreams.add(dispose);
  return dispose;
}

/** An object's own disposer, bound to it. */
export function disposerOf(object: object): (() => void) | undefined {
  const dispose: unknown = Reflect.get(object, Symbol.dispose);
  return typeof dispose === "function" && dispose !== nothingToDispose && !ofStreams.has(dispose)
    ? () => void Reflect.apply(dispose, object, [])
    : undefined;
}
