// capnp-ts: its own RPC over ws. The classes are what its compiler would write for schemas/adder.capnp: there is none on npm
// for this version.
import {
  type Client,
  Conn,
  getInterfaceClient,
  type Method,
  ObjectSize,
  RemotePromise,
  Server,
  Struct,
  type StructCtor,
  setInterfaceClient,
  type WebSocketLike,
} from "capnp-ts";
import type { ChainMode } from "../../packages/cli/src/bench/metrics.ts";
import { listenWebSocket, openWebSocket } from "../loopback.ts";
import type { Peer } from "../peer.ts";

class Nothing extends Struct {
  static override readonly _capnp = { displayName: "Nothing", id: "aec21e3a97a9a0b1", size: new ObjectSize(0, 0) };
}

class Pair extends Struct {
  static override readonly _capnp = { displayName: "Pair", id: "aec21e3a97a9a0b2", size: new ObjectSize(8, 0) };
  get a(): number {
    return Struct.getInt32(0, this);
  }
  set a(value: number) {
    Struct.setInt32(0, value, this);
  }
  get b(): number {
    return Struct.getInt32(4, this);
  }
  set b(value: number) {
    Struct.setInt32(4, value, this);
  }
}

class Count extends Struct {
  static override readonly _capnp = { displayName: "Count", id: "aec21e3a97a9a0b3", size: new ObjectSize(8, 0) };
  get value(): number {
    return Struct.getInt32(0, this);
  }
  set value(value: number) {
    Struct.setInt32(0, value, this);
  }
}

class StepResult extends Struct {
  static override readonly _capnp = { displayName: "StepResult", id: "aec21e3a97a9a0b4", size: new ObjectSize(0, 1) };
  get step(): Client {
    return getInterfaceClient(0, this);
  }
  setStep(step: Server): void {
    setInterfaceClient(0, step, this);
  }
}

class StepPromise extends RemotePromise<StepResult> {
  /** The step that is to come. */
  get step(): Client {
    return this.pipelineClient(0);
  }
}

function method<P extends Struct, R extends Struct>(
  interfaceId: bigint,
  methodId: number,
  ParamsClass: StructCtor<P>,
  ResultsClass: StructCtor<R>,
): Method<P, R> {
  return { interfaceId, interfaceName: "", methodId, methodName: "", ParamsClass, ResultsClass };
}

const ADDER = 0xcf2f187542a42df2n;
const STEP = 0x83dfa04a0f78a54en;
const add = method(ADDER, 0, Pair, Count);
const first = method(ADDER, 1, Nothing, StepResult);
const next = method(STEP, 0, Nothing, StepResult);
const count = method(STEP, 1, Nothing, Count);

function stepServer(number: number): Server {
  return new Server([
    { ...next, impl: (_: Nothing, results: StepResult) => results.setStep(stepServer(number + 1)) },
    {
      ...count,
      impl(_: Nothing, results: Count) {
        results.value = number;
      },
    },
  ]);
}

const adder = new Server([
  {
    ...add,
    impl({ a, b }: Pair, results: Count) {
      results.value = a + b;
    },
  },
  { ...first, impl: (_: Nothing, results: StepResult) => results.setStep(stepServer(1)) },
]);

class AdderClient {
  readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  async add(a: number, b: number): Promise<number> {
    const results = await this.client.call(add, (params: Pair) => {
      params.a = a;
      params.b = b;
    });
    return results.value;
  }

  async chain(length: number, mode: ChainMode): Promise<number> {
    const isAwaited = mode === "awaited";
    let promise = this.client.call(first, undefined, StepPromise);
    for (let at = 2; at < length; at++) {
      if (isAwaited) await promise;
      promise = promise.step.call(next, undefined, StepPromise);
    }
    if (isAwaited) await promise;
    return (await promise.step.call(count)).value;
  }
}

const ADDER_INTERFACE = { _capnp: { displayName: "Adder", id: ADDER.toString(16) }, Client: AdderClient };

export const peer: Peer = {
  about: "capnp-ts's own RPC over ws",
  packages: ["capnp-ts", "ws"],
  listen: () =>
    listenWebSocket((socket) => {
      new Conn(socket as unknown as WebSocketLike, { main: adder });
    }),
  async connect(port) {
    const conn = new Conn((await openWebSocket(port)) as unknown as WebSocketLike);
    const api = conn.bootstrap(ADDER_INTERFACE);
    return {
      call: (a, b) => api.add(a, b),
      chain: (length, mode) => api.chain(length, mode),
      close: () => conn.close(),
    };
  },
};
