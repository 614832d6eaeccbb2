// What a capability is to the engine: something that takes calls, wherever it lives.
import { RpcError } from "../errors.ts";
import type { PayloadEncoder, ReceivedPayload } from "../payload.ts";
import { ForwardedReturn } from "./forwarded-return.ts";
import { InTurn } from "./in-turn.ts";

/** Receives the outcome of a call: exactly one of the two, once, and never while the call is still being made. */
export interface ReturnSink {
  /** The payload now belongs to the sink, which releases it. */
  handleResults(results: ReceivedPayload): void;
  handleException(error: RpcError): void;
}

/** A call that was made. */
export interface PendingCall {
  /**
   * The capability that pointer fields `transform` of the results will hold, usable at once. The reference belongs to
   * the caller. Works until the outcome has reached the sink.
   */
  pipeline(transform: readonly number[]): Capability;
  /** The sink wants no outcome any more: tells the callee, and calls the sink no more. No effect once the sink was called. */
  cancel(): void;
}

/** The connection that a call came over. */
export interface CallOrigin {
  /** Runs `listener` once when the connection ends. Returns how to take it off again. */
  whenClosed(listener: (error: RpcError) => void): () => void;
  /** Whether `cap` is an object of the peer's, as far as this vat knows. */
  reaches(cap: Capability): boolean;
  /** What the peer offers as its bootstrap capability, usable at once. The reference belongs to whoever asked. */
  peerBootstrap(): Capability;
}

/** A call that arrived, as its callee sees it. Answer it exactly once; a second answer is dropped. */
export interface IncomingCall {
  /** Upper and lower half of the interface id, unsigned. */
  readonly interfaceHigh: number;
  readonly interfaceLow: number;
  readonly methodId: number;
  /**
   * Released by the engine when the call is answered, and empty from then on: whoever needs the payload longer keeps it, and
   * takes references of its capabilities.
   */
  readonly params: ReceivedPayload;
  /** The connection that it came over; undefined for a call from within this vat. */
  readonly origin: CallOrigin | undefined;
  /** Called once when the caller cancels the call or is gone before it was answered; soon, where that was before it is set. */
  onCancel: (() => void) | undefined;
  /** True where the caller gave up before the call reached its callee, and nothing was built on it: it need not run. */
  readonly isPointless: boolean;
  /** Encodes and sends the results. When `encoder` throws, nothing was sent and the call is still to be answered. */
  returnResults<T>(encoder: PayloadEncoder<T>, content: T): void;
  returnException(error: RpcError): void;
  /**
   * The call was made again as `onward`, whose outcome is still to be passed back: what was or will be pipelined on this
   * one is pipelined on that one, and cancelling goes on to it.
   */
  forwardTo(onward: PendingCall): void;
}

/** What runs behind a capability of this vat. Calls arrive in the order in which they were made. */
export interface Server {
  /** Takes over the call. Must not throw. */
  dispatch(call: IncomingCall): void;
  /** The last reference is gone. What this throws is an uncaught error of its own. */
  release?(): void;
}

/** What a capability lets go of may be the last reference to the next one. */
let disposals: InTurn<Capability>;

/**
 * A peer decides how long promises go on to lead to others, and each one on the way is kept. Where they make a circle of which
 * no vat sees the whole, it goes round as often, at the cost of vats that did nothing.
 */
const MAX_HOPS = 64;

/** Promises that led to one, one after the other. Few have any. */
const hops = new WeakMap<Capability, number>();

/**
 * A reference-counted handle on an object somewhere. Born with one reference, which belongs to its maker.
 *
 * States: held (count ≥ 1) → dropped (count 0, `dispose` has run). A dropped capability takes no calls.
 */
export abstract class Capability implements Disposable {
  #references = 1;

  /** Takes another reference. */
  addRef(): this {
    this.#references++;
    return this;
  }

