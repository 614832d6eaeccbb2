// The realm of an application: its stubs and the objects that it passes by reference.
import { type Capability, LocalCapability, type ReceivedPayload } from "@capstan/vat";
import { type JsValueRef, type LimitOptions, type Limits, resolveLimits } from "@capstan/wire";
import { receiveBinding } from "./service/binding.ts";
import { PusherServer } from "./streams/pusher.ts";
import { keepSender } from "./streams/unkept.ts";
import { WritableServer } from "./streams/writable.ts";
import { makePromise, makeStub } from "./stubs/stub.ts";
import { PromiseServer, TargetServer } from "./targets/target-server.ts";
import { readAs } from "./values/incoming.ts";
import type { Realm, ReceivedBinding } from "./values/realm.ts";

/** A realm that keeps no account of what goes in and out. A host's invocations extend it by theirs. */
export class PlainRealm implements Realm {
  readonly limits: Limits;
  readonly sendStacks: boolean;

  constructor(limits: Limits, sendStacks = false) {
    this.limits = limits;
    this.sendStacks = sendStacks;
  }

  run<T>(code: () => T): T {
    return code();
  }

  stubFor(cap: Capability): Disposable & object {
    return makeStub(this, cap);
  }

  bindingFor(cap: Capability): ReceivedBinding {
    return receiveBinding(this, cap);
  }

  promiseFor(value: Capability, pipeline: Capability | undefined): Disposable & object {
    return makePromise(this, value, pipeline);
  }

  serve(target: object, dispose: (() => void) | undefined): Capability {
    return new LocalCapability(new TargetServer(this, target, this.#hold(dispose)), this.limits);
  }

  servePromise(promise: Promise<unknown>, dispose: (() => void) | undefined): Capability {
    return new LocalCapability(new PromiseServer(this, promise, this.#hold(dispose)), this.limits);
  }

  serveWritable(stream: WritableStream<unknown>): Capability {
    const read = (payload: ReceivedPayload, ref: JsValueRef): unknown => readAs(this, payload, ref);
    const letGo = keepSender(this, stream, (reason) => server.break(reason));
    const server: WritableServer = new WritableServer(this, stream, read, letGo);
    return new LocalCapability(server, this.limits);
  }

  servePushes(): Capability {
    return new LocalCapability(new PusherServer(this.limits), this.limits);
  }

  keepAlive(_handleAbort?: (reason: unknown) => void): () => void {
    return this.#hold(undefined);
  }

  /** An object is held from outside, or not any more. */
  protected handleServed(_held: boolean): void {}

  /** Counts an object as held; the result runs its disposer and counts it off. */
  #hold(dispose: (() => void) | undefined): () => void {
    this.handleServed(true);
    return () => {
      try {
        if (dispose !== undefined) this.run(dispose);
      } catch (error) {
        this.report(error);
      }
      this.handleServed(false);
    };
  }

  // A disposer that throws has nobody to tell, and must not harm the link that dropped its object.
  report(error: unknown): void {
    console.error("An RPC target's disposer threw:", error);
  }
}

/** The realm of an application. */
export function makeRealm(options?: LimitOptions | Limits, sendStacks?: boolean): Realm {
  return new PlainRealm(resolveLimits(options), sendStacks);
}
