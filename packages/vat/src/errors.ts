// What goes wrong between vats, as Cap'n Proto names it.
import { type Exception, type ExceptionDetail, ExceptionType } from "@capstan/wire";

const NO_DETAILS: readonly ExceptionDetail[] = Object.freeze([]);

/**
 * A Cap'n Proto exception: raised by this vat, or received from the peer.
 *
 * `message` is the exception's reason. What a JavaScript callee threw travels in `details`; turning that into
 * native errors is the business of whoever speaks JavaScript values (`@capstan/client`).
 */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly type: ExceptionType;
  readonly trace: string;
  readonly details: readonly ExceptionDetail[];
  /** True where the peer sent it, or a callee in this vat; false where this vat itself raised it. */
  readonly remote: boolean;

  constructor(
    type: ExceptionType,
    reason: string,
    options: Partial<Pick<RpcError, "trace" | "details" | "remote">> = {},
  ) {
    super(reason);
    this.type = type;
    this.trace = options.trace ?? "";
    this.details = options.details ?? NO_DETAILS;
    this.remote = options.remote ?? false;
  }

  static failed(reason: string): RpcError {
    return new RpcError(ExceptionType.failed, reason);
  }

  static overloaded(reason: string): RpcError {
    return new RpcError(ExceptionType.overloaded, reason);
  }

  static disconnected(reason: string): RpcError {
    return new RpcError(ExceptionType.disconnected, reason);
  }

  static unimplemented(reason: string): RpcError {
    return new RpcError(ExceptionType.unimplemented, reason);
  }

  /** As it arrived from the peer. */
  static received(exception: Exception): RpcError {
    return new RpcError(exception.type, exception.reason, {
      trace: exception.trace,
      details: exception.details,
      remote: true,
    });
  }

  /** As it goes on the wire. */
  toException(): Exception {
    return { type: this.type, reason: this.message, trace: this.trace, details: this.details };
  }

  /** Any thrown value as an RpcError; one that already is stays itself. */
  static from(cause: unknown): RpcError {
    if (cause instanceof RpcError) return cause;
    return RpcError.failed(cause instanceof Error ? cause.message : String(cause));
  }
}

/**
 * Runs code of others' whose failure is nobody's here to handle: what it throws is an uncaught error of its own, and
 * everything else goes on. Returns what it does, or undefined where it threw.
 */
export function runGuarded<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
    return undefined;
  }
}

/** The peer broke the protocol: the connection must be aborted with this reason. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}
