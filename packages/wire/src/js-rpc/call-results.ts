// hot path (bench: npm run bench). What JsRpcTarget.call returns.
import {
  JS_RPC_TARGET_CALL_RESULTS_CALL_PIPELINE_POINTER,
  JS_RPC_TARGET_CALL_RESULTS_HAS_DISPOSER_BIT,
  JS_RPC_TARGET_CALL_RESULTS_RESULT_POINTER,
} from "../gen/js-rpc.ts";
import { DEFAULT_LIMITS, type Limits } from "../limits.ts";
import { setCapabilityPointer, setStructPointer } from "../segment/pointers.ts";
import type { SegmentReader } from "../segment/reader.ts";
import type { SegmentWriter } from "../segment/writer.ts";
import { type ExternalsWriter, findJsValue, type JsValueRef, writeJsValue } from "./js-value.ts";

export interface CallResultOptions {
  /** Index into the cap table of the target that stands for the result. Default: none. */
  readonly callPipeline?: number | undefined;
  /** Whether the result's own disposer runs when `callPipeline` is dropped. Default false. */
  readonly hasDisposer?: boolean | undefined;
}

export interface CallResults {
  readonly value: JsValueRef | undefined;
  /** Index into the cap table, or -1. */
  readonly callPipeline: number;
  readonly hasDisposer: boolean;
}

const NO_OPTIONS: CallResultOptions = Object.freeze({ callPipeline: undefined, hasDisposer: undefined });

/**
 * Appends the results of a call and points the pointer at `at` to them. Throws as `writeValue` does; `out.length` is
 * then anywhere behind where it was.
 */
export function writeCallResults(
  out: SegmentWriter,
  at: number,
  value: unknown,
  host: ExternalsWriter,
  limits: Limits,
  options: CallResultOptions = NO_OPTIONS,
): void {
  const { callPipeline = -1, hasDisposer = false } = options;
  const dataWords = hasDisposer ? 1 : 0;
  const pointers = callPipeline >= 0 ? 2 : 1;
  const data = out.length;
  out.ensure(24);
  setStructPointer(out.view, at, data, dataWords, pointers);
  const first = data + 8 * dataWords;
  if (hasDisposer) {
    out.view.setFloat64(data, 0);
    out.view.setUint8(data, 1 << JS_RPC_TARGET_CALL_RESULTS_HAS_DISPOSER_BIT);
  }
  if (callPipeline >= 0) {
    setCapabilityPointer(out.view, first + 8 * JS_RPC_TARGET_CALL_RESULTS_CALL_PIPELINE_POINTER, callPipeline);
  }
  out.length = first + 8 * pointers;
  writeJsValue(out, first + 8 * JS_RPC_TARGET_CALL_RESULTS_RESULT_POINTER, value, host, limits);
}

/** Reads the results that the pointer at `at` leads to, but for the value's bytes. Throws DecodeError. */
export function readCallResults(reader: SegmentReader, at: number, limits: Limits = DEFAULT_LIMITS): CallResults {
  reader.enterStruct(at);
  const resultAt = reader.pointer(JS_RPC_TARGET_CALL_RESULTS_RESULT_POINTER);
  const callPipeline = reader.capabilityIndex(reader.pointer(JS_RPC_TARGET_CALL_RESULTS_CALL_PIPELINE_POINTER));
  const hasDisposer = reader.bit(JS_RPC_TARGET_CALL_RESULTS_HAS_DISPOSER_BIT);
  return { value: findJsValue(reader, resultAt, limits), callPipeline, hasDisposer };
}
