// Call Workers in other processes.
export { type ConnectOptions, connect, LINK_PATH, linkUrl } from "./connect.ts";
export { toException } from "./errors.ts";
export { Link, type LinkOptions } from "./link.ts";
export { makeRealm, PlainRealm } from "./realm.ts";
export { type BindingCall, type BindingSource, capabilityOf, makeBinding } from "./service/binding.ts";
export { makeServiceStub } from "./service/service-stub.ts";
export {
  acceptSocket,
  addressText,
  makeSocket,
  type Socket,
  type SocketAddress,
  type SocketInfo,
} from "./service/socket.ts";
export {
  isSendableCode,
  makeUpgradeResponse,
  makeWebSocketPair,
  type WebSocketClose,
  type WebSocketFrame,
  type WebSocketStreams,
  WorkerWebSocket,
  webSocketOf,
} from "./service/web-socket.ts";
export { PusherServer, servePush } from "./streams/pusher.ts";
export type { StubCore } from "./stubs/brand.ts";
export { type LeakWarnings, warnOfLeaks } from "./stubs/leaks.ts";
export { RpcPromise, RpcProperty } from "./stubs/rpc-promise.ts";
export { RpcStub } from "./stubs/rpc-stub.ts";
export { RpcTarget } from "./targets/rpc-target.ts";
export { isJsCall, type Receiver, serveCall, serveOther } from "./targets/target-server.ts";
export { RESERVED_ON_ENTRYPOINTS } from "./targets/visibility.ts";
export type { Members, Provider, Received, Sendable, Service, Stubable } from "./types.ts";
export { readPlainValue } from "./values/plain.ts";
export { previewValue } from "./values/preview.ts";
export type { Held, PendingPromise, Realm, ReceivedBinding } from "./values/realm.ts";
