// The Cap'n Proto RPC engine.
export { BrokenCapability } from "./capabilities/broken.ts";
export {
  type CallOrigin,
  Capability,
  type IncomingCall,
  type PendingCall,
  type ReturnSink,
  type Server,
} from "./capabilities/capability.ts";
export { LocalCapability } from "./capabilities/local.ts";
export { DISCARD, PromiseCapability } from "./capabilities/promise.ts";
export { NO_CAPABILITY_REASON } from "./capabilities/transform.ts";
export { WatchedCapability } from "./capabilities/watched.ts";
export { Connection, type ConnectionOptions, type TableSizes } from "./connection/connection.ts";
export {
  type LinkEnd,
  type ObservedExport,
  type ObservedQuestion,
  type ObservedTables,
  TrafficObserver,
} from "./debug/traffic-observer.ts";
export { ProtocolError, RpcError } from "./errors.ts";
export { AdaptiveWindow, FlowWindow, fixedWindow, type WindowSize } from "./flow-window.ts";
export {
  encodeStandalone,
  forwardEncoder,
  type PayloadBuilder,
  type PayloadEncoder,
  ReceivedPayload,
} from "./payload.ts";
export { CallStream, callMethod, type Method, MethodCall, type Results } from "./structs/interface-client.ts";
export { InterfaceServer, type MethodHandler, ServedCall, type ServedMethod } from "./structs/interface-server.ts";
export { StructBuilder, type StructSize } from "./structs/struct-builder.ts";
export { type NumberOf, type NumberType, StructView } from "./structs/struct-view.ts";
export type { TrafficListener, TrafficRecorder, Transport, TransportReceiver } from "./transport.ts";
export { type ByteStreamLike, ByteStreamTransport } from "./transports/byte-stream.ts";
export { MemoryTransport } from "./transports/memory.ts";
export { RecordingTransport } from "./transports/recording.ts";
export {
  CAPNP_PROTOCOL,
  CAPSTAN_PACKED_PROTOCOL,
  CAPSTAN_PROTOCOL,
  type WebSocketLike,
  WebSocketTransport,
} from "./transports/websocket.ts";
