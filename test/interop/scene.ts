// What a TypeScript client's scenario works with: connections to the server, objects of its own, and what it checks.
import { expect } from "chai";
import {
  type Capability,
  type Connection,
  callMethod,
  type MethodCall,
  PromiseCapability,
  RpcError,
  type StructBuilder,
} from "../../packages/vat/src/index.ts";
import { connectTo } from "./endpoints.ts";
import * as schema from "./gen/interop.ts";
import {
  type Act,
  Counts,
  callTarget,
  done,
  LIMITS,
  makeStream,
  makeTarget,
  next,
  type OwnTarget,
  read,
  type Totals,
} from "./objects.ts";
import type { PeerTransport } from "./peer.ts";

/** By the schema's `ExceptionType`. */
export const FAILED = 0;
export const OVERLOADED = 1;
export const DISCONNECTED = 2;
export const UNIMPLEMENTED = 3;

export interface Status {
  readonly objects: number;
  readonly hanging: number;
  readonly cancelled: number;
}

/** A promise of the server's, and who decides it. */
export interface TheirPromise {
  readonly target: Capability;
  readonly resolver: Capability;
}

/** What a server is asked, over one connection. Capabilities that it returns are its own: `letGo` gives them back. */
export class Peer {
  readonly connection: Connection;
  readonly bootstrap: Capability;
  readonly #kept: Capability[] = [];

  constructor(transport: PeerTransport, address: string) {
    this.connection = connectTo(transport, address);
    this.bootstrap = this.connection.bootstrap();
  }

  /** Takes over the reference until `letGo`. */
  keep(cap: Capability): Capability {
    this.#kept.push(cap);
    return cap;
  }

