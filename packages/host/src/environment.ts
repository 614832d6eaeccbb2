// `env` of one Worker: its variables and bindings, all of them there before its module runs.
import { makeBinding, type Realm } from "@capstan/client/serving";
import type { Capability } from "@capstan/vat";
import { type Caller, InvocationEnv, type ServiceFinder, type SharedBinding } from "./invocation-env.ts";
import { currentScope } from "./platform/invocation-scope.ts";

/** What an `env` is made of. */
export interface EnvironmentContent {
  /** Become `env.NAME`, as they are. Default: none. */
  readonly vars?: { readonly [name: string]: unknown } | undefined;
  /** Its service bindings. Default: none. */
  readonly services?: readonly { readonly binding: string }[] | undefined;
}

/** A binding that is there before it is known what it leads to. States: unconnected (calls fail) → connected. */
class EarlyBinding implements SharedBinding {
  readonly shared: object;
  readonly #name: string;
  #find: ServiceFinder | undefined = undefined;

  constructor(name: string, realm: Realm) {
    this.#name = name;
    this.shared = makeBinding({
      /** A module may keep it from its top level on: where scopes are on, each invocation's calls are its own. */
      get realm() {
        return currentScope()?.callRealm ?? realm;
      },
      find: this.find,
    });
  }

  connect(find: ServiceFinder): void {
    this.#find = find;
  }

  readonly find = (): Capability => {
    if (this.#find !== undefined) return this.#find();
    throw new Error(`The binding "${this.#name}" cannot be used while Workers are loaded: call it in a handler.`);
  };
}

/** A Worker's own `env`, and what its invocations see of it. */
export class Environment {
  readonly env: { [name: string]: unknown };
  readonly #bindings = new Map<string | symbol, EarlyBinding>();

  constructor(realm: Realm, { vars, services = [] }: EnvironmentContent) {
    this.env = { ...vars };
    for (const { binding } of services) {
      const early = new EarlyBinding(binding, realm);
      this.#bindings.set(binding, early);
      this.env[binding] = early.shared;
    }
  }

  /** Lets calls on the binding `name` go where `find` says. */
  connect(name: string, find: ServiceFinder): void {
    this.#bindings.get(name)?.connect(find);
  }

  /** `env` for an invocation. Where there is no binding, all share one. */
  envFor(caller: Caller): object {
    return this.#bindings.size === 0 ? this.env : new Proxy(this.env, new InvocationEnv(caller, this.#bindings));
  }
}
