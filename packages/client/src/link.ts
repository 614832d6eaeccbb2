// A link as an application sees it: one connection, and the services at its other end.
import {
  type Capability,
  Connection,
  DISCARD,
  type PayloadEncoder,
  type TableSizes,
  type Transport,
} from "@capstan/vat";
import {
  LINK_ID_HIGH,
  LINK_ID_LOW,
  LINK_SERVICE_METHOD,
  LINK_SERVICE_RESULTS_SERVICE_POINTER,
  type LimitOptions,
  type Limits,
  type ServiceParams,
  writeServiceParams,
} from "@capstan/wire";
import { fromException } from "./errors.ts";
import { makeRealm } from "./realm.ts";
import { makeServiceStub } from "./service/service-stub.ts";
import type { ServiceStub } from "./types.ts";

const serviceEncoder: PayloadEncoder<ServiceParams> = {
  encode: (out, params) => writeServiceParams(out.writer, out.at, params),
};
const SERVICE = Object.freeze([LINK_SERVICE_RESULTS_SERVICE_POINTER]);

/** What a service is where nothing is said of it. */
// biome-ignore lint/suspicious/noExplicitAny: an untyped service takes and gives anything.
export type UntypedService = Record<string, (...args: any[]) => any>;

/** How a link behaves. */
export interface LinkOptions {
  /** Bounds that this end keeps to and holds its peer to. Each one left out has its default. */
  readonly limits?: LimitOptions | Limits | undefined;
  /** What the peer gets when it asks for this end's bootstrap capability. Taken over. Default: what takes its streams. */
  readonly bootstrap?: Capability | undefined;
}

/** Which entrypoint of a service is meant. */
export interface ServiceOptions {
  /** The named export. Default: the default export. */
  readonly entrypoint?: string | undefined;
  /** What the entrypoint sees as `ctx.props`, by value. A host takes it only where it trusts its callers. Default: none. */
  readonly props?: object | undefined;
}

/**
 * One connection to a host. Dispose of it, or `close()` it, when done: calls in flight then fail as disconnected.
 *
 * @typeParam Default what `service()` gives where it is told nothing else.
 */
export class Link<Default extends object = UntypedService> implements Disposable {
  readonly #connection: Connection;
  readonly #transport: Transport;
  readonly #realm;
  #bootstrap: Capability | undefined;
  /** Services that were asked for, by name and entrypoint: asking again costs no table entry. Each has a reference. */
  readonly #services = new Map<string, Capability>();

  /** @param transport taken over: it is closed with the link. */
  constructor(transport: Transport, options: LinkOptions = {}) {
    this.#transport = transport;
    this.#realm = makeRealm(options.limits);
    const bootstrap = options.bootstrap ?? this.#realm.servePushes();
    this.#connection = new Connection(transport, { limits: this.#realm.limits, bootstrap });
  }

  /**
   * A stub for an entrypoint of a service at the other end, usable at once. Where it does not exist, calls say so.
   *
   * @typeParam T the entrypoint's class, or an interface of its methods.
   * @param name the service; default: the host's first.
   */
  service<T extends object = Default>(name = "", options: ServiceOptions = {}): ServiceStub<T> {
    const { entrypoint = "", props } = options;
    const cap = props === undefined ? this.#known(name, entrypoint) : this.#ask({ name, entrypoint, props });
    return makeServiceStub(this.#realm, cap) as unknown as ServiceStub<T>;
  }

  /** The reference belongs to the caller. */
  #known(name: string, entrypoint: string): Capability {
    const key = JSON.stringify([name, entrypoint]);
    const known = this.#services.get(key);
    if (known !== undefined) return known.addRef();
    const cap = this.#ask({ name, entrypoint, props: undefined });
    this.#services.set(key, cap);
    // What failed once, for want of room perhaps, is asked for anew.
    cap.whenBroken(() => {
      if (this.#services.get(key) !== cap) return;
      this.#services.delete(key);
      cap.release();
    });
    return cap.addRef();
  }

  #ask(params: ServiceParams): Capability {
    this.#bootstrap ??= this.#connection.bootstrap();
    const call = this.#bootstrap.call(LINK_ID_HIGH, LINK_ID_LOW, LINK_SERVICE_METHOD, serviceEncoder, params, DISCARD);
    return call.pipeline(SERVICE);
  }

  /** Runs `listener` once when the link ends, after its calls have failed. */
  onBroken(listener: (error: Error) => void): Disposable {
    const { limits } = this.#realm;
    const off = this.#connection.whenClosed((error) => listener(fromException(error, limits) as Error));
    return { [Symbol.dispose]: off };
  }

  /** Whether frames are packed, as the host agreed to when the link was opened; false until it is open. */
  get packed(): boolean {
    return this.#transport.packed === true;
  }

  /** How many entries each of the connection's tables holds. */
  get tables(): TableSizes {
    return this.#connection.tables;
  }

  /** Ends the link: calls in flight fail as disconnected. */
  close(): void {
    for (const cap of this.#services.values()) cap.release();
    this.#services.clear();
    this.#bootstrap?.release();
    this.#bootstrap = undefined;
    this.#connection.close();
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
