// The module that Workers import as "cloudflare:workers".
export { RpcTarget } from "@capstan/client";
export { WorkerEntrypoint } from "./entrypoint.ts";
