// A capability of this vat's by name that leads back to the peer who named it.
import type { RpcError } from "../errors.ts";
import type { PayloadEncoder } from "../payload.ts";
import { Capability, type IncomingCall, type PendingCall, type ReturnSink } from "./capability.ts";

/**
 * Hides where a capability leads. The peer named one of our exports, which by now is an import of its own: calls that
 * went the old way come here first, and then go back. Whoever took the short way from now on would overtake them, so it is
 * treated as an object of this vat. Calls take the way in between.
 */
export class LoopedCapability extends Capability {
  readonly #target: Capability;

  /** Takes over the reference. */
  constructor(target: Capability) {
    super();
    this.#target = target;
  }

  call<T>(
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    encoder: PayloadEncoder<T>,
    content: T,
    sink: ReturnSink,
  ): PendingCall {
    return this.#target.call(interfaceHigh, interfaceLow, methodId, encoder, content, sink);
  }

  deliver(call: IncomingCall): void {
    this.#target.deliver(call);
  }

  protected override get behind(): Capability {
    return this.#target;
  }

  override get brokenReason(): RpcError | undefined {
    return this.#target.brokenReason;
  }

  override whenBroken(listener: (error: RpcError) => void): () => void {
    return this.#target.whenBroken(listener);
  }

  protected dispose(): void {
    this.#target.release();
  }
}
