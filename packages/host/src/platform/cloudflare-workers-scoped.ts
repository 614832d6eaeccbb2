// The part of "cloudflare:workers" that acts on the current invocation. Evaluating this module switches scopes on.
import { AsyncLocalStorage } from "node:async_hooks";
import { live } from "./cloudflare-workers-env.ts";
import { type Scoped, switchOnScopes } from "./invocation-scope.ts";

const storage = new AsyncLocalStorage<Scoped>();

switchOnScopes(
  (scoped, run) => storage.run(scoped, run),
  () => storage.getStore(),
);

function current(what: string): Scoped {
  const scoped = storage.getStore();
  if (scoped === undefined) throw new Error(`${what} from "cloudflare:workers" works only within an invocation.`);
  return scoped;
}

/** Keeps the current invocation alive until `promise` settles. */
export function waitUntil(promise: unknown): void {
  current("waitUntil()").ctx.waitUntil(promise);
}

/** The current invocation's `ctx.exports`. */
export const exports = live(() => current("exports").ctx.exports);
