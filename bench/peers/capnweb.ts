// capnweb as its README sets it up for Node: a session on each end of a `ws` WebSocket, the main stub called directly.
import { newWebSocketRpcSession, type RpcStub, RpcTarget } from "capnweb";
import { WebSocket as NodeWebSocket } from "ws";
import { chunkStream, countBytes } from "../../packages/cli/src/bench/chunks.ts";
import { holdStubs } from "../hold-stubs.ts";
import { listenWebSocket, openWebSocket } from "../loopback.ts";
import type { Peer } from "../peer.ts";

// capnweb asks the global class for its constants, which Node 20 has not.
globalThis.WebSocket ??= NodeWebSocket as unknown as typeof WebSocket;

class Step extends RpcTarget {
  readonly #steps: number;

  constructor(steps: number) {
    super();
    this.#steps = steps;
  }

  next(): Step {
    return new Step(this.#steps + 1);
  }

  steps(): number {
    return this.#steps;
  }
}

class Adder extends RpcTarget {
  add(a: number, b: number): number {
    return a + b;
  }

  first(): Step {
    return new Step(1);
  }

  targets(count: number): Step[] {
    return Array.from({ length: count }, (_, steps) => new Step(steps));
  }

  download(chunks: number): ReadableStream<Uint8Array> {
    return chunkStream(chunks);
  }

  upload(stream: ReadableStream<Uint8Array>): Promise<number> {
    return countBytes(stream);
  }
}

/** `ws` sockets do what capnweb asks of the standard ones; only their declared types differ. */
function standard(socket: NodeWebSocket): WebSocket {
  return socket as unknown as WebSocket;
}

/** Each call waits for the result of the one before it. */
async function walk(api: RpcStub<Adder>, length: number): Promise<number> {
  let step = await api.first();
  for (let at = 2; at < length; at++) {
    using before = step;
    step = await before.next();
  }
  using last = step;
  return await last.steps();
}

export const peer: Peer = {
  about: "capnweb sessions over ws",
  packages: ["capnweb", "ws"],
  listen: () =>
    listenWebSocket((socket) => {
      newWebSocketRpcSession(standard(socket), new Adder());
    }),
  async connect(port) {
    const api = newWebSocketRpcSession<Adder>(standard(await openWebSocket(port)));
    return {
      call: (a, b) => api.add(a, b),
      async chain(length, mode) {
        if (mode === "awaited") return walk(api, length);
        let step = api.first();
        for (let at = 2; at < length; at++) step = step.next();
        return await step.steps();
      },
      hold: (count) => holdStubs(count, (some) => api.targets(some)),
      upload: async (chunks) => api.upload(chunkStream(chunks)),
      download: async (chunks) => countBytes(await api.download(chunks)),
      close: () => api[Symbol.dispose](),
    };
  },
};
