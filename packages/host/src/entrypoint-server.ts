// hot path (bench: npm run bench). Calls on an entrypoint: each is an invocation, once admitted.
import { isJsCall, type Receiver, serveCall, serveOther } from "@capstan/client/serving";
import { type IncomingCall, RpcError, type Server } from "@capstan/vat";
import {
  ExceptionType,
  SERVICE_CONNECT_METHOD,
  SERVICE_FETCH_METHOD,
  SERVICE_ID_HIGH,
  SERVICE_ID_LOW,
} from "@capstan/wire";
import { connectReceiver, fetchReceiver } from "./event-handlers.ts";
import { Invocation } from "./invocation.ts";
import type { Worker } from "./worker.ts";

/** What is called: a method or property, or one of the events that a service has methods for. */
type Event = "call" | "fetch" | "connect";

/** Each call is an invocation: a new ctx and a new instance, alive until the call is answered and its tasks are done. */
export class EntrypointServer implements Server {
  readonly #worker: Worker;
  readonly #exported: object;
  readonly #props: unknown;

  constructor(worker: Worker, exported: object, props: unknown) {
    this.#worker = worker;
    this.#exported = exported;
    this.#props = props;
  }

  dispatch(call: IncomingCall): void {
    const { admission, realm } = this.#worker;
    const event = isJsCall(call) ? "call" : eventOf(call);
    if (event === undefined) {
      serveOther(call, realm);
      return;
    }
    if (admission.isClosed && call.origin !== undefined) {
      call.returnException(refusal(ExceptionType.disconnected, "The host is shutting down."));
      return;
    }
    if (admission.tryEnter()) {
      this.#start(call, event);
      return;
    }
    let cancelled = false;
    call.onCancel = () => {
      cancelled = true;
      // At once, so that nothing of its params is kept while it goes on waiting.
      call.returnException(RpcError.failed("The call was cancelled."));
    };
    const start = (): void => (cancelled ? admission.leave() : this.#start(call, event));
    if (!admission.wait(start)) {
      const { maxWaitingInvocations } = realm.limits;
      call.returnException(refusal(ExceptionType.overloaded, `${maxWaitingInvocations} invocations wait already.`));
    }
  }

  #start(call: IncomingCall, event: Event): void {
    const invocation = new Invocation(this.#worker, this.#props, call);
    const receive = (): Receiver => this.#receive(invocation, event);
    invocation.run(() => serveCall(call, invocation, receive));
  }

  #receive(invocation: Invocation, event: Event): Receiver {
    const worker = this.#worker;
    const { ctx } = invocation;
    if (event === "call") return worker.receiver(this.#exported, ctx);
    if (event === "fetch") return fetchReceiver(this.#exported, ctx);
    return connectReceiver(worker, this.#exported, ctx, () => invocation.keepAlive());
  }
}

/** The callee's, for a caller in this process too. */
function refusal(type: ExceptionType, reason: string): RpcError {
  return new RpcError(type, reason, { remote: true });
}

function eventOf(call: IncomingCall): Event | undefined {
  if (call.interfaceHigh !== SERVICE_ID_HIGH || call.interfaceLow !== SERVICE_ID_LOW) return undefined;
  if (call.methodId === SERVICE_FETCH_METHOD) return "fetch";
  return call.methodId === SERVICE_CONNECT_METHOD ? "connect" : undefined;
}