  letGo(): void {
    for (const cap of this.#kept.splice(0)) cap.release();
  }

  /** What will be at `pointer` of the results, kept. Nobody asks for the results themselves. */
  pipelined(call: MethodCall, ...pointers: number[]): Capability {
    const cap = this.keep(call.pipeline(...pointers));
    call.cancel();
    return cap;
  }

  /** The capability of a `TargetResult` that has come, kept. */
  async arrived(call: MethodCall): Promise<Capability> {
    return this.keep((await read(call, (results) => results.capability(schema.TARGET_RESULT_TARGET_POINTER)))!);
  }

  newTarget(name: string, number: number): MethodCall {
    return callMethod(this.bootstrap, schema.INTEROP_TEST_NEW_TARGET, (params) => {
      params.setText(schema.INTEROP_TEST_NEW_TARGET_PARAMS_NAME_POINTER, name);
      params.setNumber("int32", schema.INTEROP_TEST_NEW_TARGET_PARAMS_NUMBER, number);
    });
  }

  theirs(name: string, number: number): Promise<Capability> {
    return this.arrived(this.newTarget(name, number));
  }

  add(a: number, b: number): Promise<number> {
    const call = callMethod(this.bootstrap, schema.INTEROP_TEST_ADD, (params) => {
      params.setNumber("int32", schema.INTEROP_TEST_ADD_PARAMS_A, a);
      params.setNumber("int32", schema.INTEROP_TEST_ADD_PARAMS_B, b);
    });
    return read(call, (results) => results.int32(schema.INTEROP_TEST_ADD_RESULTS_SUM));
  }

  echo(fill: (value: StructBuilder) => void): MethodCall {
    return callMethod(this.bootstrap, schema.INTEROP_TEST_ECHO, (params) =>
      fill(params.initStruct(schema.INTEROP_TEST_ECHO_PARAMS_VALUE_POINTER, schema.EVERYTHING_STRUCT_SIZE)),
    );
  }

  reflect(target: Capability | undefined): MethodCall {
    return callMethod(this.bootstrap, schema.INTEROP_TEST_REFLECT, (params) => {
      if (target !== undefined) params.setCapability(schema.INTEROP_TEST_REFLECT_PARAMS_TARGET_POINTER, target);
    });
  }

  callEach(targets: readonly (Capability | undefined)[], n: number): Promise<number[]> {
    const call = callMethod(this.bootstrap, schema.INTEROP_TEST_CALL_EACH, (params) => {
      params.setCapabilities(schema.INTEROP_TEST_CALL_EACH_PARAMS_TARGETS_POINTER, targets);
      params.setNumber("int32", schema.INTEROP_TEST_CALL_EACH_PARAMS_N, n);
    });
    return read(call, (results) => results.numbers(schema.INTEROP_TEST_CALL_EACH_RESULTS_RESULTS_POINTER, "int32"));
  }

  callTimes(target: Capability, times: number): Promise<number> {
    const call = callMethod(this.bootstrap, schema.INTEROP_TEST_CALL_TIMES, (params) => {
      params.setCapability(schema.INTEROP_TEST_CALL_TIMES_PARAMS_TARGET_POINTER, target);
      params.setNumber("uint32", schema.INTEROP_TEST_CALL_TIMES_PARAMS_TIMES, times);
    });
    return read(call, (results) => Number(results.int64(schema.INTEROP_TEST_CALL_TIMES_RESULTS_SUM)));
  }

  status(): Promise<Status> {
    return read(callMethod(this.bootstrap, schema.INTEROP_TEST_STATUS), (results) => ({
      objects: results.uint32(schema.INTEROP_TEST_STATUS_OBJECTS),
      hanging: results.uint32(schema.INTEROP_TEST_STATUS_HANGING),
      cancelled: results.uint32(schema.INTEROP_TEST_STATUS_CANCELLED),
    }));
  }

  /** @param arrived whether the call has returned, and the capability itself is an unresolved promise. */
  async promise(arrived: boolean): Promise<TheirPromise> {
    const call = callMethod(this.bootstrap, schema.INTEROP_TEST_PROMISE);
    const at = [
      schema.INTEROP_TEST_PROMISE_RESULTS_PROMISE_POINTER,
      schema.INTEROP_TEST_PROMISE_RESULTS_RESOLVER_POINTER,
    ] as const;
    if (!arrived) {
      const [target, resolver] = at.map((pointer) => this.keep(call.pipeline(pointer)));
      call.cancel();
      return { target: target!, resolver: resolver! };
    }
    const [target, resolver] = await read(call, (results) => at.map((pointer) => this.keep(results.capability(pointer)!)));
    return { target: target!, resolver: resolver! };
  }

  feed(target: Capability): Capability {
    const call = callMethod(this.bootstrap, schema.INTEROP_TEST_FEED, (params) =>
      params.setCapability(schema.INTEROP_TEST_FEED_PARAMS_TARGET_POINTER, target),
    );
    return this.pipelined(call, schema.INTEROP_TEST_FEED_RESULTS_FEEDER_POINTER);
  }

  hang(): MethodCall {
    return callMethod(this.bootstrap, schema.INTEROP_TEST_HANG);
  }

  hangOn(target: Capability, tail: boolean): MethodCall {
    return callMethod(this.bootstrap, schema.INTEROP_TEST_HANG_ON, (params) => {
      params.setCapability(schema.INTEROP_TEST_HANG_ON_PARAMS_TARGET_POINTER, target);
      params.setBool(schema.INTEROP_TEST_HANG_ON_PARAMS_TAIL_BIT, tail);
    });
  }

  tailCall(target: Capability, n: number): Promise<number> {
    const call = callMethod(this.bootstrap, schema.INTEROP_TEST_TAIL_CALL, (params) => {
      params.setCapability(schema.INTEROP_TEST_TAIL_CALL_PARAMS_TARGET_POINTER, target);
      params.setNumber("int32", schema.INTEROP_TEST_TAIL_CALL_PARAMS_N, n);
    });
    return read(call, (results) => results.int32(schema.CALL_RESULT_N));
  }

  tailChild(target: Capability, name: string): MethodCall {
    return callMethod(this.bootstrap, schema.INTEROP_TEST_TAIL_CHILD, (params) => {
      params.setCapability(schema.INTEROP_TEST_TAIL_CHILD_PARAMS_TARGET_POINTER, target);
      params.setText(schema.INTEROP_TEST_TAIL_CHILD_PARAMS_NAME_POINTER, name);
    });
  }

  openStream(failAt: number): Capability {
    const call = callMethod(this.bootstrap, schema.INTEROP_TEST_OPEN_STREAM, (params) =>
      params.setNumber("uint32", schema.INTEROP_TEST_OPEN_STREAM_PARAMS_FAIL_AT, failAt),
    );
    return this.pipelined(call, schema.INTEROP_TEST_OPEN_STREAM_RESULTS_STREAM_POINTER);
  }

  put(name: string, target?: Capability): Promise<void> {
    return done(
      callMethod(this.bootstrap, schema.INTEROP_TEST_PUT, (params) => {
        params.setText(schema.INTEROP_TEST_PUT_PARAMS_NAME_POINTER, name);
        if (target !== undefined) params.setCapability(schema.INTEROP_TEST_PUT_PARAMS_TARGET_POINTER, target);
      }),
    );
  }

  get(name: string): MethodCall {
    return callMethod(this.bootstrap, schema.INTEROP_TEST_GET, (params) =>
      params.setText(schema.INTEROP_TEST_GET_PARAMS_NAME_POINTER, name),
    );
  }
}

/** One scenario's client: its connection, and others to the same server. */
export class Scene extends Peer {
  readonly counts = new Counts();
  readonly #connect: () => Peer;
  readonly #others: Peer[] = [];

  constructor(transport: PeerTransport, address: string) {
    super(transport, address);
    this.#connect = () => new Peer(transport, address);
  }

