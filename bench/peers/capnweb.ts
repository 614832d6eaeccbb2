// capnweb as its README sets it up for Node: a session on each end of a `ws` WebSocket, the main stub called directly.
import { newWebSocketRpcSession, RpcTarget } from "capnweb";
import { WebSocket as NodeWebSocket } from "ws";
import { listenWebSocket, openWebSocket } from "../loopback.ts";
import type { Peer } from "../peer.ts";

// capnweb asks the global class for its constants, which Node 20 has not.
globalThis.WebSocket ??= NodeWebSocket as unknown as typeof WebSocket;

class Adder extends RpcTarget {
  add(a: number, b: number): number {
    return a + b;
  }
}

/** `ws` sockets do what capnweb asks of the standard ones; only their declared types differ. */
function standard(socket: NodeWebSocket): WebSocket {
  return socket as unknown as WebSocket;
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
    return { call: (a, b) => api.add(a, b), close: () => api[Symbol.dispose]() };
  },
};
