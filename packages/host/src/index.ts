// Serve Workers.
export { type LimitOptions, RpcTarget } from "@capstan/client";
export type { RemoteStats } from "./bindings.ts";
export { ConfigError } from "./config/config-error.ts";
export type { JsonValue, ServiceBinding } from "./config/worker-config.ts";
export { ExecutionContext } from "./context.ts";
export type { Failure, FailureReporter } from "./failure.ts";
export type { PackedPolicy } from "./link-protocol.ts";
export { errorText } from "./loader/error-text.ts";
export { WorkerLoadError } from "./loader/worker-load-error.ts";
export { WorkerEntrypoint } from "./platform/entrypoint.ts";
export { WebSocketPair, WorkerResponse } from "./platform/web-sockets.ts";
export { BindingError, type Host, type HostStats, type InlineWorker, type ServeOptions, serve } from "./serve.ts";