  /** Another connection to the same server. */
  connect(): Peer {
    const peer = this.#connect();
    this.#others.push(peer);
    return peer;
  }

  own(name: string, number: number, act?: Act): OwnTarget {
    const target = makeTarget(this.counts, name, number, act);
    this.keep(target.cap);
    return target;
  }

  /** A promise of its own, to be decided. */
  ownPromise(): PromiseCapability {
    const promise = new PromiseCapability(LIMITS);
    this.keep(promise);
    return promise;
  }

  ownStream(failAt: number): Capability {
    return this.keep(makeStream(this.counts, failAt));
  }

  /** Waits until neither end holds anything of the scenario, and this end's tables are as they were. */
  async end(): Promise<void> {
    for (const other of this.#others) {
      other.letGo();
      other.bootstrap.release();
    }
    this.letGo();
    await eventually("the other connections are empty", () =>
      this.#others.every(({ connection }) => Object.values(connection.tables).every((size) => size === 0)),
    );
    for (const { connection } of this.#others) connection.close();
    await eventually("the server has nothing left", async () => {
      const { objects, hanging } = await this.status();
      return objects === 0 && hanging === 0;
    });
    await eventually("the server holds nothing of the client's", () => this.counts.objects === 0);
    expect(this.counts.hanging).to.equal(0);
    await eventually("the tables are empty", () => {
      const { imports, ...others } = this.connection.tables;
      return imports <= 1 && Object.values(others).every((size) => size === 0);
    });
    this.bootstrap.release();
    this.connection.close();
  }
}

export type Scenario = (t: Scene) => Promise<void>;

/** Lets the event loop and the peer do something else. */
export function pause(): Promise<void> {
  return new Promise((go) => setImmediate(go));
}

/** Waits until `condition` holds, for 10 seconds. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`did not come about within 10 seconds: ${what}`);
    await new Promise((go) => setTimeout(go, 2));
  }
}

/** Fails unless `promise` does so with this type, and a reason that contains `text`. */
export async function expectFailure(promise: PromiseLike<unknown>, type: number, text: string): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error, `nothing failed: ${text}`).to.be.instanceOf(RpcError);
  expect((error as RpcError).message).to.include(text);
  expect((error as RpcError).type, (error as RpcError).message).to.equal(type);
}

export function pathOf(target: Capability): Promise<string> {
  return read(callMethod(target, schema.TARGET_PATH), (results) =>
    results.text(schema.TARGET_PATH_RESULTS_PATH_POINTER),
  );
}

export function childOf(target: Capability, name: string): MethodCall {
  return callMethod(target, schema.TARGET_CHILD, (params) =>
    params.setText(schema.TARGET_CHILD_PARAMS_NAME_POINTER, name),
  );
}

export function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** What `target` saw must be 0, 1, 2, …, `count - 1`. */
export async function expectSequence(target: Capability, count: number): Promise<void> {
  const seen = await read(callMethod(target, schema.TARGET_SEEN), (results) =>
    results.numbers(schema.TARGET_SEEN_RESULTS_NUMBERS_POINTER, "uint32"),
  );
  expect(seen).to.deep.equal(numbersTo(count));
}

export function resolve(resolver: Capability, target: Capability): Promise<void> {
  return done(
    callMethod(resolver, schema.RESOLVER_RESOLVE, (params) =>
      params.setCapability(schema.RESOLVER_RESOLVE_PARAMS_TARGET_POINTER, target),
    ),
  );
}

export function feedSome(feeder: Capability, count: number): Promise<void> {
  return done(
    callMethod(feeder, schema.FEEDER_SEND, (params) =>
      params.setNumber("uint32", schema.FEEDER_SEND_PARAMS_COUNT, count),
    ),
  );
}

export function finishFeeding(feeder: Capability): Promise<number> {
  return read(callMethod(feeder, schema.FEEDER_FINISH), (results) => results.uint32(schema.FEEDER_FINISH_RESULTS_SENT));
}

/** Sends numbers to `target`, two each turn, until some time after `until` is done. Returns how many there were. */
export async function sendUntil(target: Capability, until: Promise<unknown>): Promise<number> {
  let isDone = false;
  const finished = until.then(() => {
    isDone = true;
  });
  const sent: Promise<void>[] = [];
  for (let after = 0; after < 30; after += isDone ? 1 : 0) {
    if (sent.length > 100_000) throw new Error("never done");
    sent.push(next(target, sent.length), next(target, sent.length + 1));
    await pause();
  }
  await Promise.all([...sent, finished]);
  return sent.length;
}

/** What `writes` of `size` bytes each add up to. */
export function totalsOf(writes: number, size: number): Totals {
  const sum = numbersTo(writes).reduce((total, i) => total + (i & 0xff) * size, 0);
  return { writes, bytes: BigInt(writes * size), sum: BigInt(sum) };
}

export { callTarget };
