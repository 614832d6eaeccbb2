// hot path (bench: npm run bench). Serves an object: JsRpcTarget.call → property path → method → results.
import { type Capability, type IncomingCall, LocalCapability, RpcError, type Server } from "@capstan/vat";
import {
  ExceptionType,
  JS_RPC_TARGET_CALL_METHOD,
  JS_RPC_TARGET_ID_HIGH,
  JS_RPC_TARGET_ID_LOW,
  Operation,
  readCallParams,
} from "@capstan/wire";
import { toException } from "../errors.ts";
import { servePush } from "../streams/pusher.ts";
import { coreOf } from "../stubs/brand.ts";
import { UnreadBlobs } from "../values/blob.ts";
import { capabilityFor, type DisposerKeeper, disposerOf, onceSent, type SentDisposer } from "../values/by-reference.ts";
import { ResultContent, resultEncoder } from "../values/call.ts";
import { isGiven } from "../values/given-signal.ts";
import { IncomingObjects } from "../values/incoming.ts";
import type { Realm } from "../values/realm.ts";
import { RESERVED_ON_TARGETS, walk } from "./visibility.ts";

/** What a served object is to its calls. */
export interface Receiver {
  readonly target: unknown;
  /** Whether `target` shows its prototype's members though it is no RpcTarget: a class entrypoint. */
  readonly byPrototype: boolean;
  readonly reserved: ReadonlySet<string>;
  /** Calls the function that a path led to; undefined: plainly. Plain-object handlers differ. */
  readonly invoke?: ((method: (...args: unknown[]) => unknown, name: string, args: unknown[]) => unknown) | undefined;
}

/** Serves one object by reference until its last reference is gone. */
export class TargetServer implements Server {
  readonly #realm: Realm;
  readonly #receiver: Receiver & { readonly target: object };
  readonly #letGo: (() => void) | undefined;

  /** @param letGo runs when the last reference is gone; must not throw. */
  constructor(realm: Realm, target: object, letGo?: () => void) {
    this.#realm = realm;
    this.#receiver = { target, byPrototype: false, reserved: RESERVED_ON_TARGETS };
    this.#letGo = letGo;
  }

  /** The object, where its realm is nobody's. */
  get unowned(): object | undefined {
    return this.#realm.isNobodys === true ? this.#receiver.target : undefined;
  }

