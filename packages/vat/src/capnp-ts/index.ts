// Structs of capnp-ts as parameters and results. What peers send reaches capnp-ts only as a clean copy in one segment.
import { copyPointer, DEFAULT_LIMITS, readFlat, SegmentWriter } from "@capstan/wire";
import {
  Client,
  type ClientLike,
  Message,
  type Method as MethodOf,
  type Struct,
  type StructCtor,
  setInterfaceClient,
} from "capnp-ts";
import type { Capability } from "../capabilities/capability.ts";
import type { RpcError } from "../errors.ts";
import type { PayloadEncoder, ReceivedPayload } from "../payload.ts";
import { type Method, MethodCall } from "../structs/interface-client.ts";
import type { ServedCall, ServedMethod } from "../structs/interface-server.ts";
import type { StructSize } from "../structs/struct-builder.ts";

/** A capability of Capstan's where capnp-ts wants a client of its own. capnp-ts itself makes no calls on it. */
class CapabilityClient extends Client {
  readonly capability: Capability;
  /** Whether the reference goes with the struct, and is given back once that was sent. */
  readonly isOwned: boolean;

  constructor(capability: Capability, isOwned: boolean) {
    super({ tag: "broken", reason: "Calls to this capability are made with Capstan's callStruct." });
    this.capability = capability;
    this.isOwned = isOwned;
  }
}

/** Points pointer #`pointer` of `struct` to `cap`. Takes over the reference: it is given back once the struct was sent. */
export function setCapability(struct: Struct, pointer: number, cap: Capability): void {
  setInterfaceClient(pointer, new CapabilityClient(cap, true), struct);
}

/**
 * The capability that a field of an interface's type holds, with a reference for the caller; undefined where it is null.
 * Valid until the payload that it came in is released.
 */
export function capabilityOf(field: ClientLike): Capability | undefined {
  const client = field instanceof Client ? field : "client" in field ? field.client : undefined;
  return client instanceof CapabilityClient ? client.capability.addRef() : undefined;
}

/** Results as a struct of capnp-ts. Dispose of them when their capabilities are taken, or not wanted. */
export interface StructResults<T> extends Disposable {
  readonly struct: T;
}

/** A call in flight whose results are a struct of capnp-ts. */
export class StructCall<P extends Struct, R extends Struct> implements PromiseLike<StructResults<R>>, Disposable {
  readonly #call: MethodCall;
  readonly #ResultsClass: StructCtor<R>;

  constructor(target: Capability, method: MethodOf<P, R>, write: ((params: P) => void) | undefined) {
    const message = new Message();
    const params = message.initRoot(method.ParamsClass);
    write?.(params);
    this.#call = new MethodCall(target, layoutOf(method), messageEncoder, message);
    this.#ResultsClass = method.ResultsClass;
  }

  /** As `MethodCall.pipeline`. */
  pipeline(...pointers: number[]): Capability {
    return this.#call.pipeline(...pointers);
  }

  // biome-ignore lint/suspicious/noThenProperty: it is to be awaited.
  then<Yes = StructResults<R>, No = never>(
    onResults?: ((results: StructResults<R>) => Yes | PromiseLike<Yes>) | null,
    onError?: ((error: RpcError) => No | PromiseLike<No>) | null,
  ): Promise<Yes | No> {
    const results = this.#call.then(({ payload }) => {
      try {
        const struct = readStruct(payload, this.#ResultsClass);
        return { struct, [Symbol.dispose]: () => payload.release() };
      } catch (error) {
        payload.release();
        throw error;
      }
    });
    return results.then(onResults, onError);
  }

  cancel(): void {
    this.#call.cancel();
  }

  [Symbol.dispose](): void {
    this.cancel();
  }
}

/** Calls `method`, as capnp-ts describes it, of `target`. Borrows `target`. @param write fills the parameters. */
export function callStruct<P extends Struct, R extends Struct>(
  target: Capability,
  method: MethodOf<P, R>,
  write?: (params: P) => void,
): StructCall<P, R> {
  return new StructCall(target, method, write);
}

/** A method for an `InterfaceServer` whose handler takes parameters, and fills results, that are structs of capnp-ts. */
export function serveStruct<P extends Struct, R extends Struct>(
  method: MethodOf<P, R>,
  handle: (params: P, results: R, call: ServedCall) => void | Promise<void>,
): ServedMethod {
  return {
    method: layoutOf(method),
    async handle(call) {
      const message = new Message();
      const results = message.initRoot(method.ResultsClass);
      await handle(readStruct(call.params.payload, method.ParamsClass), results, call);
      if (!call.isAnswered) call.resultsFrom(messageEncoder, message);
    },
  };
}

/** The content of `payload` as a struct of capnp-ts: a copy, whose capabilities are there until the payload is released. */
export function readStruct<T extends Struct>(payload: ReceivedPayload, Ctor: StructCtor<T>): T {
  const writer = new SegmentWriter(payload.reader.end - payload.reader.start + 8);
  writer.view.setFloat64(0, 0);
  writer.length = 8;
  copyPointer(payload.reader, payload.content, writer, 0);
  const message = new Message(writer.bytes.slice(0, writer.length).buffer, false, true);
  message._capnp.capTable = Array.from({ length: payload.capCount }, (_, index) => {
    const cap = payload.cap(index);
    return cap === undefined ? null : new CapabilityClient(cap, false);
  });
  return message.getRoot(Ctor);
}

const messageEncoder: PayloadEncoder<Message> = {
  encode(out, message) {
    for (const client of message._capnp.capTable ?? []) {
      if (client instanceof CapabilityClient) out.addCapability(client.capability);
      else if (client === null) out.addNull();
      else throw new TypeError("A client of capnp-ts's own cannot be sent over a link of Capstan's.");
    }
    const reader = readFlat(new Uint8Array(message.toArrayBuffer()), DEFAULT_LIMITS);
    copyPointer(reader, reader.start, out.writer, out.at);
    for (const client of message._capnp.capTable ?? []) {
      if (client instanceof CapabilityClient && client.isOwned) client.capability.release();
    }
  },
};

function layoutOf<P extends Struct, R extends Struct>(method: MethodOf<P, R>): Method {
  const { interfaceId, methodId, ParamsClass, ResultsClass } = method;
  return { interfaceId, methodId, params: sizeOf(ParamsClass), results: sizeOf(ResultsClass) };
}

function sizeOf(Ctor: StructCtor<Struct>): StructSize {
  const { dataByteLength, pointerLength } = Ctor._capnp.size;
  return { dataWords: dataByteLength >>> 3, pointers: pointerLength };
}
