// What hosts are built of: realms, the servers behind capabilities, sockets. Not for applications.
export { linkUrl } from "../connect.ts";
export { connectionLost, toException } from "../errors.ts";
export { makeRealm, PlainRealm } from "../realm.ts";
export { type BindingCall, type BindingSource, capabilityOf, makeBinding } from "../service/binding.ts";
export { callByPath } from "../service/call-by-path.ts";
export { makeServiceStub } from "../service/service-stub.ts";
export { acceptSocket, addressText, makeSocket, type SocketParts } from "../service/socket.ts";
export { isSendableCode, makeUpgradeResponse, makeWebSocketPair } from "../service/web-socket.ts";
export { PusherServer, servePush } from "../streams/pusher.ts";
export type { StubCore } from "../stubs/brand.ts";
export { isJsCall, type Receiver, serveCall, serveOther, unownedBehind } from "../targets/target-server.ts";
export { RESERVED_ON_ENTRYPOINTS } from "../targets/visibility.ts";
export { isAboutEncoding, wasDecoded } from "../values/fetch-objects.ts";
export { readPlainValue } from "../values/plain.ts";
export { previewValue } from "../values/preview.ts";
export type { Held, PendingPromise, Realm, ReceivedBinding } from "../values/realm.ts";
export { isEncoded, tellResponse } from "../values/response-facts.ts";
