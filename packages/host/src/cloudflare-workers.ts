// The module that Workers import as "cloudflare:workers".
export { RpcStub, RpcTarget } from "@capstan/client";
export { WorkerEntrypoint } from "./entrypoint.ts";
