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
import type { Service } from "./types.ts";

const serviceEncoder: PayloadEncoder<ServiceParams> = {
  encode: (out, params) => writeServiceParams(out.writer, out.at, params),
};
const SERVICE = Object.freeze([LINK_SERVICE_RESULTS_SERVICE_POINTER]);

/** What a service is where nothing is said of it. */
// biome-ignore lint/suspicious/noExplicitAny: an untyped service takes and gives anything.
export type UntypedService = Record<string, (...args: any[]) => any>;

export interface LinkOptions {
  readonly limits?: LimitOptions | Limits | undefined;
  /** What the peer gets when it asks for this end's bootstrap capability. Taken over. Default: what takes its streams. */
  readonly bootstrap?: Capability | undefined;
}

/**
 * One connection to a host. Dispose of it, or `close()` it, when done: calls in flight then fail as disconnected.
 *
 * @typeParam Default what `service()` gives where it is told nothing else.
 */
export class Link<Default extends object = UntypedService> implements Disposable {
  readonly #connection: Connection;
  readonly #realm;
  #bootstrap: Capability | undefined;

  constructor(transport: Transport, options: LinkOptions = {}) {
    this.#realm = makeRealm(options.limits);
    const bootstrap = options.bootstrap ?? this.#realm.servePushes();
    this.#connection = new Connection(transport, { limits: this.#realm.limits, bootstrap });
  }

  /**
   * A stub for an entrypoint of a service at the other end, usable at once.
   *
   * @typeParam T the entrypoint's class, or an interface of its methods.
   * @param name the service; default: the host's first.
   * @param options.entrypoint the named export; default: the default export.
   * @param options.props what the entrypoint sees as `ctx.props`, by value. A host takes it only where it trusts its callers.
   */
  service<T extends object = Default>(
    name = "",
    options: { readonly entrypoint?: string | undefined; readonly props?: object | undefined } = {},
  ): Service<T> {
    this.#bootstrap ??= this.#connection.bootstrap();
    const params = { name, entrypoint: options.entrypoint ?? "", props: options.props };
    const call = this.#bootstrap.call(LINK_ID_HIGH, LINK_ID_LOW, LINK_SERVICE_METHOD, serviceEncoder, params, DISCARD);
    return makeServiceStub(this.#realm, call.pipeline(SERVICE)) as unknown as Service<T>;
  }

  /** Runs `listener` once when the link ends, after its calls have failed. */
  onBroken(listener: (error: Error) => void): Disposable {
    const { limits } = this.#realm;
    const off = this.#connection.whenClosed((error) => listener(fromException(error, limits) as Error));
    return { [Symbol.dispose]: off };
  }

  /** How many entries each of the connection's tables holds. */
  get tables(): TableSizes {
    return this.#connection.tables;
  }

  close(): void {
    this.#bootstrap?.release();
    this.#bootstrap = undefined;
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
