// Where the calls on a pushed stream or signal go on to, once it is held in another vat.
import { type Capability, type IncomingCall, LocalCapability, RpcError, type Server } from "@capstan/vat";

/** What a stream fails with that was forwarded to itself. */
export const CIRCLE = "A stream or signal was forwarded in a circle.";

/** Owns the reference until `release`. */
export class Forward {
  readonly end: Capability;
  /** True once a call came back to where it was passed on. */
  isCircle = false;
  #isDelivering = false;

  constructor(end: Capability) {
    this.end = end;
  }

  deliver(call: IncomingCall): void {
    if (this.#isDelivering) {
      this.isCircle = true;
      call.returnException(RpcError.failed(CIRCLE));
      return;
    }
    this.#isDelivering = true;
    try {
      this.end.deliver(call);
    } finally {
      this.#isDelivering = false;
    }
  }

  release(): void {
    this.end.release();
  }
}

/** Whether `end` is `server` itself, which would then hold itself for ever. */
export function leadsTo(end: Capability, server: Server): boolean {
  const { resolved } = end;
  return resolved instanceof LocalCapability && resolved.server === server;
}
