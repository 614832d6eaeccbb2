// Bytes ↔ Cap'n Proto RPC messages ↔ JavaScript values. Pure: no sockets, timers, promises or Node modules.
export { DecodeError } from "./errors.ts";
export { FrameReader } from "./framing.ts";
export {
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
  SERVICE_ID,
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
export { DEFAULT_LIMITS, type LimitOptions, type Limits, resolveLimits } from "./limits.ts";
export {
  readServiceParams,
  readServiceResults,
  type ServiceParams,
  writeServiceParams,
  writeServiceResults,
} from "./link/service.ts";
export { decodeMessage } from "./rpc/decode.ts";
export { describeMessage } from "./rpc/describe.ts";
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
export { copyPointer } from "./segment/copy.ts";
export { setCapabilityPointer, setListPointer, setStructPointer } from "./segment/pointers.ts";
export { SegmentReader } from "./segment/reader.ts";
export { writeText } from "./segment/text.ts";
export { SegmentWriter } from "./segment/writer.ts";
export { cloneError } from "./value/clone-error.ts";
export type { HostObjectReader, HostObjectWriter } from "./value/host.ts";
export { DEFAULT_VALUE_LIMITS, type ValueLimits } from "./value/limits.ts";
export { readValue, ValueReader } from "./value/read.ts";
export { HostTag } from "./value/tags.ts";
export { ValueWriter, type WriterMark, writeElements, writeValue } from "./value/write.ts";
