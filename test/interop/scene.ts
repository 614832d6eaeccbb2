// What a scenario of the TypeScript client works with: connections to the C++ server, objects of its own, calls, checks.
import { setImmediate, setTimeout } from "node:timers/promises";
import { expect } from "chai";
import { WebSocket } from "ws";
import {
  type Capability,
  Connection,
  callMethod,
  type MethodCall,
  RecordingTransport,
  type RpcError,
  type StructBuilder,
  type TrafficListener,
  WebSocketTransport,
} from "../../packages/vat/src/index.ts";
import { connectSocket } from "../../packages/vat/src/node/index.ts";
import { FrameReader, MessageKind } from "../../packages/wire/src/index.ts";
import * as schema from "./gen/interop.ts";
import { type Act, Counts, capabilityOf, done, LIMITS, makeTarget, next, type OwnTarget, read } from "./objects.ts";
import { needPeer, PeerServer, type PeerTransport } from "./peer.ts";

/** Calls that are sent as fast as can be. */
const MANY_CALLS = 5_000;

/** How a suite talks to the C++ server. */
export interface Way {
  readonly transport: PeerTransport;
  /** The server tears its messages into many segments. */
  readonly isTorn: boolean;
}

const WAYS: readonly Way[] = [
  { transport: "ws", isTorn: false },
  { transport: "tcp", isTorn: false },
  { transport: "unix", isTorn: false },
  { transport: "ws", isTorn: true },
  { transport: "tcp", isTorn: true },
];

/** Declares a scenario by its name in the README, and what it shows. Afterwards neither end holds anything of it. */
export type Declare = (name: string, shows: string, run: (t: Scene) => Promise<void>) => void;

/** Declares scenarios once for each way to talk to the C++ server. */
export function onEachWay(subject: string, declare: (scenario: Declare, way: Way) => void): void {
  describe(`interop: the TypeScript client and a C++ server: ${subject}`, () => {
    const binary = needPeer();
    for (const way of WAYS) {
      describe(`over ${way.transport}${way.isTorn ? ", from a server that tears its messages" : ""}`, () => {
        let server: PeerServer;

        before(async () => {
          server = await PeerServer.start(binary(), "serve", way.transport, ...(way.isTorn ? ["--tear"] : []));
        });

        after(async () => {
          if (server === undefined) return;
          const { code, stderr } = await server.end();
          expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
        });

        declare((name, shows, run) => {
          it(`${name}: ${shows}`, async () => {
            using scene = new Scene(way.transport, server.address);
            await run(scene);
            await scene.end();
          });
        }, way);
      });
    }
  });
}

/** What the server counts. */
export interface Status {
  readonly objects: number;
  readonly hanging: number;
  readonly cancelled: number;
}

/** Where most results have a capability. */
const TARGET = schema.TARGET_RESULT_TARGET_POINTER;

/** Hears what passes in frames of one message each. */
class Traffic implements TrafficListener {
  /** Segments of the received message that had most of them. */
  mostSegments = 0;
  /** Messages of this kind that were sent. */
  disembargoes = 0;
  readonly #sent = new FrameReader(LIMITS, { batched: false });

  handleOpen(): void {}

  handleSent(frame: Uint8Array): void {
    this.#sent.open(frame);
    if (this.#sent.next()?.kind === MessageKind.disembargo) this.disembargoes++;
  }

  handleReceived(frame: Uint8Array): void {
    const { buffer, byteOffset } = frame;
    this.mostSegments = Math.max(this.mostSegments, new DataView(buffer, byteOffset).getUint32(0, true) + 1);
  }

  handleClosed(): void {}
}

export class Scene implements Disposable {
  /** Of this end's own objects. */
  readonly counts = new Counts();
  readonly connection: Connection;
  /** The bootstrap capability of `connection`. */
  readonly server: Capability;
  /** What passed over WebSockets; what passes over sockets this end does not see. */
  readonly traffic: Traffic | undefined;
  readonly #transport: PeerTransport;
  readonly #address: string;
  readonly #connections: Connection[] = [];
  readonly #held: Capability[] = [];
  /** Asks the server what it counts, whatever becomes of the other connections. */
  readonly #witness: Connection;
  readonly #watched: Capability;

  constructor(transport: PeerTransport, address: string) {
    this.traffic = transport === "ws" ? new Traffic() : undefined;
    this.#transport = transport;
    this.#address = address;
    this.#witness = this.#open();
    this.#watched = this.#witness.bootstrap();
    this.connection = this.connect();
    this.server = this.bootstrap(this.connection);
  }

  /** Another connection to the same server. */
  connect(): Connection {
    const connection = this.#open();
    this.#connections.push(connection);
    return connection;
  }

