// Service bindings to other hosts, over a link that is opened anew when it was lost.
import { capabilityOf, connect, type Link } from "@capstan/client";
import type { Capability, TrafficRecorder } from "@capstan/vat";
import type { Limits } from "@capstan/wire";
import type { ServiceBinding } from "./config/worker-config.ts";

/** Another host. States: idle → linked → (link lost) idle. The next call opens the link again. */
export class RemoteHost {
  readonly #url: string;
  readonly #limits: Limits;
  readonly #record: TrafficRecorder | undefined;
  #link: Link | undefined;
  readonly #services = new Map<ServiceBinding, object>();

  constructor(url: string, limits: Limits, record?: TrafficRecorder) {
    this.#url = url;
    this.#limits = limits;
    this.#record = record;
  }

  /** What `binding` leads to, on the link as it stands; borrowed. */
  find(binding: ServiceBinding): Capability {
    let stub = this.#services.get(binding);
    if (stub === undefined) {
      this.#link ??= this.#open();
      stub = this.#link.service(binding.service, binding);
      this.#services.set(binding, stub);
    }
    return capabilityOf(stub);
  }

  close(): void {
    this.#link?.close();
  }

  #open(): Link {
    const link = connect(this.#url, { limits: this.#limits, record: this.#record });
    link.onBroken(() => {
      this.#link = undefined;
      this.#services.clear();
    });
    return link;
  }
}
