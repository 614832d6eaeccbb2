// Ties values to stubs and served objects.
import { type Capability, LocalCapability } from "@capstan/vat";
import { type LimitOptions, type Limits, resolveLimits } from "@capstan/wire";
import { RpcTarget } from "./rpc-target.ts";
import { makeStub } from "./stub.ts";
import { coreOf } from "./stub-brand.ts";
import { TargetServer } from "./target-server.ts";
import type { Realm } from "./values.ts";

/** The realm of one application or host. */
export function makeRealm(options?: LimitOptions | Limits): Realm {
  const realm: Realm = {
    limits: resolveLimits(options),
    stubFor: (cap) => makeStub(realm, cap),
    capabilityFor: (object) => capabilityFor(realm, object),
  };
  return realm;
}

function capabilityFor(realm: Realm, object: object): Capability | undefined {
  // A stub is passed on; the sender's own stays usable.
  const core = coreOf(object);
  if (core !== undefined) return core.capability();
  if (typeof object !== "function" && !(object instanceof RpcTarget)) return undefined;
  const dispose: unknown = Reflect.get(object, Symbol.dispose);
  const release = typeof dispose === "function" ? () => Reflect.apply(dispose, object, []) : undefined;
  return new LocalCapability(new TargetServer(realm, object, release), realm.limits);
}
