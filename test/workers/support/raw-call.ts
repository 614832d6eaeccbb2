// Calls as a foreign peer could make them: no stub stands in between.
import { once } from "node:events";
import { WebSocket } from "ws";
import {
  type Capability,
  Connection,
  type ReceivedPayload,
  type RpcError,
  WebSocketTransport,
} from "../../../packages/vat/src/index.ts";
import {
  type ExternalsWriter,
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

const NO_HOST: ExternalsWriter = { externals: [], writeHostObject: () => false };
const NO_ARGS: readonly unknown[] = [];

/** A peer that speaks to the Worker "callee" of a host. */
export class RawPeer {
  readonly #connection: Connection;
  readonly #service: Capability;

  constructor(connection: Connection) {
    this.#connection = connection;
    const encoder = {
      encode: (out: { writer: never; at: number }) =>
        writeServiceParams(out.writer, out.at, { name: "callee", entrypoint: "" }),
    };
    const sink = { handleResults: () => {}, handleException: () => {} };
    this.#service = connection
      .bootstrap()
      .call(LINK_ID_HIGH, LINK_ID_LOW, LINK_SERVICE_METHOD, encoder as never, undefined, sink)
      .pipeline([0]);
  }

  static async open(url: string): Promise<RawPeer> {
    const socket = new WebSocket(`${url.replace("http", "ws")}/_capstan`, ["capstan.1"]);
    const connection = new Connection(new WebSocketTransport(socket as never, process.nextTick));
    await once(socket, "open");
    return new RawPeer(connection);
  }

  /** Why the link has ended; undefined while it lives. */
  get closedReason(): RpcError | undefined {
    return this.#connection.closedReason;
  }

  /** Calls what `path` leads to. `host` writes the objects among `args`, as truly as it likes. */
  call(path: readonly string[], args = NO_ARGS, host = NO_HOST): Promise<ReceivedPayload> {
    const limits = resolveLimits();
    return new Promise((handleResults, reject) => {
      this.#service.call(
        JS_RPC_TARGET_ID_HIGH,
        JS_RPC_TARGET_ID_LOW,
        0,
        { encode: (out) => writeCallParams(out.writer, out.at, path, args, Operation.call, host, limits) },
        undefined,
        { handleResults, handleException: (error: RpcError) => reject(error) },
      );
    });
  }

  close(): void {
    this.#connection.close();
  }
}

/** One call on a link of its own. */
export async function callPath(url: string, path: readonly string[]): Promise<ReceivedPayload> {
  const peer = await RawPeer.open(url);
  try {
    return await peer.call(path);
  } finally {
    peer.close();
  }
}
