// Serves any Cap'n Proto interface: handlers by interface id and method number.
import type { Capability, IncomingCall, Server } from "../capabilities/capability.ts";
import { RpcError } from "../errors.ts";
import { forwardEncoder, type PayloadEncoder, type ReceivedPayload } from "../payload.ts";
import { halvesOf, type Method } from "./interface-client.ts";
import { type StructBuilder, structEncoder } from "./struct-builder.ts";
import { StructView } from "./struct-view.ts";

/** Handles one method. Returning without results answers with an empty struct; throwing answers with an exception. */
export type MethodHandler = (call: ServedCall) => void | Promise<void>;

/** A method and who handles it. */
export interface ServedMethod {
  readonly method: Method;
  readonly handle: MethodHandler;
}

/** A call as its handler sees it. */
export class ServedCall {
  readonly #call: IncomingCall;
  readonly #params: ReceivedPayload;
  readonly #method: Method;
  #signal: AbortController | undefined;
  #isAnswered = false;

  constructor(call: IncomingCall, method: Method) {
    this.#call = call;
    this.#params = call.params;
    this.#method = method;
  }

  /** The parameters. Their capabilities are there until the call is answered: whoever keeps one takes it before. */
  get params(): StructView {
    return StructView.of(this.#params);
  }

  /** Aborted when the caller cancels the call, or is gone. */
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const controller = new AbortController();
      this.#signal = controller;
      this.#call.onCancel = () => controller.abort(RpcError.failed("The call was cancelled."));
    }
    return this.#signal.signal;
  }

  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** Answers. `write` fills the results; what it throws leaves the call unanswered. */
  results(write?: (results: StructBuilder) => void): void {
    this.resultsFrom(structEncoder, { size: this.#method.results, write });
  }

  /** The same with content that `encoder` writes. */
  resultsFrom<T>(encoder: PayloadEncoder<T>, content: T): void {
    this.#call.returnResults(encoder, content);
    this.#isAnswered = true;
  }

  fail(error: RpcError): void {
    this.#isAnswered = true;
    this.#call.returnException(error);
  }

  /**
   * A tail call: whatever `method` of `target` answers is the answer. No results are held here, and where `target` lives
   * with the caller they do not even pass through. Borrows `target`.
   *
   * @param write fills the parameters; default: those of this call.
   */
  tailCall(target: Capability, method: Method, write?: (params: StructBuilder) => void): void {
    const [high, low] = halvesOf(method.interfaceId);
    if (write === undefined) {
      target.tailCall(this.#call, high, low, method.methodId, forwardEncoder, this.#call.params);
    } else {
      target.tailCall(this.#call, high, low, method.methodId, structEncoder, { size: method.params, write });
    }
    this.#isAnswered = true;
  }
}

/**
 * An object with one interface or more. Calls begin in the order in which they arrive; handlers may overlap.
 *
 * States: held → let go (the last reference is gone, handlers may still run) → over (`onRelease` was told).
 */
export class InterfaceServer implements Server {
  /** By interface id and method number. */
  readonly #methods = new Map<string, ServedMethod>();
  readonly #onRelease: (() => void) | undefined;
  /** Handlers that run. */
  #running = 0;
  #isLetGo = false;

  /** @param onRelease told when nobody holds the object any more, and none of its handlers runs. */
  constructor(methods: readonly ServedMethod[], onRelease?: () => void) {
    for (const served of methods) this.#methods.set(keyOf(served.method.interfaceId, served.method.methodId), served);
    this.#onRelease = onRelease;
  }

  dispatch(call: IncomingCall): void {
    const interfaceId = (BigInt(call.interfaceHigh) << 32n) | BigInt(call.interfaceLow);
    const served = this.#methods.get(keyOf(interfaceId, call.methodId));
    if (served === undefined) {
      const name = `0x${interfaceId.toString(16).padStart(16, "0")}`;
      call.returnException(RpcError.unimplemented(`Method ${call.methodId} of interface ${name} is not implemented.`));
    } else void this.#run(served, call);
  }

  release(): void {
    this.#isLetGo = true;
    if (this.#running === 0) this.#onRelease?.();
  }

  async #run({ method, handle }: ServedMethod, incoming: IncomingCall): Promise<void> {
    const call = new ServedCall(incoming, method);
    this.#running++;
    try {
      await handle(call);
      if (!call.isAnswered) call.results();
    } catch (error) {
      if (!call.isAnswered) call.fail(RpcError.from(error));
    }
    if (--this.#running === 0 && this.#isLetGo) this.#onRelease?.();
  }
}

function keyOf(interfaceId: bigint, methodId: number): string {
  return `${interfaceId}/${methodId}`;
}
