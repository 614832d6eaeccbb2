// Link.service: the first call on every link, for each service that is used over it.
import {
  LINK_SERVICE_PARAMS_ENTRYPOINT_POINTER,
  LINK_SERVICE_PARAMS_NAME_POINTER,
  LINK_SERVICE_PARAMS_PROPS_POINTER,
  LINK_SERVICE_RESULTS_SERVICE_POINTER,
} from "../gen/link.ts";
import { type ExternalsWriter, findJsValue, type JsValueRef, writeJsValue } from "../js-rpc/js-value.ts";
import { DEFAULT_LIMITS, type Limits } from "../limits.ts";
import { setCapabilityPointer, setStructPointer } from "../segment/pointers.ts";
import type { SegmentReader } from "../segment/reader.ts";
import { writeText } from "../segment/text.ts";
import type { SegmentWriter } from "../segment/writer.ts";

export interface ServiceParams {
  /** Name of the service, "" for the host's first one. */
  readonly name: string;
  /** Name of the entrypoint, "" for the default export. */
  readonly entrypoint: string;
  /** What the binding hands over as `ctx.props`: a plain value, without stubs. Undefined: nothing. */
  readonly props?: unknown;
}

/** The same as it came: the props' bytes have not been read. */
export interface ReceivedServiceParams extends Omit<ServiceParams, "props"> {
  readonly props: JsValueRef | undefined;
}

const NO_STUBS: ExternalsWriter = { externals: [], writeHostObject: () => false };

/** Appends the params and points the pointer at `at` to them. Throws as `writeValue` does for props that are no value. */
export function writeServiceParams(
  out: SegmentWriter,
  at: number,
  { name, entrypoint, props }: ServiceParams,
  limits: Limits = DEFAULT_LIMITS,
): void {
  const pointers = out.length;
  const count = props === undefined ? 2 : 3;
  out.ensure(24);
  out.bytes.fill(0, pointers, pointers + 8 * count);
  setStructPointer(out.view, at, pointers, 0, count);
  out.length = pointers + 8 * count;
  // Null is "".
  if (name !== "") writeText(out, pointers + 8 * LINK_SERVICE_PARAMS_NAME_POINTER, name);
  if (entrypoint !== "") writeText(out, pointers + 8 * LINK_SERVICE_PARAMS_ENTRYPOINT_POINTER, entrypoint);
  if (props !== undefined) {
    writeJsValue(out, pointers + 8 * LINK_SERVICE_PARAMS_PROPS_POINTER, props, NO_STUBS, limits);
  }
}

/** Reads the params that the pointer at `at` leads to. Throws DecodeError. */
export function readServiceParams(
  reader: SegmentReader,
  at: number,
  limits: Limits = DEFAULT_LIMITS,
): ReceivedServiceParams {
  reader.enterStruct(at);
  const name = reader.pointer(LINK_SERVICE_PARAMS_NAME_POINTER);
  const entrypoint = reader.pointer(LINK_SERVICE_PARAMS_ENTRYPOINT_POINTER);
  const props = reader.pointer(LINK_SERVICE_PARAMS_PROPS_POINTER);
  return {
    name: reader.text(name),
    entrypoint: reader.text(entrypoint),
    props: findJsValue(reader, props, limits),
  };
}

/** Appends the results: the service at `capIndex` of the cap table. Points the pointer at `at` to them. */
export function writeServiceResults(out: SegmentWriter, at: number, capIndex: number): void {
  const pointers = out.length;
  out.ensure(8);
  setStructPointer(out.view, at, pointers, 0, 1);
  setCapabilityPointer(out.view, pointers + 8 * LINK_SERVICE_RESULTS_SERVICE_POINTER, capIndex);
  out.length = pointers + 8;
}

/** Reads the results that the pointer at `at` leads to: the service's index in the cap table, or -1. */
export function readServiceResults(reader: SegmentReader, at: number): number {
  reader.enterStruct(at);
  return reader.capabilityIndex(reader.pointer(LINK_SERVICE_RESULTS_SERVICE_POINTER));
}
