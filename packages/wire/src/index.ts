// Bytes ↔ Cap'n Proto RPC messages ↔ JavaScript values. Pure: no sockets, timers, promises or Node modules.
export { DecodeError } from "./errors.ts";
export { FrameReader } from "./framing.ts";
export { DEFAULT_LIMITS, type LimitOptions, type Limits, resolveLimits } from "./limits.ts";
export * from "./rpc/encode.ts";
export type * from "./rpc/ids.ts";
export * from "./rpc/messages.ts";
export { copyPointer } from "./segment/copy.ts";
export { setCapabilityPointer, setListPointer, setStructPointer } from "./segment/pointers.ts";
export { SegmentReader } from "./segment/reader.ts";
export { writeText } from "./segment/text.ts";
export { SegmentWriter } from "./segment/writer.ts";
export type { HostObjectReader, HostObjectWriter } from "./value/host.ts";
export { DEFAULT_VALUE_LIMITS, type ValueLimits } from "./value/limits.ts";
export { readValue, ValueReader } from "./value/read.ts";
export { ValueWriter, writeElements, writeValue } from "./value/write.ts";