  dispatch(call: IncomingCall): void {
    if (isJsCall(call)) startServing(call, this.#realm, () => this.#receiver);
    else serveOther(call, this.#realm);
  }

  release(): void {
    this.#letGo?.();
  }
}

/** The object that `cap` stands for, where it belongs to nobody: one of `new RpcStub()`, or what came out of such a one. */
export function unownedBehind(cap: Capability): object | undefined {
  const end = cap.resolved;
  return end instanceof LocalCapability && end.server instanceof TargetServer ? end.server.unowned : undefined;
}

/** Serves the value of a promise, which its owner keeps: nothing in it goes over to whoever reads it. */
export class PromiseServer implements Server {
  readonly #realm: Realm;
  readonly #promise: Promise<unknown>;
  readonly #letGo: () => void;

  /** @param letGo runs when the last reference is gone; must not throw. */
  constructor(realm: Realm, promise: Promise<unknown>, letGo: () => void) {
    this.#realm = realm;
    this.#promise = promise;
    this.#letGo = letGo;
    // Whoever asks for the value is told of the failure; if nobody does, nobody minds.
    promise.catch(() => {});
  }

  dispatch(call: IncomingCall): void {
    const realm = this.#realm;
    if (!isJsCall(call)) {
      serveOther(call, realm);
      return;
    }
    this.#promise.then(
      (target) =>
        startServing(call, realm, () => ({ target, byPrototype: false, reserved: RESERVED_ON_TARGETS }), true),
      (error) => call.returnException(toException(error, realm.limits, realm.sendStacks)),
    );
  }

  release(): void {
    this.#letGo();
  }
}

/** Whether it is `JsRpcTarget.call`. */
export function isJsCall(call: IncomingCall): boolean {
  return (
    call.interfaceLow === JS_RPC_TARGET_ID_LOW &&
    call.interfaceHigh === JS_RPC_TARGET_ID_HIGH &&
    call.methodId === JS_RPC_TARGET_CALL_METHOD
  );
}

/** Every target takes streams and signals; there is no other interface. */
export function serveOther(call: IncomingCall, realm: Realm): void {
  if (servePush(call, realm.limits)) return;
  const reason = "This object has no such interface or method.";
  call.returnException(new RpcError(ExceptionType.unimplemented, reason, { remote: true }));
}

/** Answers one call as part of its realm. */
function startServing(call: IncomingCall, realm: Realm, receive: () => Receiver, lends = false): void {
  realm.run(() => serveCall(call, realm, receive, lends));
}

/**
 * Answers one call, whose params are laid out as those of `JsRpcTarget.call`. `receive` gives the object to call; what it
 * throws becomes the call's error. The params' stubs are disposed of once the method has settled. Never throws. What a
 * method returns at once is sent at once.
 *
 * @param lends the result's stubs stay with their owner; else they go over to the caller. Default false.
 */
export function serveCall(call: IncomingCall, realm: Realm, receive: () => Receiver, lends = false): void {
  let stubs: IncomingObjects | undefined;
  if (realm.handleCall?.(call, true) === false) return;
  try {
    const { reader, content } = call.params;
    const params = readCallParams(reader, content, realm.limits);
    stubs = new IncomingObjects(call.params, realm, params.value?.externals);
    const args = params.value === undefined ? [] : stubs.read(params.value);
    if (stubs.signals !== undefined) handOver(stubs.signals, args, realm);
    const value = runMethod(receive(), params.path, params.operation, args);
    const late = isThenable(value)
      ? returnLater(call, params.externalPusher, realm, value, lends)
      : sendResult(call, params.externalPusher, realm, value, lends);
    if (late !== undefined) {
      const received = stubs;
      cancelWith(call, value);
      late.then(
        () => finish(call, realm, received),
        (error) => fail(call, realm, received, error),
      );
      return;
    }
  } catch (error) {
    fail(call, realm, stubs, error);
    return;
  }
  finish(call, realm, stubs);
}

/** Tells the realm of the signals that are there to cancel the call. */
function handOver(signals: readonly AbortSignal[], args: unknown, realm: Realm): void {
  if (!Array.isArray(args)) return;
  for (const signal of signals) if (isGiven(signal, args)) realm.handleSignal?.(signal);
}

/** A call in flight that a method returned goes with the call that it answers. */
function cancelWith(call: IncomingCall, value: unknown): void {
  const core = isObject(value) ? coreOf(value) : undefined;
  if (core?.send === undefined) return;
  const onCancel = call.onCancel;
  call.onCancel = () => {
    onCancel?.();
    core.dispose();
  };
}

function runMethod(receiver: Receiver, path: readonly string[], operation: Operation, args: unknown): unknown {
  const { value, owner } = walk(receiver.target, path, receiver.byPrototype, receiver.reserved);
  if (operation !== Operation.call) return value;
  if (typeof value !== "function") {
    throw new TypeError(`"${path.length === 0 ? "(this)" : path.join(".")}" is not a function.`);
  }
  const list = Array.isArray(args) ? args : [];
  const method = value as (...args: unknown[]) => unknown;
  return receiver.invoke === undefined
    ? Reflect.apply(method, owner, list)
    : receiver.invoke(method, path.join("."), list);
}

async function returnLater(
  call: IncomingCall,
  externalPusher: number,
  realm: Realm,
  value: PromiseLike<unknown>,
  lends: boolean,
): Promise<void> {
  const late = sendResult(call, externalPusher, realm, await value, lends);
  if (late !== undefined) await late;
}

function fail(call: IncomingCall, realm: Realm, stubs: IncomingObjects | undefined, error: unknown): void {
  try {
    call.returnException(toException(error, realm.limits, realm.sendStacks));
  } finally {
    finish(call, realm, stubs);
  }
}

/** The call was answered. */
function finish(call: IncomingCall, realm: Realm, stubs: IncomingObjects | undefined): void {
  try {
    stubs?.dispose(true);
  } finally {
    realm.handleCall?.(call, false);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isObject(value) && typeof (value as { then?: unknown }).then === "function";
}

/** Results that can be pipelined on carry a target that stands for them. The stubs in them go over to the caller. */
function sendResult(
  call: IncomingCall,
  externalPusher: number,
  realm: Realm,
  value: unknown,
  lends: boolean,
): Promise<void> | undefined {
  if (!isObject(value)) {
    call.returnResults(resultEncoder, new ResultContent(call, externalPusher, realm, value, lends));
    return undefined;
  }
  const isPlain = Object.getPrototypeOf(value) === Object.prototype;
  const dispose = isPlain && !lends ? disposerOf(value) : undefined;
  const owned = isPlain && dispose === undefined ? undefined : new OwnedResult();
  const pipeline =
    owned === undefined
      ? realm.serve(value, undefined)
      : isPlain
        ? realm.serve(value, onceSent(dispose, owned))
        : capabilityFor(realm, value, lends, owned, lends ? undefined : call);
  const results = new ResultContent(call, externalPusher, realm, value, lends, pipeline, dispose !== undefined);
  try {
    returnObject(call, results, owned);
  } catch (error) {
    if (!(error instanceof UnreadBlobs)) {
      pipeline?.release();
      throw error;
    }
    return returnWhenRead(call, results, owned, error).finally(() => pipeline?.release());
  }
  pipeline?.release();
  return undefined;
}

/** The disposer of a result, which is the caller's to run once the result is on its way. */
class OwnedResult implements DisposerKeeper {
  #disposer: SentDisposer | undefined = undefined;

  keepDisposer(disposer: SentDisposer): void {
    this.#disposer = disposer;
  }

  handleSent(): void {
    this.#disposer?.handleSent();
  }
}

function returnObject(call: IncomingCall, results: ResultContent, owned: OwnedResult | undefined): void {
  call.returnResults(resultEncoder, results);
  owned?.handleSent();
  if (!results.lends && results.transferred !== undefined) for (const core of results.transferred) core.dispose();
}

/** Returns results that hold Blobs, once those are read. */
async function returnWhenRead(
  call: IncomingCall,
  results: ResultContent,
  owned: OwnedResult | undefined,
  unread: UnreadBlobs,
): Promise<void> {
  const kept = await unread.read();
  try {
    results.kept = kept;
    returnObject(call, results, owned);
  } finally {
    kept.release();
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
