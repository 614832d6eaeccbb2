// Calls as a foreign peer could make them: no stub stands in between.
import { once } from "node:events";
import { WebSocket } from "ws";
import {
  Connection,
  type ReceivedPayload,
  type RpcError,
  WebSocketTransport,
} from "../../../packages/vat/src/index.ts";
import {
  JS_RPC_TARGET_ID_HIGH,
  JS_RPC_TARGET_ID_LOW,
  LINK_ID_HIGH,
  LINK_ID_LOW,
  LINK_SERVICE_METHOD,
  Operation,
  resolveLimits,
  writeCallParams,
  writeServiceParams,
} from "../../../packages/wire/src/index.ts";

const NO_HOST = { externals: [], writeHostObject: () => false };

/** Calls what `path` leads to in the default export of the Worker "callee", without arguments. */
export async function callPath(url: string, path: readonly string[]): Promise<ReceivedPayload> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/_capstan`, ["capstan.1"]);
  const connection = new Connection(new WebSocketTransport(socket as never, setImmediate));
  try {
    await once(socket, "open");
    const link = connection.bootstrap();
    const limits = resolveLimits();
    const service = link
      .call(
        LINK_ID_HIGH,
        LINK_ID_LOW,
        LINK_SERVICE_METHOD,
        { encode: (out) => writeServiceParams(out.writer, out.at, { name: "callee", entrypoint: "" }) },
        undefined,
        { handleResults: () => {}, handleException: () => {} },
      )
      .pipeline([0]);
    return await new Promise((handleResults, reject) => {
      service.call(
        JS_RPC_TARGET_ID_HIGH,
        JS_RPC_TARGET_ID_LOW,
        0,
        { encode: (out) => writeCallParams(out.writer, out.at, path, undefined, Operation.call, NO_HOST, limits) },
        undefined,
        { handleResults, handleException: (error: RpcError) => reject(error) },
      );
    });
  } finally {
    connection.close();
  }
}
