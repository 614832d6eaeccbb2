// hot path (bench: npm run bench). What JsRpcTarget.call takes: the way to a property, and what to do there.
import { DecodeError } from "../errors.ts";
import {
  JS_RPC_TARGET_CALL_PARAMS_IS_METHOD_NAME,
  JS_RPC_TARGET_CALL_PARAMS_IS_METHOD_PATH,
  JS_RPC_TARGET_CALL_PARAMS_METHOD_NAME_POINTER,
  JS_RPC_TARGET_CALL_PARAMS_METHOD_PATH_POINTER,
  JS_RPC_TARGET_CALL_PARAMS_OPERATION_CALL_WITH_ARGS_POINTER,
  JS_RPC_TARGET_CALL_PARAMS_OPERATION_IS_CALL_WITH_ARGS,
  JS_RPC_TARGET_CALL_PARAMS_OPERATION_IS_GET_PROPERTY,
  JS_RPC_TARGET_CALL_PARAMS_OPERATION_WHICH,
  JS_RPC_TARGET_CALL_PARAMS_RESULTS_STREAM_HANDLER_EXTERNAL_PUSHER_POINTER,
  JS_RPC_TARGET_CALL_PARAMS_RESULTS_STREAM_HANDLER_IS_EXTERNAL_PUSHER,
  JS_RPC_TARGET_CALL_PARAMS_RESULTS_STREAM_HANDLER_WHICH,
  JS_RPC_TARGET_CALL_PARAMS_WHICH,
} from "../gen/js-rpc.ts";
import { DEFAULT_LIMITS, type Limits } from "../limits.ts";
import { ElementSize, setCapabilityPointer, setListPointer, setStructPointer } from "../segment/pointers.ts";
import type { SegmentReader } from "../segment/reader.ts";
import { writeText } from "../segment/text.ts";
import type { SegmentWriter } from "../segment/writer.ts";
import { type ExternalsWriter, findJsValue, type JsValueRef, writeJsArguments } from "./js-value.ts";

/** What to do at the end of the path. */
export const Operation = {
  call: JS_RPC_TARGET_CALL_PARAMS_OPERATION_IS_CALL_WITH_ARGS,
  get: JS_RPC_TARGET_CALL_PARAMS_OPERATION_IS_GET_PROPERTY,
} as const;
export type Operation = (typeof Operation)[keyof typeof Operation];

export interface CallParams {
  /** Property names from the target on; empty for the target itself. */
  readonly path: readonly string[];
  readonly operation: Operation;
  /** An array: the arguments. Undefined where there are none, and for `get`. */
  readonly value: JsValueRef | undefined;
  /** Index into the cap table of whoever takes the result's streams, or -1. */
  readonly externalPusher: number;
}

/**
 * Appends the params of a call and points the pointer at `at` to them. `path` is a name, or names from the target on.
 * Throws as `writeValue` does; `out.length` is then anywhere behind where it was.
 *
 * @param externalPusher index into the cap table of whoever takes the result's streams; -1 for nobody.
 */
