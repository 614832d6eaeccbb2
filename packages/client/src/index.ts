// Call Workers in other processes. What hosts are built of is in @capstan/client/serving.
export type { TableSizes } from "@capstan/vat";
export type { LimitOptions } from "@capstan/wire";
export { type ConnectOptions, connect, LINK_PATH } from "./connect.ts";
export { Link, type LinkOptions, type ServiceOptions, type UntypedService } from "./link.ts";
export type {
  SecureTransport,
  Socket,
  SocketAddress,
  SocketInfo,
  SocketOptions,
  SocketParts,
  TlsOptions,
} from "./service/socket.ts";
export {
  type WebSocketClose,
  type WebSocketFrame,
  type WebSocketStreams,
  WorkerWebSocket,
  webSocketOf,
} from "./service/web-socket.ts";
export { type LeakWarnings, warnOfLeaks } from "./stubs/leaks.ts";
export { RpcPromise, RpcProperty } from "./stubs/rpc-promise.ts";
export { RpcStub } from "./stubs/rpc-stub.ts";
export { RpcTarget } from "./targets/rpc-target.ts";
export type { Members, Provider, Received, Sendable, Service, ServiceStub, Stubable } from "./types.ts";
