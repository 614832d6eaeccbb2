// Every clause of Cap'n Proto RPC as schemas/rpc.capnp has it, in own words, and the tests that show it.
// docs/protocol-coverage.md is made of this: npm run coverage.
import type { Clause } from "./clause.ts";
import { CALL, FINISH, RETURN } from "./clauses/calls.ts";
import { BOOTSTRAP, MESSAGES, PROTOCOL } from "./clauses/connection.ts";
import { DISEMBARGO, HIGHER_LEVELS, PARTS, RELEASE, RESOLVE } from "./clauses/references.ts";

export const GROUPS: Readonly<Record<string, readonly Clause[]>> = {
  "The whole protocol": PROTOCOL,
  Messages: MESSAGES,
  Bootstrap: BOOTSTRAP,
  Call: CALL,
  Return: RETURN,
  Finish: FINISH,
  Resolve: RESOLVE,
  Release: RELEASE,
  Disembargo: DISEMBARGO,
  "Parts of messages": PARTS,
  "Levels 3 and 4": HIGHER_LEVELS,
};

export const CLAUSES: readonly Clause[] = Object.values(GROUPS).flat();
