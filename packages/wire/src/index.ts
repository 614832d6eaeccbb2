// Bytes ↔ Cap'n Proto RPC messages ↔ JavaScript values. Pure: no sockets, timers, promises or Node modules.
export { DecodeError } from "./errors.ts";
export { FrameReader, messageLength, readFlat } from "./framing.ts";
export {
  ABORT_TRIGGER_ABORT_METHOD,
  ABORT_TRIGGER_ID_HIGH,
  ABORT_TRIGGER_ID_LOW,
  ABORT_TRIGGER_RELEASE_METHOD,
  BYTE_STREAM_END_METHOD,
  BYTE_STREAM_ID_HIGH,
  BYTE_STREAM_ID_LOW,
  BYTE_STREAM_WRITE_METHOD,
  EXTERNAL_PUSHER_ID_HIGH,
  EXTERNAL_PUSHER_ID_LOW,
  EXTERNAL_PUSHER_PUSH_ABORT_SIGNAL_METHOD,
  EXTERNAL_PUSHER_PUSH_BYTE_STREAM_METHOD,
  JS_RPC_TARGET_CALL_METHOD,
  JS_RPC_TARGET_CALL_RESULTS_CALL_PIPELINE_POINTER,
  JS_RPC_TARGET_ID,
  JS_RPC_TARGET_ID_HIGH,
  JS_RPC_TARGET_ID_LOW,
} from "./gen/js-rpc.ts";
export {
  LINK_ID,
  LINK_ID_HIGH,
  LINK_ID_LOW,
  LINK_SERVICE_METHOD,
  LINK_SERVICE_RESULTS_SERVICE_POINTER,
  SERVICE_CONNECT_METHOD,
  SERVICE_FETCH_METHOD,
  SERVICE_ID,
  SERVICE_ID_HIGH,
  SERVICE_ID_LOW,
  SOURCE_FORWARD_TO_METHOD,
  SOURCE_ID_HIGH,
  SOURCE_ID_LOW,
  VALUE_SINK_ABORT_METHOD,
  VALUE_SINK_ID_HIGH,
  VALUE_SINK_ID_LOW,
  VALUE_SINK_WRITE_METHOD,
  WATCHED_CLOSED_METHOD,
  WATCHED_ID_HIGH,
  WATCHED_ID_LOW,
} from "./gen/link.ts";
export { type CallParams, Operation, readCallParams, writeCallParams } from "./js-rpc/call-params.ts";
export { type CallResultOptions, type CallResults, readCallResults, writeCallResults } from "./js-rpc/call-results.ts";
export {
  type External,
  ExternalKind,
  type ExternalsWriter,
  findJsValue,
  type JsValueRef,
  readJsValue,
  writeJsArguments,
  writeJsValue,
} from "./js-rpc/js-value.ts";
export * from "./js-rpc/streams.ts";
export { DEFAULT_LIMITS, type LimitOptions, type Limits, resolveLimits } from "./limits.ts";
export {
  readServiceParams,
  readServiceResults,
  type ServiceParams,
  writeServiceParams,
  writeServiceResults,
} from "./link/service.ts";
export { isMostlyZeros, packedBound, packFrame, piecesOf, unpackFrame } from "./packing.ts";
export { type LinkEvent, type LinkRecord, RECORDING_HEADER, RecordReader, writeRecord } from "./recording/record.ts";
export { decodeMessage } from "./rpc/decode.ts";
export { type DescribeOptions, describeMessage } from "./rpc/describe.ts";
export {
  beginCall,
  beginReturn,
  CallFlag,
  encodeAbort,
  encodeBootstrap,
  encodeDisembargo,
  encodeFinish,
  encodeRelease,
  encodeResolveCap,
  encodeResolveException,
  encodeReturnException,
  encodeReturnOther,
  encodeUnimplemented,
  finishPayload,
  setNoFinishNeeded,
} from "./rpc/encode.ts";
export type { AnswerId, EmbargoId, ExportId, ImportId, QuestionId } from "./rpc/ids.ts";
export * from "./rpc/messages.ts";
export { nameMethod } from "./rpc/method-names.ts";
export { copyPointer, copyWithoutLists } from "./segment/copy.ts";
export { ElementSize, setCapabilityPointer, setListPointer, setStructPointer } from "./segment/pointers.ts";
export { SegmentReader } from "./segment/reader.ts";
export { writeText } from "./segment/text.ts";
export { SegmentWriter } from "./segment/writer.ts";
export { cloneError } from "./value/clone-error.ts";
export type { HostObjectReader, HostObjectWriter } from "./value/host.ts";
export { DEFAULT_VALUE_LIMITS, type ValueLimits } from "./value/limits.ts";
export { readValue, ValueReader } from "./value/read.ts";
export { HostTag } from "./value/tags.ts";
export { ValueWriter, type WriterMark } from "./value/value-writer.ts";
export { writeElements, writeThrown, writeValue } from "./value/write.ts";
