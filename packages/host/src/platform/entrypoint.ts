// The base class that Workers extend.
import type { Socket } from "@capstan/client";
import type { ExecutionContext } from "../context.ts";

/**
 * Base class of entrypoints. Every call on a binding makes a fresh instance; `this.ctx` and `this.env` are set here and
 * invisible over RPC, as all own properties are.
 */
export class WorkerEntrypoint<Env = unknown> {
  protected readonly ctx: ExecutionContext;
  protected readonly env: Env;

  constructor(ctx: ExecutionContext, env: Env) {
    this.ctx = ctx;
    this.env = env;
  }

  /** Answers a request: from HTTP, or of `fetch()` on a binding. Without it there is no answer but an error. */
  fetch?(request: Request): Response | Promise<Response>;

  /** Takes a socket that `connect()` on a binding opened. It ends when what this returns has settled. */
  connect?(socket: Socket): void | Promise<void>;
}

type EntrypointClass = new (ctx: ExecutionContext, env: unknown) => object;

export function isEntrypointClass(exported: unknown): exported is EntrypointClass {
  return typeof exported === "function" && exported.prototype instanceof WorkerEntrypoint;
}
