// hot path (bench: npm run bench). One Worker of a host: its entrypoints, and what a call on one is made on.
import { RESERVED_ON_ENTRYPOINTS, type Realm, type Receiver } from "@capstan/client/serving";
import { type Capability, LocalCapability } from "@capstan/vat";
import type { Admission } from "./admission.ts";
import { type ContextOwner, ExecutionContext } from "./context.ts";
import { EntrypointServer } from "./entrypoint-server.ts";
import type { Environment } from "./environment.ts";
import type { FailureReporter } from "./failure.ts";
import { bindingOf, type Caller } from "./invocation-env.ts";
import { isEntrypointClass } from "./platform/entrypoint.ts";

/** What a host counts. */
export interface InvocationCounter {
  /** Invocations that have not ended. */
  live: number;
  /** Calls and requests that have not been answered. */
  running: number;
}

/** A loaded Worker. */
export class Worker implements ContextOwner {
  readonly name: string;
  readonly exports: { readonly [name: string]: unknown };
  readonly realm: Realm;
  readonly counter: InvocationCounter;
  readonly admission: Admission;
  readonly #report: FailureReporter;
  readonly #environment: Environment;
  #entrypoints: ReadonlyMap<string, Capability> | undefined;

  constructor(
    name: string,
    exports: { readonly [name: string]: unknown },
    environment: Environment,
    realm: Realm,
    counter: InvocationCounter,
    admission: Admission,
    report: FailureReporter,
  ) {
    this.name = name;
    this.exports = exports;
    this.#environment = environment;
    this.realm = realm;
    this.counter = counter;
    this.admission = admission;
    this.#report = report;
  }

  report(error: unknown, what: string): void {
    this.#report(error, { worker: this.name, what });
  }

  /** Its own `env`. */
  get env(): object {
    return this.#environment.env;
  }

  /** `env` for an invocation. */
  envFor(caller: Caller): object {
    return this.#environment.envFor(caller);
  }

  /** `ctx.exports` for an invocation. */
  loopbackFor(caller: Caller): Readonly<Record<string, unknown>> {
    this.#entrypoints ??= this.#ownEntrypoints();
    const bindings: Record<string, unknown> = Object.create(null);
    for (const [name, plain] of this.#entrypoints) {
      const withProps = (options?: { readonly props?: unknown }): object => {
        const cap = this.entrypoint(name, options?.props ?? {});
        if (cap === undefined) throw new TypeError(`There is no entrypoint "${name}".`);
        return bindingOf(caller, () => cap);
      };
      bindings[name] = bindingOf(caller, () => plain, withProps);
    }
    return Object.freeze(bindings);
  }

  #ownEntrypoints(): ReadonlyMap<string, Capability> {
    const entrypoints = new Map<string, Capability>();
    for (const name of Object.keys(this.exports)) {
      const cap = this.entrypoint(name);
      if (cap !== undefined) entrypoints.set(name, cap);
    }
    return entrypoints;
  }

  /** A capability for an entrypoint: each call on it is one invocation. Undefined where there is none of that name. */
  entrypoint(name: string, props: unknown = {}): Capability | undefined {
    const exported = Object.hasOwn(this.exports, name) ? this.exports[name] : undefined;
    if (isEntrypoint(exported)) {
      return new LocalCapability(new EntrypointServer(this, exported, props), this.realm.limits);
    }
    return undefined;
  }

  /** For people: which entrypoints there are. */
  get exportNames(): string {
    const names = Object.keys(this.exports).filter((name) => isEntrypoint(this.exports[name]));
    return names.length === 0 ? "it exports none" : `it exports ${names.map((name) => `"${name}"`).join(", ")}`;
  }

  /** Makes what answers one call: a fresh instance, or the object of handlers. */
  receiver(exported: object, ctx: ExecutionContext): Receiver {
    if (isEntrypointClass(exported)) {
      return {
        target: new exported(ctx, ExecutionContext.envOf(ctx)),
        byPrototype: true,
        reserved: RESERVED_ON_ENTRYPOINTS,
      };
    }
    return {
      target: exported,
      byPrototype: false,
      reserved: RESERVED_ON_ENTRYPOINTS,
      invoke: (method, name, args) => callHandler(exported, method, name, args, ExecutionContext.envOf(ctx), ctx),
    };
  }
}

function isEntrypoint(exported: unknown): exported is object {
  return isEntrypointClass(exported) || (typeof exported === "object" && exported !== null);
}

/** A function of a plain-object export takes `(arg, env, ctx)`, of which the client sends the first. */
function callHandler(
  owner: object,
  method: (...args: unknown[]) => unknown,
  name: string,
  args: unknown[],
  env: unknown,
  ctx: ExecutionContext,
): unknown {
  if (method.length > 3) {
    throw new TypeError(
      `Cannot call handler function "${name}" over RPC because it has the wrong number of arguments. A simple function handler can only be called over RPC if it has exactly the arguments (arg, env, ctx), where only the first argument comes from the client. To support multi-argument RPC functions, use class-based syntax (extending WorkerEntrypoint) instead.`,
    );
  }
  if (args.length !== 1) {
    throw new TypeError(
      `Attempted to call RPC function "${name}" with the wrong number of arguments. When calling a top-level handler function that is not declared as part of a class, you must always send exactly one argument. In order to support variable numbers of arguments, the server must use class-based syntax (extending WorkerEntrypoint) instead.`,
    );
  }
  return Reflect.apply(method, owner, [args[0], env, ctx]);
}
