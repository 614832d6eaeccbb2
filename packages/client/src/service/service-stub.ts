// Stubs of services: what fetch() and connect() mean on them is not the callee's to say.
import type { Capability } from "@capstan/vat";
import { type LocalMembers, makeStub } from "../stubs/stub.ts";
import type { Realm } from "../values/realm.ts";
import { fetchThrough } from "./fetch.ts";
import { connectThrough, type SocketAddress, type SocketOptions } from "./socket.ts";

/** A stub for a service: its `fetch` and `connect` are events, all else are calls. Takes over the reference. */
export function makeServiceStub(realm: Realm, service: Capability): Disposable & object {
  return makeStub(realm, service, SERVICE_EVENTS);
}

/** What a service's stub does itself. */
export const SERVICE_EVENTS: LocalMembers = (base) => ({
  fetch: (input: RequestInfo | URL, init?: RequestInit) => fetchThrough(base, input, init),
  connect: (address: SocketAddress, options?: SocketOptions) => connectThrough(base, address, options),
});
