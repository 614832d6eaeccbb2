import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  CallStream,
  type Capability,
  Connection,
  callMethod,
  fixedWindow,
  InterfaceServer,
  LocalCapability,
  MemoryTransport,
  type Method,
  type NumberType,
  RpcError,
} from "../../packages/vat/src/index.ts";
import { connectSocket, listenSocket } from "../../packages/vat/src/node/index.ts";
import { resolveLimits } from "../../packages/wire/src/index.ts";

const LIMITS = resolveLimits();
const ID = 0xfedc_ba98_7654_3210n;

function method(methodId: number, params: [number, number], results: [number, number]): Method {
  const size = ([dataWords, pointers]: [number, number]) => ({ dataWords, pointers });
  return { interfaceId: ID, methodId, params: size(params), results: size(results) };
}

const ADD = method(0, [2, 0], [1, 0]);
const ECHO = method(1, [6, 8], [6, 8]);
const NEW_COUNTER = method(2, [0, 0], [0, 1]);
const COUNT = method(3, [1, 0], [1, 0]);
const FAIL = method(4, [0, 0], [0, 0]);
const WAIT = method(5, [0, 0], [0, 0]);
const ASK = method(6, [0, 1], [1, 0]);
const NUMBERS = method(7, [0, 10], [0, 10]);
const PUSH = method(8, [0, 1], [0, 0]);
const LISTS = method(9, [0, 2], [0, 2]);
const MISSING = method(99, [0, 0], [0, 0]);

const TYPES: readonly NumberType[] = [
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "float32",
  "float64",
];

interface Log {
  released: number;
  cancelled: number;
  pushed: number;
  mostAtOnce: number;
}

/** Offers everything above. */
function makeServer(log: Log): Capability {
  let running = 0;
  return local(
    new InterfaceServer([
      {
        method: ADD,
        handle: (call) => {
          const { params } = call;
          call.results((results) => results.setNumber("float64", 0, params.float64(0) + params.float64(8)));
        },
      },
      {
        method: ECHO,
        handle: (call) => {
          const { params } = call;
          call.results((out) => {
            out.setBool(3, params.bool(3));
            out.setNumber("int8", 1, params.int8(1));
            out.setNumber("int16", 2, params.int16(2));
            out.setNumber("int32", 4, params.int32(4));
            out.setNumber("int64", 8, params.int64(8));
            out.setNumber("float32", 16, params.float32(16));
            out.setText(0, params.text(0));
            out.setData(1, params.data(1));
            out.setTexts(2, params.texts(2));
            out.initStruct(3, { dataWords: 1, pointers: 1 }).setText(0, params.struct(3).text(0));
            const items = params.structs(4);
            out.initStructs(4, items.length, { dataWords: 1, pointers: 1 }).forEach((item, i) => {
              item.setNumber("uint32", 0, items[i]?.uint32(0) ?? 0);
              item.setText(0, items[i]?.text(0) ?? "");
            });
            const caps = params.capabilities(5) as Capability[];
            out.setCapabilities(5, caps);
            for (const cap of caps) cap.release();
          });
        },
      },
      {
        method: NEW_COUNTER,
        handle: (call) => {
          let count = 0;
          const counter = local(
            new InterfaceServer(
              [
                {
                  method: COUNT,
                  handle: (inner) => {
                    count += inner.params.uint32(0);
                    inner.results((results) => results.setNumber("uint32", 0, count));
                  },
                },
              ],
              () => log.released++,
            ),
          );
          call.results((results) => results.setCapability(0, counter));
          counter.release();
        },
      },
      {
        method: FAIL,
        handle: () => {
          throw RpcError.overloaded("not now");
        },
      },
      {
        method: WAIT,
        handle: async (call) => {
          await once(call.signal, "abort");
          log.cancelled++;
        },
      },
      {
        method: ASK,
        handle: (call) => {
          const target = call.params.capability(0) as Capability;
          call.tailCall(target, COUNT, (params) => params.setNumber("uint32", 0, 5));
          target.release();
        },
      },
      {
        method: NUMBERS,
        handle: (call) => {
          const { params } = call;
          call.results((out) => {
            TYPES.forEach((type, i) => {
              out.setNumbers(i, type, params.numbers(i, type));
            });
          });
        },
      },
      {
        method: LISTS,
        handle: (call) => {
          const { params } = call;
          call.results((out) => {
            out.setBools(0, params.bools(0));
            const lists = params.pointerList(1);
            const own = out.initPointerList(1, lists.pointerCount);
            own.setNumbers(0, "uint8", lists.numbers(0, "uint8"));
            own.setText(2, lists.text(2));
          });
        },
      },
      {
        method: PUSH,
        handle: async (call) => {
          log.mostAtOnce = Math.max(log.mostAtOnce, ++running);
          const { length } = call.params.data(0);
          await new Promise((done) => setTimeout(done, 1));
          running--;
          if (length === 13) throw RpcError.failed("thirteen");
          log.pushed += length;
        },
      },
    ]),
  );
}

