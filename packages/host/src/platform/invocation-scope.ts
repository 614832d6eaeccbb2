// Which invocation the running code belongs to. Off until a Worker imports what needs it: AsyncLocalStorage makes every
// promise of the process slower.
import type { Realm } from "@capstan/client/serving";
import type { ExecutionContext } from "../context.ts";

/** What module-level functions act on. */
export interface Scoped {
  readonly ctx: ExecutionContext;
  /** What calls that are made now are part of. */
  readonly callRealm: Realm;
  /** The invocation's view of `env`, if that is its Worker's. */
  envOver(env: object): object | undefined;
}

/** Runs a function, and all that it awaits, as part of `scoped`. */
export type ScopeRunner = <T>(scoped: Scoped, run: () => T) => T;

let runner: ScopeRunner | undefined;
let finder: () => Scoped | undefined = () => undefined;

/** Switches scopes on, for good. `find` tells the scope of the running code. */
export function switchOnScopes(how: ScopeRunner, find: () => Scoped | undefined): void {
  runner = how;
  finder = find;
}

/** The scope of the running code, where scopes are on. */
export function currentScope(): Scoped | undefined {
  return finder();
}

/** How to run code in a scope; undefined while nobody needs that. */
export function scopeRunner(): ScopeRunner | undefined {
  return runner;
}
