// The part of "cloudflare:workers" that needs no current invocation.
export { RpcPromise, RpcProperty, RpcStub, RpcTarget } from "@capstan/client";
export { DurableObject } from "./durable-object.ts";
export { WorkerEntrypoint } from "./entrypoint.ts";
