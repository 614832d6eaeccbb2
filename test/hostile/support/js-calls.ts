// Calls of `JsRpcTarget.call` as a peer may lay them out by hand: any bytes as the value, any externals.
import {
  type ExternalsWriter,
  JS_RPC_TARGET_ID_HIGH,
  JS_RPC_TARGET_ID_LOW,
  Operation,
  resolveLimits,
  type SegmentWriter,
  setListPointer,
  setStructPointer,
  writeCallParams,
  writeText,
} from "../../../packages/wire/src/index.ts";
import { call, type RawCall, type To, type Write } from "../../support/raw-messages.ts";

const LIMITS = resolveLimits();
const INTERFACE = [JS_RPC_TARGET_ID_HIGH, JS_RPC_TARGET_ID_LOW] as const;
const BYTES = 2;

/** Stands for a stub among arguments; it takes capability `index` of the call. */
export class StubAt {
  readonly index: number;
  constructor(index: number) {
    this.index = index;
  }
}

/** A well-formed call of `path` with `args`. */
export function jsCall(
  id: number,
  to: To,
  path: string | readonly string[],
  args: readonly unknown[] = [],
  options: RawCall = {},
  operation: Operation = Operation.call,
): Write {
  const content = (writer: SegmentWriter, at: number): void => {
    const host: ExternalsWriter = {
      externals: args.filter((arg) => arg instanceof StubAt).map(({ index }) => ({ kind: 1, capIndex: index })),
      writeHostObject(out, object) {
        if (!(object instanceof StubAt)) return false;
        out.writeHostTag(1);
        return true;
      },
    };
    writeCallParams(writer, at, path, args, operation, host, LIMITS);
  };
  return call(id, to, { content, ...options, interfaceId: INTERFACE });
}

/** A call whose content is `content`'s business. */
export function rawJsCall(
  id: number,
  to: To,
  content: (writer: SegmentWriter, at: number) => void,
  options: RawCall = {},
): Write {
  return call(id, to, { ...options, content, interfaceId: INTERFACE });
}

/** A call of `method` with these bytes as its arguments' value. */
export function callWithBytes(id: number, to: To, method: string, bytes: Uint8Array): Write {
  return rawJsCall(id, to, (writer, at) => {
    const params = append(writer, 32);
    setStructPointer(writer.view, at, params, 1, 3);
    writeText(writer, params + 8, method);
    const value = append(writer, 16);
    setStructPointer(writer.view, params + 16, value, 0, 2);
    const data = append(writer, (bytes.length + 7) & ~7);
    writer.bytes.set(bytes, data);
    setListPointer(writer.view, value, data, BYTES, bytes.length);
  });
}

/** Takes zeroed bytes at the writer's end, and returns their position. */
export function append(writer: SegmentWriter, count: number): number {
  writer.ensure(count);
  const at = writer.length;
  writer.bytes.fill(0, at, at + count);
  writer.length = at + count;
  return at;
}
