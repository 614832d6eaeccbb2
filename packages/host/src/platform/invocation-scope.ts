// Which invocation the running code belongs to. Off until a Worker imports what needs it: AsyncLocalStorage makes every
// promise of the process slower.
import type { ExecutionContext } from "../context.ts";

/** What module-level functions act on. */
export interface Scoped {
  readonly ctx: ExecutionContext;
}

/** Runs a function, and all that it awaits, as part of `scoped`. */
export type ScopeRunner = <T>(scoped: Scoped, run: () => T) => T;

let runner: ScopeRunner | undefined;

/** Switches scopes on, for good. */
export function switchOnScopes(how: ScopeRunner): void {
  runner = how;
}

/** How to run code in a scope; undefined while nobody needs that. */
export function scopeRunner(): ScopeRunner | undefined {
  return runner;
}
