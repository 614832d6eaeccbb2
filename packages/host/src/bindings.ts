// Service bindings: to Workers of the same host without a socket, and to other hosts over a link that is opened anew
// when it was lost.
import { connect, type Link, type Realm } from "@capstan/client";
import type { Capability } from "@capstan/vat";

/** A service of another host. States: idle → linked → (link lost) idle. The next call opens the link again. */
export class RemoteService {
  readonly #url: string;
  readonly #name: string;
  readonly #entrypoint: string | undefined;
  #link: Link | undefined;
  #service: object | undefined;

  constructor(url: string, name: string, entrypoint: string | undefined) {
    this.#url = url;
    this.#name = name;
    this.#entrypoint = entrypoint;
  }

  /** The service's stub on the link as it stands. */
  stub(): object {
    if (this.#service !== undefined) return this.#service;
    const link = connect(this.#url);
    link.onBroken(() => {
      if (this.#link === link) this.#link = this.#service = undefined;
    });
    this.#link = link;
    this.#service = link.service(this.#name, { entrypoint: this.#entrypoint });
    return this.#service;
  }

  close(): void {
    this.#link?.close();
  }
}

/**
 * What `env.NAME` is for a service binding: `typeof` "object", no `then`, neither `dup` nor a disposer.
 *
 * @param call makes the binding itself callable, as `ctx.exports.NAME({ props })` is.
 */
export function makeBinding(stub: () => object, call?: (options?: { readonly props?: unknown }) => object): object {
  const target: object = call ?? (Object.create(Fetcher.prototype) as object);
  return new Proxy(target, {
    get(_target, key) {
      if (typeof key === "symbol" || key === "then" || key === "dup") return undefined;
      return Reflect.get(stub(), key);
    },
    has: (_target, key) => typeof key === "string",
    ownKeys: () => [],
    getOwnPropertyDescriptor: () => undefined,
    set: () => false,
  });
}

/** A binding to a Worker in this process. Takes over the reference. */
export function makeLocalBinding(
  realm: Realm,
  service: Capability,
  call?: (options?: { readonly props?: unknown }) => object,
): object {
  const stub = realm.stubFor(service);
  return makeBinding(() => stub, call);
}

/** Names the class of bindings in messages. */
class Fetcher {}
