// hot path (bench: npm run bench). Serves an object: JsRpcTarget.call → property path → method → results.
import { type Capability, type IncomingCall, LocalCapability, RpcError, type Server } from "@capstan/vat";
import { JS_RPC_TARGET_ID_HIGH, JS_RPC_TARGET_ID_LOW, Operation, readCallParams } from "@capstan/wire";
import { toException } from "./errors.ts";
import { RpcTarget } from "./rpc-target.ts";
import { coreOf } from "./stub-brand.ts";
import { IncomingStubs, type Realm, resultEncoder } from "./values.ts";
import { RESERVED_ON_TARGETS, walk } from "./visibility.ts";

const CALL_METHOD = 0;

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
  readonly #receiver: Receiver;
  readonly #dispose: (() => void) | undefined;

  constructor(realm: Realm, target: object, dispose?: () => void) {
    this.#realm = realm;
    this.#receiver = { target, byPrototype: false, reserved: RESERVED_ON_TARGETS };
    this.#dispose = dispose;
  }

  dispatch(call: IncomingCall): void {
    void serveCall(call, this.#realm, () => this.#receiver);
  }

  release(): void {
    this.#dispose?.();
  }
}

/**
 * Answers one call. `receive` gives the object to call; what it throws becomes the call's error. The params' stubs are
 * disposed of once the method has settled. The promise never rejects, and resolves when the answer is out.
 */
export async function serveCall(call: IncomingCall, realm: Realm, receive: () => Receiver): Promise<void> {
  let stubs: IncomingStubs | undefined;
  try {
    if (
      call.interfaceHigh !== JS_RPC_TARGET_ID_HIGH ||
      call.interfaceLow !== JS_RPC_TARGET_ID_LOW ||
      call.methodId !== CALL_METHOD
    ) {
      call.returnException(RpcError.unimplemented("This object has no such interface or method."));
      return;
    }
    const { reader, content } = call.params;
    const params = readCallParams(reader, content, realm.limits);
    stubs = new IncomingStubs(call.params, realm, params.value?.externals ?? []);
    const args = params.value === undefined ? [] : stubs.read(params.value);
    const receiver = receive();
    const { value: found, owner } = walk(receiver.target, params.path, receiver.byPrototype, receiver.reserved);
    let value = found;
    if (params.operation === Operation.call) {
      if (typeof found !== "function") {
        throw new TypeError(`"${params.path.length === 0 ? "(this)" : params.path.join(".")}" is not a function.`);
      }
      const list = Array.isArray(args) ? args : [];
      const method = found as (...args: unknown[]) => unknown;
      value =
        receiver.invoke === undefined
          ? Reflect.apply(method, owner, list)
          : receiver.invoke(method, params.path.join("."), list);
    }
    sendResult(call, realm, await value);
  } catch (error) {
    call.returnException(toException(error, realm.limits));
  } finally {
    stubs?.dispose();
  }
}

/** Results that can be pipelined on carry a target that stands for them. */
function sendResult(call: IncomingCall, realm: Realm, value: unknown): void {
  const pipeline = pipelineFor(realm, value);
  try {
    call.returnResults(resultEncoder, { realm, value, pipeline, hasDisposer: false });
  } finally {
    pipeline?.release();
  }
}

function pipelineFor(realm: Realm, value: unknown): Capability | undefined {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  const core = coreOf(value);
  if (core !== undefined) return core.capability();
  if (typeof value === "function" || value instanceof RpcTarget) return realm.capabilityFor(value);
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  return new LocalCapability(new TargetServer(realm, value), realm.limits);
}
