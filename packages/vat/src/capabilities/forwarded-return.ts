// The outcome of a call that was made for another call: it is passed back as it came.
import { RpcError } from "../errors.ts";
import { forwardEncoder, type ReceivedPayload } from "../payload.ts";
import type { IncomingCall, ReturnSink } from "./capability.ts";

/** Answers `call` with whatever it is told. */
export class ForwardedReturn implements ReturnSink {
  readonly #call: IncomingCall;

  constructor(call: IncomingCall) {
    this.#call = call;
  }

  handleResults(results: ReceivedPayload): void {
    try {
      this.#call.returnResults(forwardEncoder, results);
    } catch (error) {
      this.#call.returnException(RpcError.from(error));
    } finally {
      results.release();
    }
  }

  handleException(error: RpcError): void {
    this.#call.returnException(error);
  }
}