function local(server: InterfaceServer): Capability {
  return new LocalCapability(server, LIMITS);
}

async function failure(promise: PromiseLike<unknown>): Promise<RpcError> {
  try {
    await promise;
  } catch (error) {
    return error as RpcError;
  }
  throw new Error("the call did not fail");
}

const transports: Record<string, (server: Capability) => Promise<{ link: Connection; stop(): void }>> = {
  memory: async (server) => {
    const [left, right] = MemoryTransport.pair();
    const other = new Connection(right, { bootstrap: server });
    return { link: new Connection(left), stop: () => other.close() };
  },
  TCP: async (server) => {
    const listener = await listenSocket({ port: 0 }, () => server.addRef());
    const { port } = listener.address() as AddressInfo;
    return { link: connectSocket({ port }), stop: () => void listener.close() };
  },
  "a Unix socket": async (server) => {
    const path = join(tmpdir(), `capstan-${process.pid}-${Date.now()}.sock`);
    const listener = await listenSocket({ path }, () => server.addRef());
    return { link: connectSocket({ path }), stop: () => void listener.close() };
  },
};

for (const [name, open] of Object.entries(transports)) {
  describe(`vat: any interface, over ${name}`, () => {
    let log: Log;
    let link: Connection;
    let api: Capability;
    let stop: () => void;

    beforeEach(async () => {
      log = { released: 0, cancelled: 0, pushed: 0, mostAtOnce: 0 };
      ({ link, stop } = await open(makeServer(log)));
      api = link.bootstrap();
    });

    afterEach(() => {
      api.release();
      link.close();
      stop();
    });

    it("calls a method with a struct, and gets one", async () => {
      using sum = await callMethod(api, ADD, (params) => {
        params.setNumber("float64", 0, 1.5);
        params.setNumber("float64", 8, 2);
      });
      expect(sum.struct.float64(0)).to.equal(3.5);
    });

    it("carries every kind of field", async () => {
      const own = local(new InterfaceServer([]));
      using echoed = await callMethod(api, ECHO, (params) => {
        params.setBool(3, true);
        params.setNumber("int8", 1, -2);
        params.setNumber("int16", 2, -300);
        params.setNumber("int32", 4, -70_000);
        params.setNumber("int64", 8, -(2n ** 60n));
        params.setNumber("float32", 16, 0.5);
        params.setText(0, "héllo");
        params.setData(1, new Uint8Array([1, 2, 3]));
        params.setTexts(2, ["a", "", "c"]);
        params.initStruct(3, { dataWords: 0, pointers: 1 }).setText(0, "inner");
        params.initStructs(4, 2, { dataWords: 1, pointers: 1 }).forEach((item, i) => {
          item.setNumber("uint32", 0, i + 7);
          item.setText(0, `item ${i}`);
        });
        params.setCapabilities(5, [own, own]);
      });
      const { struct } = echoed;
      expect([struct.bool(3), struct.int8(1), struct.int16(2), struct.int32(4)]).to.deep.equal([
        true,
        -2,
        -300,
        -70_000,
      ]);
      expect([struct.int64(8), struct.float32(16), struct.text(0)]).to.deep.equal([-(2n ** 60n), 0.5, "héllo"]);
      expect([...struct.data(1)]).to.deep.equal([1, 2, 3]);
      expect(struct.texts(2)).to.deep.equal(["a", "", "c"]);
      expect(struct.struct(3).text(0)).to.equal("inner");
      expect(struct.structs(4).map((item) => [item.uint32(0), item.text(0)])).to.deep.equal([
        [7, "item 0"],
        [8, "item 1"],
      ]);
      const back = struct.capabilities(5);
      expect(back.map((cap) => cap?.resolved === own)).to.deep.equal([true, true]);
      for (const cap of back) cap?.release();
      expect([struct.uint64(40), struct.isNull(7), struct.text(7), struct.capability(6)]).to.deep.equal([
        0n,
        true,
        "",
        undefined,
      ]);
      own.release();
    });

    it("carries lists of every type of number", async () => {
      const values = { int64: [-5n, 2n ** 62n], uint64: [2n ** 64n - 1n], float32: [0.25, -1], float64: [Math.PI, -0] };
      using echoed = await callMethod(api, NUMBERS, (params) => {
        TYPES.forEach((type, i) => {
          const own =
            (values as Partial<Record<NumberType, unknown[]>>)[type] ?? (type.startsWith("u") ? [1, 200] : [1, -2]);
          params.setNumbers(i, type, own as never);
        });
      });
      const got = Object.fromEntries(TYPES.map((type, i) => [type, echoed.struct.numbers(i, type)]));
      expect(got).to.deep.equal({
        ...values,
        int8: [1, -2],
        uint8: [1, 200],
        int16: [1, -2],
        uint16: [1, 200],
        int32: [1, -2],
        uint32: [1, 200],
      });
    });

    it("carries lists of bits, and lists of lists", async () => {
      const bits = [true, false, true, true, false, false, false, true, true];
      using echoed = await callMethod(api, LISTS, (params) => {
        params.setBools(0, bits);
        const lists = params.initPointerList(1, 3);
        lists.setNumbers(0, "uint8", [1, 2, 3]);
        lists.setText(2, "third");
        expect(() => lists.setText(3, "fourth")).to.throw(RangeError);
      });
      expect(echoed.struct.bools(0)).to.deep.equal(bits);
      const lists = echoed.struct.pointerList(1);
      expect([lists.pointerCount, lists.isNull(1), lists.text(2)]).to.deep.equal([3, true, "third"]);
      expect(lists.numbers(0, "uint8")).to.deep.equal([1, 2, 3]);
    });

    it("lets results go that came before their call was disposed of, and that nobody asked for", async () => {
      {
        using made = callMethod(api, NEW_COUNTER);
        made.pipeline(0).release();
        (await callMethod(api, ADD))[Symbol.dispose]();
        await new Promise((done) => setTimeout(done, 5));
        expect(log.released).to.equal(0);
      }
      for (let tries = 0; tries < 100 && log.released === 0; tries++) await new Promise((done) => setTimeout(done, 5));
      expect(log.released).to.equal(1);
    });

    it("pipelines on what results will hold, and releases it once", async () => {
      const made = callMethod(api, NEW_COUNTER);
      const counter = made.pipeline(0);
      const counts = [2, 3].map((by) => callMethod(counter, COUNT, (params) => params.setNumber("uint32", 0, by)));
      const totals: number[] = [];
      for (const count of counts) {
        using results = await count;
        totals.push(results.struct.uint32(0));
      }
      expect(totals).to.deep.equal([2, 5]);
      (await made)[Symbol.dispose]();
      counter.release();
      for (let tries = 0; tries < 100 && log.released === 0; tries++) await new Promise((done) => setTimeout(done, 5));
      expect(log.released).to.equal(1);
    });

    it("tells of exceptions by type, and of what is not implemented", async () => {
      expect(await failure(callMethod(api, FAIL))).to.include({ message: "not now", type: 1 });
      expect(await failure(callMethod(api, MISSING))).to.include({
        message: "Method 99 of interface 0xfedcba9876543210 is not implemented.",
        type: 3,
      });
    });

    it("cancels a call at its handler", async () => {
      const call = callMethod(api, WAIT);
      (await callMethod(api, ADD))[Symbol.dispose]();
      call.cancel();
      for (let tries = 0; tries < 100 && log.cancelled === 0; tries++) await new Promise((done) => setTimeout(done, 5));
      expect(log.cancelled).to.equal(1);
    });

    it("makes tail calls to the caller's own object", async () => {
      const own = local(
        new InterfaceServer([
          {
            method: COUNT,
            handle: (call) => {
              const { params } = call;
              call.results((results) => results.setNumber("uint32", 0, 10 * params.uint32(0)));
            },
          },
        ]),
      );
      using answered = await callMethod(api, ASK, (params) => params.setCapability(0, own));
      expect(answered.struct.uint32(0)).to.equal(50);
      own.release();
    });

    it("streams calls within a window", async () => {
      const stream = new CallStream(api, fixedWindow(1000));
      const chunk = new Uint8Array(92);
      for (let i = 0; i < 50; i++) await stream.call(PUSH, (params) => params.setData(0, chunk));
      await stream.finish();
      expect(log.pushed).to.equal(50 * 92);
      expect(log.mostAtOnce).to.be.within(2, 11);
      expect(stream.unansweredBytes).to.equal(0);
    });

    it("ends a stream of calls with the first failure", async () => {
      const stream = new CallStream(api);
      await stream.call(PUSH, (params) => params.setData(0, new Uint8Array(13)));
      expect((await failure(stream.finish())).message).to.equal("thirteen");
      expect((await failure(stream.call(PUSH))).message).to.equal("thirteen");
    });

    it("refuses places that a struct does not have, and makes no call then", async () => {
      expect(() => callMethod(api, ADD, (params) => params.setText(0, "x"))).to.throw(RangeError);
      expect(() => callMethod(api, ADD, (params) => params.setNumber("float64", 12, 1))).to.throw(RangeError);
      (await callMethod(api, ADD))[Symbol.dispose]();
      expect(link.tables.questions).to.equal(0);
    });
  });
}

