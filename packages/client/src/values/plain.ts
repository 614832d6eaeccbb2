// Values without objects of their own: reasons, props.
import type { PayloadEncoder } from "@capstan/vat";
import {
  DecodeError,
  type ExternalsWriter,
  type HostObjectReader,
  type JsValueRef,
  type Limits,
  readJsValue,
  writeValueParams,
} from "@capstan/wire";

const NO_OBJECTS: HostObjectReader = {
  readHostObject: () => {
    throw new DecodeError("a value holds an object where only plain ones may be");
  },
};

/** Reads a value that must hold no stubs, streams or other objects of ours. Throws DecodeError. */
export function readPlainValue(ref: JsValueRef, limits: Limits): unknown {
  return readJsValue(ref, NO_OBJECTS, limits);
}

const NO_EXTERNALS: ExternalsWriter = { externals: [], writeHostObject: () => false };

/** Writes params that are one such value. */
export function plainEncoder(limits: Limits): PayloadEncoder<unknown> {
  return { encode: (out, value) => writeValueParams(out.writer, out.at, value, NO_EXTERNALS, limits) };
}
