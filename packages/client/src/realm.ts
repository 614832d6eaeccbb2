// The realm of an application: its stubs and the objects that it passes by reference.
import { LocalCapability } from "@capstan/vat";
import { type LimitOptions, type Limits, resolveLimits } from "@capstan/wire";
import { makeStub } from "./stub.ts";
import { TargetServer } from "./target-server.ts";
import type { Realm } from "./values.ts";

/** Makes a realm that keeps no account of what goes in and out. */
export function makeRealm(options?: LimitOptions | Limits): Realm {
  const realm: Realm = {
    limits: resolveLimits(options),
    stubFor: (cap) => makeStub(realm, cap),
    // A disposer that throws has nobody to tell, and must not harm the link that dropped its object.
    report: (error) => console.error("An RPC target's disposer threw:", error),
    serve: (target, dispose) => new LocalCapability(new TargetServer(realm, target, dispose), realm.limits),
  };
  return realm;
}
