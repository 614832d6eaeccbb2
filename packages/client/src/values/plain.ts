// Values without objects of their own: reasons, props.
import { DecodeError, type HostObjectReader, type JsValueRef, type Limits, readJsValue } from "@capstan/wire";

const NO_OBJECTS: HostObjectReader = {
  readHostObject: () => {
    throw new DecodeError("a value holds an object where only plain ones may be");
  },
};

/** Reads a value that must hold no stubs, streams or other objects of ours. Throws DecodeError. */
export function readPlainValue(ref: JsValueRef, limits: Limits): unknown {
  return readJsValue(ref, NO_OBJECTS, limits);
}
