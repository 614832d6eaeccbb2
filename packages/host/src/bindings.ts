// Service bindings: to Workers of the same host without a socket, and to other hosts over a link that is opened anew
// when it was lost.
import { connect, type Link } from "@capstan/client";
import { makeServiceStub, type Realm } from "@capstan/client/serving";
import type { Capability, TrafficRecorder } from "@capstan/vat";
import type { Limits } from "@capstan/wire";
import type { ServiceBinding } from "./config/worker-config.ts";

/** Another host. States: idle → linked → (link lost) idle. The next call opens the link again. */
export class RemoteHost {
  readonly #url: string;
  /** The names of its services that are bound, for errors. */
  readonly #names = new Set<string>();
  readonly #limits: Limits;
  readonly #record: TrafficRecorder | undefined;
  #link: Link | undefined;
  readonly #services = new Map<ServiceBinding, object>();

  constructor(url: string, limits: Limits, record?: TrafficRecorder) {
    this.#url = url;
    this.#limits = limits;
    this.#record = record;
  }

  /** Remembers that a binding leads to the service `name` there. */
  addName(name: string): void {
    this.#names.add(JSON.stringify(name));
  }

  /** The stub that `binding` leads to, on the link as it stands. */
  stub(binding: ServiceBinding): object {
    let stub = this.#services.get(binding);
    if (stub === undefined) {
      this.#link ??= this.#open();
      stub = this.#link.service(binding.service, binding);
      this.#services.set(binding, stub);
    }
    return stub;
  }

  close(): void {
    this.#link?.close();
  }

  #describe(): string {
    return `${this.#names.size === 1 ? "service" : "services"} ${[...this.#names].join(", ")} at ${this.#url}`;
  }

  #open(): Link {
    const link = connect(this.#url, { limits: this.#limits, name: this.#describe(), record: this.#record });
    link.onBroken(() => {
      this.#link = undefined;
      this.#services.clear();
    });
    return link;
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
      if (key === "then" || key === "dup" || key === Symbol.dispose) return undefined;
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
  const stub = makeServiceStub(realm, service);
  return makeBinding(() => stub, call);
}

/** Names the class of bindings in messages. */
class Fetcher {}
