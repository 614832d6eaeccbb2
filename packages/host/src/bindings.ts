// Service bindings to other hosts, over a link that is opened anew when it was lost.
import { connect, type Link } from "@capstan/client";
import { capabilityOf } from "@capstan/client/serving";
import type { Capability, TableSizes, TrafficRecorder } from "@capstan/vat";
import type { Limits } from "@capstan/wire";
import type { ServiceBinding } from "./config/worker-config.ts";
import { type PackedPolicy, packedOption } from "./link-protocol.ts";

/** A host that bindings lead to. */
export interface RemoteStats {
  /** Where it is. */
  readonly url: string;
  /** How many times a link to it was opened: more than once where one was lost. */
  readonly linksOpened: number;
  /** How many entries each table of the link holds; undefined where none is open. */
  readonly tables: TableSizes | undefined;
}

/** Another host. States: idle → linked → (link lost) idle. The next call opens the link again. */
export class RemoteHost {
  readonly #url: string;
  /** The names of its services that are bound, for errors. */
  readonly #names = new Set<string>();
  readonly #limits: Limits;
  readonly #record: TrafficRecorder | undefined;
  readonly #packed: PackedPolicy | undefined;
  #link: Link | undefined;
  #linksOpened = 0;
  readonly #services = new Map<ServiceBinding, object>();

  constructor(url: string, limits: Limits, record?: TrafficRecorder, packed?: PackedPolicy) {
    this.#url = url;
    this.#limits = limits;
    this.#record = record;
    this.#packed = packed;
  }

  /** Remembers that a binding leads to the service `name` there. */
  addName(name: string): void {
    this.#names.add(JSON.stringify(name));
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

  get stats(): RemoteStats {
    return { url: this.#url, linksOpened: this.#linksOpened, tables: this.#link?.tables };
  }

  close(): void {
    this.#link?.close();
  }

  #describe(): string {
    return `${this.#names.size === 1 ? "service" : "services"} ${[...this.#names].join(", ")} at ${this.#url}`;
  }

  #open(): Link {
    this.#linksOpened++;
    const link = connect(this.#url, {
      limits: this.#limits,
      name: this.#describe(),
      record: this.#record,
      packed: packedOption(this.#packed),
    });
    link.onBroken(() => {
      this.#link = undefined;
      this.#services.clear();
    });
    return link;
  }
}
