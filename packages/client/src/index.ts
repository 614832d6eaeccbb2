// Call Workers in other processes.
export { type ConnectOptions, connect, LINK_PATH } from "./connect.ts";
export { toException } from "./errors.ts";
export { type LeakWarnings, warnOfLeaks } from "./leaks.ts";
export { Link, type LinkOptions } from "./link.ts";
export { makeRealm, PlainRealm } from "./realm.ts";
export { RpcPromise, RpcProperty } from "./rpc-promise.ts";
export { RpcStub } from "./rpc-stub.ts";
export { RpcTarget } from "./rpc-target.ts";
export { fetchThrough } from "./service/fetch.ts";
export {
  acceptSocket,
  addressText,
  connectThrough,
  makeSocket,
  type Socket,
  type SocketAddress,
  type SocketInfo,
} from "./service/socket.ts";
export { PusherServer, servePush } from "./streams/pusher.ts";
export type { StubCore } from "./stub-brand.ts";
export { isJsCall, type Receiver, serveCall, serveOther } from "./target-server.ts";
export type { Members, Received, Sendable, Service, Stubable } from "./types.ts";
export { readPlainValue } from "./values/plain.ts";
export type { Held, Realm } from "./values/realm.ts";
export { RESERVED_ON_ENTRYPOINTS } from "./visibility.ts";