  #open(): Connection {
    if (this.#transport === "unix") return connectSocket({ path: this.#address });
    if (this.#transport === "tcp") return connectSocket({ port: Number(this.#address.split(":")[1]) });
    const socket = new WebSocket(`ws://${this.#address}/_capstan`, { perMessageDeflate: false });
    const transport = new WebSocketTransport(socket, process.nextTick);
    return new Connection(new RecordingTransport(transport, this.traffic!));
  }

  /** Held until the scenario ends. */
  bootstrap(connection: Connection): Capability {
    return this.hold(connection.bootstrap());
  }

  /** Takes over a reference, and gives it back when the scenario ends. */
  hold(cap: Capability): Capability {
    this.#held.push(cap);
    return cap;
  }

  /** Gives references back now. */
  drop(...caps: Capability[]): void {
    for (const cap of caps) {
      this.#held.splice(this.#held.indexOf(cap), 1);
      cap.release();
    }
  }

  /** An object of this end's own. */
  makeOwn(name: string, number: number): OwnTarget {
    const own = makeTarget(this.counts, name, number);
    this.hold(own.cap);
    return own;
  }

  /** One that does as it is told when it is called. */
  makeActing(act: Act): Capability {
    return this.hold(makeTarget(this.counts, "acting", 0, act).cap);
  }

  /** What the results of a call will hold, before they have come. Nobody waits for the results themselves. */
  promised(call: MethodCall, ...pointers: number[]): Capability {
    const cap = this.hold(call.pipeline(...(pointers.length === 0 ? [TARGET] : pointers)));
    call.cancel();
    return cap;
  }

  /** What the results of a call hold, once they have come. */
  async arrived(call: MethodCall, pointer = TARGET): Promise<Capability> {
    return this.hold(await read(call, (results) => capabilityOf(results, pointer)));
  }

  newTarget(name: string, number: number, server = this.server): MethodCall {
    return callMethod(server, schema.INTEROP_TEST_NEW_TARGET, (params) => {
      params.setText(schema.INTEROP_TEST_NEW_TARGET_PARAMS_NAME_POINTER, name);
      params.setNumber("int32", schema.INTEROP_TEST_NEW_TARGET_PARAMS_NUMBER, number);
    });
  }

  reflect(target: Capability | undefined): MethodCall {
    return callMethod(this.server, schema.INTEROP_TEST_REFLECT, (params) => {
      if (target !== undefined) params.setCapability(schema.INTEROP_TEST_REFLECT_PARAMS_TARGET_POINTER, target);
    });
  }

  child(target: Capability, name: string): MethodCall {
    return callMethod(target, schema.TARGET_CHILD, (params) =>
      params.setText(schema.TARGET_CHILD_PARAMS_NAME_POINTER, name),
    );
  }

  path(target: Capability): Promise<string> {
    return read(callMethod(target, schema.TARGET_PATH), (results) =>
      results.text(schema.TARGET_PATH_RESULTS_PATH_POINTER),
    );
  }

  seen(target: Capability): Promise<number[]> {
    return read(callMethod(target, schema.TARGET_SEEN), (results) =>
      results.numbers(schema.TARGET_SEEN_RESULTS_NUMBERS_POINTER, "uint32"),
    );
  }

  callEach(targets: readonly (Capability | undefined)[], n: number): Promise<number[]> {
    const call = callMethod(this.server, schema.INTEROP_TEST_CALL_EACH, (params) => {
      params.setNumber("int32", schema.INTEROP_TEST_CALL_EACH_PARAMS_N, n);
      params.setCapabilities(schema.INTEROP_TEST_CALL_EACH_PARAMS_TARGETS_POINTER, targets);
    });
    return read(call, (results) => results.numbers(schema.INTEROP_TEST_CALL_EACH_RESULTS_RESULTS_POINTER, "int32"));
  }

  async callTimes(target: Capability, times: number, server = this.server): Promise<number> {
    const call = callMethod(server, schema.INTEROP_TEST_CALL_TIMES, (params) => {
      params.setCapability(schema.INTEROP_TEST_CALL_TIMES_PARAMS_TARGET_POINTER, target);
      params.setNumber("uint32", schema.INTEROP_TEST_CALL_TIMES_PARAMS_TIMES, times);
    });
    return Number(await read(call, (results) => results.int64(schema.INTEROP_TEST_CALL_TIMES_RESULTS_SUM)));
  }

  put(name: string, target: Capability | undefined, server = this.server): Promise<void> {
    const write = (params: StructBuilder): void => {
      params.setText(schema.INTEROP_TEST_PUT_PARAMS_NAME_POINTER, name);
      if (target !== undefined) params.setCapability(schema.INTEROP_TEST_PUT_PARAMS_TARGET_POINTER, target);
    };
    return done(callMethod(server, schema.INTEROP_TEST_PUT, write));
  }

  get(name: string, server = this.server): MethodCall {
    return callMethod(server, schema.INTEROP_TEST_GET, (params) =>
      params.setText(schema.INTEROP_TEST_GET_PARAMS_NAME_POINTER, name),
    );
  }

  /** Who calls `next` on the target when asked to. */
  feed(target: Capability, server = this.server): Capability {
    const call = callMethod(server, schema.INTEROP_TEST_FEED, (params) =>
      params.setCapability(schema.INTEROP_TEST_FEED_PARAMS_TARGET_POINTER, target),
    );
    return this.promised(call, schema.INTEROP_TEST_FEED_RESULTS_FEEDER_POINTER);
  }

  feedSome(feeder: Capability, count: number): Promise<void> {
    return done(
      callMethod(feeder, schema.FEEDER_SEND, (params) =>
        params.setNumber("uint32", schema.FEEDER_SEND_PARAMS_COUNT, count),
      ),
    );
  }

  /** Waits for everything that the feeder sent, and says how much that was. */
  feedEnd(feeder: Capability): Promise<number> {
    return read(callMethod(feeder, schema.FEEDER_FINISH), (results) =>
      results.uint32(schema.FEEDER_FINISH_RESULTS_SENT),
    );
  }

  hang(server = this.server): MethodCall {
    return callMethod(server, schema.INTEROP_TEST_HANG);
  }

  hangOn(target: Capability, tail: boolean, server = this.server): MethodCall {
    return callMethod(server, schema.INTEROP_TEST_HANG_ON, (params) => {
      params.setCapability(schema.INTEROP_TEST_HANG_ON_PARAMS_TARGET_POINTER, target);
      params.setBool(schema.INTEROP_TEST_HANG_ON_PARAMS_TAIL_BIT, tail);
    });
  }

  status(server = this.server): Promise<Status> {
    return read(callMethod(server, schema.INTEROP_TEST_STATUS), (results) => ({
      objects: results.uint32(schema.INTEROP_TEST_STATUS_OBJECTS),
      hanging: results.uint32(schema.INTEROP_TEST_STATUS_HANGING),
      cancelled: results.uint32(schema.INTEROP_TEST_STATUS_CANCELLED),
    }));
  }

  /**
   * Waits until the condition holds. It is checked anew after each round trip to the server over a connection that nothing
   * else uses, and told what the server counts.
   */
  async eventually(what: string, condition: (status: Status) => boolean): Promise<void> {
    const deadline = Date.now() + 10_000;
    for (let status = await this.status(this.#watched); !condition(status); ) {
      if (Date.now() > deadline) {
        const state = { status, counts: this.counts, tables: this.#connections.map(({ tables }) => tables) };
        throw new Error(`It did not come about within 10 seconds that ${what}: ${JSON.stringify(state)}`);
      }
      status = await this.status(this.#watched);
    }
  }

  /**
   * Sends numbers to `target`, two each turn of the event loop, until some turns after `until` has come about. Waits until
   * they were answered.
   *
   * @returns how many there were.
   */
  async sendUntil(target: Capability, until: Promise<unknown>): Promise<number> {
    let isOver = false;
    const watching = until.then(() => {
      isOver = true;
    });
    const sent: Promise<void>[] = [];
    for (let after = 0; after < 30; after += isOver ? 1 : 0) {
      sent.push(next(target, sent.length), next(target, sent.length + 1));
      // A loaded machine must not be sent more calls than it answers.
      await (sent.length < MANY_CALLS ? setImmediate() : setTimeout(1));
      if (sent.length > 100_000) throw new Error("It never comes about.");
    }
    await Promise.all([watching, ...sent]);
    return sent.length;
  }

  /** Gives back what the scenario holds, and fails unless that was all that both ends held of each other. */
  async end(): Promise<void> {
    this.drop(...this.#held);
    const { counts } = this;
    await this.eventually(
      "both ends let go of everything",
      ({ objects, hanging }) =>
        objects === 0 && hanging === 0 && counts.objects === 0 && this.#connections.every(holdsNothing),
    );
    expect(counts.hanging).to.equal(0);
  }

  [Symbol.dispose](): void {
    for (const connection of [...this.#connections, this.#witness]) connection.close();
  }
}

function holdsNothing({ tables }: Connection): boolean {
  return Object.values(tables).every((size) => size === 0);
}

/** Fails unless `outcome` fails with this type, and a reason that contains the text. */
export async function expectFailure(outcome: PromiseLike<unknown>, type: number, text = ""): Promise<void> {
  const failure = await outcome.then(
    () => undefined,
    (error: RpcError) => error,
  );
  expect(failure, "what failed").to.include({ name: "RpcError", type });
  expect(failure?.message).to.include(text);
}

/** 0, 1, 2, … */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