describe("vat: a plain socket", () => {
  it("fails calls where nobody listens", async () => {
    const link = connectSocket({ path: join(tmpdir(), "capstan-nobody.sock") });
    expect(await failure(callMethod(link.bootstrap(), ADD))).to.include({ type: 2 });
  });
});

describe("vat: a tail call to an object of the callee's", () => {
  const waitFor = async (condition: () => boolean): Promise<void> => {
    for (let tries = 0; tries < 100 && !condition(); tries++) await new Promise((done) => setTimeout(done, 5));
  };

  for (const overLink of [true, false]) {
    it(`lets its parameters go when it is cancelled, ${overLink ? "over a link" : "within a vat"}`, async () => {
      let running = 0;
      let released = 0;
      const waiting = new InterfaceServer(
        [
          {
            method: WAIT,
            handle: async (call) => {
              running++;
              await once(call.signal, "abort");
              running--;
            },
          },
        ],
        () => released++,
      );
      const forwarding = new InterfaceServer([
        { method: NEW_COUNTER, handle: (call) => call.results((results) => results.setCapability(0, target)) },
        {
          method: ASK,
          handle: (call) => {
            const asked = call.params.capability(0) as Capability;
            call.tailCall(asked, WAIT, () => {});
            asked.release();
          },
        },
      ]);
      const target = local(waiting);
      const [left, right] = MemoryTransport.pair();
      const far = new Connection(right, { bootstrap: local(forwarding) });
      const link = new Connection(left);
      const api = overLink ? link.bootstrap() : local(forwarding);

      const made = await callMethod(api, NEW_COUNTER);
      const held = made.struct.capability(0) as Capability;
      made[Symbol.dispose]();
      target.release();
      const call = callMethod(api, ASK, (params) => params.setCapability(0, held));
      held.release();
      await waitFor(() => running === 1);
      expect([running, released]).to.deep.equal([1, 0]);
      call.cancel();
      await waitFor(() => released === 1);
      expect([running, released]).to.deep.equal([0, 1]);
      api.release();
      link.close();
      far.close();
    });
  }
});
