// ExternalPusher: a peer brings streams and signals before the message that mentions them.
import {
  type Capability,
  type IncomingCall,
  LocalCapability,
  type PayloadEncoder,
  RpcError,
  type Server,
} from "@capstan/vat";
import {
  EXTERNAL_PUSHER_ID_HIGH,
  EXTERNAL_PUSHER_ID_LOW,
  EXTERNAL_PUSHER_PUSH_ABORT_SIGNAL_METHOD,
  EXTERNAL_PUSHER_PUSH_BYTE_STREAM_METHOD,
  type Limits,
  readCapabilityParams,
  SOURCE_FORWARD_TO_METHOD,
  SOURCE_ID_HIGH,
  SOURCE_ID_LOW,
  writePushResults,
} from "@capstan/wire";
import { PushedStream } from "./pushed-stream.ts";
import { PushedSignal } from "./signal.ts";
import { acknowledge } from "./sink-server.ts";

interface Pushed {
  readonly mentioned: Capability;
  readonly kept: Capability;
}

const pushEncoder: PayloadEncoder<Pushed> = {
  encode(out, { mentioned, kept }) {
    writePushResults(out.writer, out.at, out.addCapability(mentioned), out.addCapability(kept));
  },
};

/** What stands for a pushed stream or signal in a value: whoever reads the value takes it out. */
export class PushedSource implements Server {
  readonly pushed: PushedStream | PushedSignal;

  constructor(pushed: PushedStream | PushedSignal) {
    this.pushed = pushed;
  }

  dispatch(call: IncomingCall): void {
    const { interfaceHigh, interfaceLow, methodId, params } = call;
    const isForward = interfaceHigh === SOURCE_ID_HIGH && interfaceLow === SOURCE_ID_LOW;
    let end: Capability | undefined;
    try {
      if (isForward) end = params.cap(readCapabilityParams(params.reader, params.content));
    } catch {
      // Params that cannot be read name nothing.
    }
    if (end === undefined || methodId !== SOURCE_FORWARD_TO_METHOD) {
      call.returnException(RpcError.unimplemented("A pushed stream can only be mentioned, or forwarded."));
      return;
    }
    this.pushed.forwardTo(end.addRef());
    acknowledge(call);
  }

  release(): void {
    this.pushed.dropIfUntaken();
  }
}

/** What was pushed behind `cap`; undefined where it is not ours. */
export function pushedBehind(cap: Capability): PushedStream | PushedSignal | undefined {
  const end = cap.resolved;
  return end instanceof LocalCapability && end.server instanceof PushedSource ? end.server.pushed : undefined;
}

/** Answers `call` if it is one of ExternalPusher; false: it is of another interface. */
export function servePush(call: IncomingCall, limits: Limits): boolean {
  if (call.interfaceHigh !== EXTERNAL_PUSHER_ID_HIGH || call.interfaceLow !== EXTERNAL_PUSHER_ID_LOW) return false;
  if (call.methodId === EXTERNAL_PUSHER_PUSH_BYTE_STREAM_METHOD)
    answer(call, new PushedStream(limits, servePush), limits);
  else if (call.methodId === EXTERNAL_PUSHER_PUSH_ABORT_SIGNAL_METHOD) {
    answer(call, new PushedSignal(limits), limits);
  } else call.returnException(RpcError.unimplemented("This object takes no such thing."));
  return true;
}

function answer(call: IncomingCall, pushed: PushedStream | PushedSignal, limits: Limits): void {
  const mentioned = new LocalCapability(new PushedSource(pushed), limits);
  const kept = new LocalCapability(pushed, limits);
  call.returnResults(pushEncoder, { mentioned, kept });
  mentioned.release();
  kept.release();
}

/** An object that takes pushes and nothing else: what a vat without services offers as its bootstrap. */
export class PusherServer implements Server {
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  dispatch(call: IncomingCall): void {
    if (!servePush(call, this.#limits)) {
      call.returnException(RpcError.unimplemented("This object has no such interface or method."));
    }
  }
}