  /** Gives one reference back; the last one lets go of the object. */
  release(): void {
    if (--this.#references === 0) disposals.run(this);
  }

  /** The same for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }

  static {
    disposals = new InTurn((capability) => capability.dispose());
  }

  /**
   * Makes a call. May throw what `encoder` throws: then no call was made. Every other failure reaches the sink.
   * The content is encoded before this returns.
   */
  abstract call<T>(
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    encoder: PayloadEncoder<T>,
    content: T,
    sink: ReturnSink,
  ): PendingCall;

  /** Passes on a call that came from elsewhere. Takes it over. */
  abstract deliver(call: IncomingCall): void;

  /**
   * A tail call: answers `call` with the outcome of a call made here. Takes `call` over. May throw what `encoder` throws:
   * then `call` is still to be answered. Where this lives with the caller itself, the results never come this way.
   */
  tailCall<T>(
    call: IncomingCall,
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    encoder: PayloadEncoder<T>,
    content: T,
  ): void {
    const sink = new ForwardedReturn(call);
    call.forwardTo(this.call(interfaceHigh, interfaceLow, methodId, encoder, content, sink));
  }

  /** What this stands for by now: itself, or what a promise resolved to, followed to the end. Borrowed. */
  get resolved(): Capability {
    const { next } = this;
    if (next === undefined) return this;
    return next.next === undefined ? next : this.#follow();
  }

  /**
   * A loop: a peer decides how long the way is, and how often it is gone. So it is halved each time. Whoever resolves a
   * promise sees to it that there is no circle.
   */
  #follow(): Capability {
    let at: Capability = this;
    for (let next = at.next; next !== undefined; next = at.next) {
      const further = next.next;
      if (further === undefined) return next;
      at.shorten(further.addRef());
      at = further;
    }
    return at;
  }

  /** What this leads to leads to `further` itself, which is to be `next` from now on. Takes over the reference. */
  protected shorten(further: Capability): void {
    further.release();
  }

  /** What a promise resolved to, one step on; undefined for what has not resolved, and for what is no promise. Borrowed. */
  protected get next(): Capability | undefined {
    return undefined;
  }

  /** Whether calls on this go through `other`, as far as this vat knows. */
  leadsTo(other: Capability): boolean {
    for (let end: Capability | undefined = this.resolved; end !== undefined; end = end.behind?.resolved) {
      if (end === other) return true;
    }
    return false;
  }

  /** Why a promise cannot resolve to `target`; undefined where it can. */
  protected whyNot(target: Capability): RpcError | undefined {
    // Two peers that answer each other's calls with each other's answers make a circle.
    if (target.leadsTo(this)) return RpcError.failed("A promise for a capability resolved to itself.");
    const end = target.resolved;
    if (!end.isPromise) return undefined;
    const count = Math.max(hops.get(end) ?? 0, (hops.get(this) ?? 0) + 1);
    hops.set(end, count);
    if (count <= MAX_HOPS) return undefined;
    return RpcError.failed(`A promise for a capability led to ${MAX_HOPS} others, one after the other.`);
  }

  /** What stands behind something that hides it. Borrowed. */
  protected get behind(): Capability | undefined {
    return undefined;
  }

  /** True for a promise that has not resolved yet. */
  get isPromise(): boolean {
    return false;
  }

  /** Runs `listener` once when a promise resolves or breaks; never for what is no promise. Returns how to take it off. */
  whenResolved(_listener: () => void): () => void {
    return NOTHING;
  }

  /** Why every call fails, where that is known already. */
  get brokenReason(): RpcError | undefined {
    return undefined;
  }

  /** Runs `listener` once if the object becomes unreachable. Returns a function that takes the listener off again. */
  whenBroken(_listener: (error: RpcError) => void): () => void {
    return NOTHING;
  }

  /** The last reference is gone. */
  protected abstract dispose(): void;
}

/** Takes a listener off that never was on. */
export const NOTHING = (): void => {};
