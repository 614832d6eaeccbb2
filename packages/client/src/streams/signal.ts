// AbortSignals that go by reference: a peer's trigger aborts the copy here.
import { type Capability, DISCARD, type IncomingCall, type PayloadEncoder, RpcError, type Server } from "@capstan/vat";
import {
  ABORT_TRIGGER_ABORT_METHOD,
  ABORT_TRIGGER_ID_HIGH,
  ABORT_TRIGGER_ID_LOW,
  ABORT_TRIGGER_RELEASE_METHOD,
  ExceptionType,
  type Limits,
  readValueParams,
  WATCHED_CLOSED_METHOD,
  WATCHED_ID_HIGH,
  WATCHED_ID_LOW,
  writeNothing,
} from "@capstan/wire";
import { toException } from "../errors.ts";
import { plainEncoder, readPlainValue } from "../values/plain.ts";
import { Forward, leadsTo } from "./forward.ts";
import { ValueChunk } from "./sink-client.ts";
import { acknowledge, Watchers } from "./sink-server.ts";

const LOST = "The AbortSignal was received over RPC, and its sender is gone.";

const nothingEncoder: PayloadEncoder<undefined> = { encode: (out) => writeNothing(out.writer, out.at) };

/** The copy of a peer's signal, and the server of its trigger. States: waiting → over (aborted, released, or dropped). */
export class PushedSignal implements Server {
  readonly #controller = new AbortController();
  readonly #watchers = new Watchers();
  readonly #limits: Limits;
  #over = false;
  /** Runs the listeners of the copy; undefined: it was not taken. */
  #run: ((code: () => void) => void) | undefined;
  /** Where the signal is held, if that is elsewhere. */
  #forward: Forward | undefined;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @param run runs the code that listens to it. */
  take(run: (code: () => void) => void): AbortSignal {
    this.#run = run;
    return this.#controller.signal;
  }

  /** Nobody here holds the signal any more: its sender may forget us. */
  drop(): void {
    this.#over = true;
    this.#watchers.close();
  }

  /** The same where whoever sent it is gone, or has given up: code that goes on is told. */
  abandon(): void {
    this.#abort(new DOMException(LOST, "AbortError"));
  }

  dropIfUntaken(): void {
    if (this.#run === undefined && this.#forward === undefined) this.drop();
  }

  /** The signal is held in another vat: every call goes on to `end`. Takes over the reference. */
  forwardTo(end: Capability): void {
    if (this.#run !== undefined || this.#forward !== undefined || leadsTo(end, this)) {
      end.release();
    } else if (this.#over) {
      // What happened before is told once more.
      const { aborted, reason } = this.#controller.signal;
      if (aborted) callTrigger(end, ABORT_TRIGGER_ABORT_METHOD, plainEncoder(this.#limits), reason);
      else callTrigger(end, ABORT_TRIGGER_RELEASE_METHOD, nothingEncoder, undefined);
      end.release();
    } else {
      this.#forward = new Forward(end);
      this.#watchers.forwardTo(this.#forward);
    }
  }

  dispatch(call: IncomingCall): void {
    const forward = this.#forward;
    if (forward !== undefined) {
      forward.deliver(call);
      if (forward.isCircle && this.#forward === forward) {
        this.#forward = undefined;
        forward.release();
      }
      return;
    }
    const { interfaceHigh, interfaceLow, methodId } = call;
    if (interfaceHigh === ABORT_TRIGGER_ID_HIGH && interfaceLow === ABORT_TRIGGER_ID_LOW) {
      if (methodId === ABORT_TRIGGER_ABORT_METHOD) return this.#handleAbort(call);
      if (methodId === ABORT_TRIGGER_RELEASE_METHOD) {
        this.drop();
        return acknowledge(call);
      }
    } else if (
      interfaceHigh === WATCHED_ID_HIGH &&
      interfaceLow === WATCHED_ID_LOW &&
      methodId === WATCHED_CLOSED_METHOD
    ) {
      return this.#watchers.add(call);
    }
    call.returnException(RpcError.unimplemented("A trigger has no such interface or method."));
  }

  release(): void {
    const forward = this.#forward;
    this.#forward = undefined;
    forward?.release();
    if (forward === undefined) this.abandon();
  }

  #handleAbort(call: IncomingCall): void {
    try {
      const { reader, content } = call.params;
      const ref = readValueParams(reader, content, this.#limits);
      this.#abort(ref === undefined ? undefined : readPlainValue(ref, this.#limits));
      acknowledge(call);
    } catch (error) {
      call.returnException(toException(error, this.#limits));
    }
  }

  #abort(reason: unknown): void {
    if (this.#over) return;
    this.drop();
    const abort = (): void => this.#controller.abort(reason);
    if (this.#run === undefined) abort();
    else this.#run(abort);
  }
}

function callTrigger<T>(trigger: Capability, method: number, encoder: PayloadEncoder<T>, content: T): void {
  trigger.call(ABORT_TRIGGER_ID_HIGH, ABORT_TRIGGER_ID_LOW, method, encoder, content, DISCARD);
}

/** Pulls a peer's trigger when `signal` aborts, until the peer wants it no more. Takes over the reference. */
export function pullWhenAborted(
  signal: AbortSignal,
  trigger: Capability,
  valueEncoder: PayloadEncoder<ValueChunk>,
): void {
  const abort = (value: unknown): void =>
    callTrigger(trigger, ABORT_TRIGGER_ABORT_METHOD, valueEncoder, new ValueChunk(value));
  let done = false;
  const finish = (): void => {
    if (done) return;
    done = true;
    signal.removeEventListener("abort", pull);
    trigger.release();
  };
  const pull = (): void => {
    const reason: unknown = signal.reason;
    try {
      abort(reason);
    } catch {
      abort(new DOMException(String(reason), "AbortError"));
    }
    finish();
  };
  if (signal.aborted) {
    pull();
    return;
  }
  signal.addEventListener("abort", pull);
  trigger.call(WATCHED_ID_HIGH, WATCHED_ID_LOW, WATCHED_CLOSED_METHOD, nothingEncoder, undefined, {
    handleResults: (results) => {
      results.release();
      finish();
    },
    // A foreign peer that does not say when it is done is told for as long as the signal lives.
    handleException: (error) => {
      if (error.type !== ExceptionType.unimplemented) finish();
    },
  });
}
