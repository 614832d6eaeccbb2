// The receiving end of a stream: what a peer writes into. It answers a write once there is room for more.
import { type IncomingCall, type PayloadEncoder, RpcError, type Server } from "@capstan/vat";
import {
  BYTE_STREAM_END_METHOD,
  BYTE_STREAM_ID_HIGH,
  BYTE_STREAM_ID_LOW,
  BYTE_STREAM_WRITE_METHOD,
  DecodeError,
  type JsValueRef,
  type Limits,
  readBytesParams,
  readValueParams,
  VALUE_SINK_ABORT_METHOD,
  VALUE_SINK_ID_HIGH,
  VALUE_SINK_ID_LOW,
  VALUE_SINK_WRITE_METHOD,
  WATCHED_ID_HIGH,
  WATCHED_ID_LOW,
  writeNothing,
} from "@capstan/wire";
import { toException } from "../errors.ts";

const nothingEncoder: PayloadEncoder<undefined> = { encode: (out) => writeNothing(out.writer, out.at) };

/** Answers a call that returns nothing. */
export function acknowledge(call: IncomingCall): void {
  call.returnResults(nothingEncoder, undefined);
}

/** Whoever asked to hear that nothing more is wanted. */
export class Watchers {
  readonly #calls = new Set<IncomingCall>();
  #outcome: { readonly error: RpcError | undefined } | undefined;

  /** Takes over a call of `Watched.closed`. */
  add(call: IncomingCall): void {
    if (this.#outcome !== undefined) {
      answer(call, this.#outcome.error);
      return;
    }
    this.#calls.add(call);
    call.onCancel = () => {
      this.#calls.delete(call);
      acknowledge(call);
    };
  }

  /** Hands them over to the watched object's real place. */
  forwardTo(end: { deliver(call: IncomingCall): void }): void {
    for (const call of this.#calls) {
      call.onCancel = undefined;
      end.deliver(call);
    }
    this.#calls.clear();
  }

  /** Tells them, once: of an end, or of an error. */
  close(error?: RpcError): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = { error };
    for (const call of this.#calls) answer(call, error);
    this.#calls.clear();
  }
}

function answer(call: IncomingCall, error: RpcError | undefined): void {
  if (error === undefined) acknowledge(call);
  else call.returnException(error);
}

/** What a peer wrote: bytes (a view of the message), or a value that has not been read. */
export type Written = Uint8Array | JsValueRef;

/** Answers a call of ExternalPusher; false: it is of another interface. `servePush` is the one. */
export type ServePush = (call: IncomingCall, limits: Limits) => boolean;

/** What one write counts beside its bytes: many small ones cost memory too. In bytes. */
export const WRITE_OVERHEAD = 256;

/** What a write counts, in bytes. */
export function costOf(written: Written): number {
  return WRITE_OVERHEAD + (written instanceof Uint8Array ? written.length : written.end - written.start);
}

/** The error of a stream whose writer does not wait. */
export function tooMuchWaits({ maxStreamBytes }: Limits): RpcError {
  return RpcError.overloaded(`More than ${maxStreamBytes} bytes of this stream wait unread.`);
}

/** ByteStream, ValueSink and Watched, as messages arrive; and pushes, for what a chunk holds. A subclass answers each call that it is handed. */
export abstract class SinkServer implements Server {
  protected readonly limits: Limits;
  protected readonly watchers = new Watchers();

  readonly #servePush: ServePush;

  constructor(limits: Limits, servePush: ServePush) {
    this.limits = limits;
    this.#servePush = servePush;
  }

  dispatch(call: IncomingCall): void {
    try {
      this.#dispatch(call);
    } catch (error) {
      call.returnException(toException(error, this.limits));
    }
  }

  /** The writer let go of the stream: in order, or because it is lost. */
  abstract release(): void;

  protected abstract handleWrite(call: IncomingCall, written: Written): void;
  protected abstract handleEnd(call: IncomingCall): void;
  /** `call` is answered already. */
  protected abstract handleAbort(call: IncomingCall, reason: JsValueRef | undefined): void;

  #dispatch(call: IncomingCall): void {
    const { interfaceHigh, interfaceLow, methodId, params } = call;
    const { reader, content } = params;
    if (interfaceHigh === BYTE_STREAM_ID_HIGH && interfaceLow === BYTE_STREAM_ID_LOW) {
      if (methodId === BYTE_STREAM_WRITE_METHOD) return this.handleWrite(call, readBytesParams(reader, content));
      if (methodId === BYTE_STREAM_END_METHOD) return this.handleEnd(call);
    } else if (interfaceHigh === VALUE_SINK_ID_HIGH && interfaceLow === VALUE_SINK_ID_LOW) {
      const ref = readValueParams(reader, content, this.limits);
      if (methodId === VALUE_SINK_WRITE_METHOD) {
        if (ref === undefined) throw new DecodeError("a chunk without a value");
        return this.handleWrite(call, ref);
      }
      if (methodId === VALUE_SINK_ABORT_METHOD) {
        this.handleAbort(call, ref);
        return acknowledge(call);
      }
    } else if (interfaceHigh === WATCHED_ID_HIGH && interfaceLow === WATCHED_ID_LOW && methodId === 0) {
      return this.watchers.add(call);
    }
    if (this.#servePush(call, this.limits)) return;
    call.returnException(RpcError.unimplemented("A stream has no such interface or method."));
  }
}