export function writeCallParams(
  out: SegmentWriter,
  at: number,
  path: string | readonly string[],
  args: readonly unknown[] | undefined,
  operation: Operation,
  host: ExternalsWriter,
  limits: Limits,
  externalPusher = -1,
): void {
  const hasArgs = args !== undefined && args.length > 0 && operation === Operation.call;
  const isName = typeof path === "string";
  const pointers = externalPusher >= 0 ? 3 : hasArgs ? 2 : 1;
  const data = out.length;
  out.ensure(32);
  const view = out.view;
  const which = isName ? JS_RPC_TARGET_CALL_PARAMS_IS_METHOD_NAME : JS_RPC_TARGET_CALL_PARAMS_IS_METHOD_PATH;
  // The data of a plain call are zeros, which need not be there.
  const dataWords = out.packed && which === 0 && operation === 0 && externalPusher < 0 ? 0 : 1;
  setStructPointer(view, at, data, dataWords, pointers);
  view.setUint16(data + JS_RPC_TARGET_CALL_PARAMS_WHICH, which, true);
  view.setUint16(data + JS_RPC_TARGET_CALL_PARAMS_OPERATION_WHICH, operation, true);
  view.setUint32(data + JS_RPC_TARGET_CALL_PARAMS_RESULTS_STREAM_HANDLER_WHICH, externalPusher < 0 ? 0 : 1, true);
  const first = data + 8 * dataWords;
  view.setFloat64(first, 0);
  view.setFloat64(first + 8, 0);
  view.setFloat64(first + 16, 0);
  if (externalPusher >= 0) {
    const pusher = JS_RPC_TARGET_CALL_PARAMS_RESULTS_STREAM_HANDLER_EXTERNAL_PUSHER_POINTER;
    setCapabilityPointer(view, first + 8 * pusher, externalPusher);
  }
  out.length = first + 8 * pointers;
  if (isName) writeText(out, first + 8 * JS_RPC_TARGET_CALL_PARAMS_METHOD_NAME_POINTER, path);
  else writePath(out, first + 8 * JS_RPC_TARGET_CALL_PARAMS_METHOD_PATH_POINTER, path);
  if (hasArgs) {
    writeJsArguments(out, first + 8 * JS_RPC_TARGET_CALL_PARAMS_OPERATION_CALL_WITH_ARGS_POINTER, args, host, limits);
  }
}

/** Reads the params that the pointer at `at` leads to, but for the value's bytes. Throws DecodeError. */
export function readCallParams(reader: SegmentReader, at: number, limits: Limits = DEFAULT_LIMITS): CallParams {
  reader.enterStruct(at);
  const which = reader.u16(JS_RPC_TARGET_CALL_PARAMS_WHICH);
  const operation = reader.u16(JS_RPC_TARGET_CALL_PARAMS_OPERATION_WHICH);
  const handler = reader.u16(JS_RPC_TARGET_CALL_PARAMS_RESULTS_STREAM_HANDLER_WHICH);
  const pathAt = reader.pointer(JS_RPC_TARGET_CALL_PARAMS_METHOD_PATH_POINTER);
  const valueAt = reader.pointer(JS_RPC_TARGET_CALL_PARAMS_OPERATION_CALL_WITH_ARGS_POINTER);
  const pusherAt = reader.pointer(JS_RPC_TARGET_CALL_PARAMS_RESULTS_STREAM_HANDLER_EXTERNAL_PUSHER_POINTER);
  if (which > JS_RPC_TARGET_CALL_PARAMS_IS_METHOD_PATH)
    throw new DecodeError(`a call by a way of unknown kind ${which}`);
  if (operation > Operation.get) throw new DecodeError(`an operation of unknown kind ${operation}`);
  const hasPusher = handler === JS_RPC_TARGET_CALL_PARAMS_RESULTS_STREAM_HANDLER_IS_EXTERNAL_PUSHER;
  return {
    path: which === JS_RPC_TARGET_CALL_PARAMS_IS_METHOD_NAME ? [reader.text(pathAt)] : readPath(reader, pathAt, limits),
    operation: operation as Operation,
    value: operation === Operation.call ? findJsValue(reader, valueAt, limits) : undefined,
    externalPusher: hasPusher ? reader.capabilityIndex(pusherAt) : -1,
  };
}

function writePath(out: SegmentWriter, pointerAt: number, path: readonly string[]): void {
  const count = path.length;
  if (count === 0) return;
  const at = out.length;
  out.ensure(8 * count);
  setListPointer(out.view, pointerAt, at, ElementSize.pointer, count);
  out.length = at + 8 * count;
  for (let i = 0; i < count; i++) writeText(out, at + 8 * i, path[i] as string);
}

function readPath(reader: SegmentReader, pointerAt: number, limits: Limits): readonly string[] {
  reader.enterPointerList(pointerAt);
  const { listAt, listCount } = reader;
  if (listCount > limits.maxPathLength) {
    throw new DecodeError(`RPC pipelined property path is too deep (max ${limits.maxPathLength}).`);
  }
  const path: string[] = [];
  for (let i = 0; i < listCount; i++) path.push(reader.text(listAt + 8 * i));
  return path;
}
