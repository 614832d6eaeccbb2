// Scenarios of plain calls: values of every kind, many in flight, large and torn messages, exceptions.
import { expect } from "chai";
import { type Capability, callMethod, RpcError } from "../../packages/vat/src/index.ts";
import { type Everything, everything, NOTHING_SET, readEverything, writeEverything } from "./everything.ts";
import * as schema from "./gen/interop.ts";
import { callTarget, capabilityOf, done, makeStream, read } from "./objects.ts";
import { expectFailure, onEachWay, type Scene, upTo } from "./scene.ts";

const { EXCEPTION_TYPE_IS_FAILED, EXCEPTION_TYPE_IS_UNIMPLEMENTED } = schema;
const TYPES = {
  failed: EXCEPTION_TYPE_IS_FAILED,
  overloaded: schema.EXCEPTION_TYPE_IS_OVERLOADED,
  disconnected: schema.EXCEPTION_TYPE_IS_DISCONNECTED,
  unimplemented: EXCEPTION_TYPE_IS_UNIMPLEMENTED,
};

function add(server: Capability, a: number, b: number): Promise<number> {
  const call = callMethod(server, schema.INTEROP_TEST_ADD, (params) => {
    params.setNumber("int32", schema.INTEROP_TEST_ADD_PARAMS_A, a);
    params.setNumber("int32", schema.INTEROP_TEST_ADD_PARAMS_B, b);
  });
  return read(call, (results) => results.int32(schema.INTEROP_TEST_ADD_RESULTS_SUM));
}

/** Sends a value there and back; its capability goes along. */
async function echo(t: Scene, value: Everything, target?: Capability): Promise<Everything> {
  const call = callMethod(t.server, schema.INTEROP_TEST_ECHO, (params) => {
    const out = params.initStruct(schema.INTEROP_TEST_ECHO_PARAMS_VALUE_POINTER, schema.EVERYTHING_STRUCT_SIZE);
    writeEverything(out, value);
    if (target !== undefined) out.setCapability(schema.EVERYTHING_TARGET_POINTER, target);
  });
  using results = await call;
  const back = results.struct.struct(schema.INTEROP_TEST_ECHO_RESULTS_VALUE_POINTER);
  if (target === undefined) expect(back.capability(schema.EVERYTHING_TARGET_POINTER)).to.equal(undefined);
  else {
    const same = t.hold(capabilityOf(back, schema.EVERYTHING_TARGET_POINTER));
    expect(await callTarget(same, 1)).to.equal(6);
  }
  return readEverything(back);
}

/** Calls a method that the other end cannot know. */
function callUnknown(target: Capability, interfaceId: bigint, methodId: number): Promise<void> {
  const nothing = { dataWords: 0, pointers: 0 };
  return done(callMethod(target, { interfaceId, methodId, params: nothing, results: nothing }));
}

/** How the server saw a call of a client's object fail. */
function observe(t: Scene, target: Capability, n: number): Promise<{ type: number; reason: string } | undefined> {
  const call = callMethod(t.server, schema.INTEROP_TEST_OBSERVE, (params) => {
    params.setCapability(schema.INTEROP_TEST_OBSERVE_PARAMS_TARGET_POINTER, target);
    params.setNumber("int32", schema.INTEROP_TEST_OBSERVE_PARAMS_N, n);
  });
  return read(call, (results) => {
    if (!results.bool(schema.INTEROP_TEST_OBSERVE_RESULTS_FAILED_BIT)) return undefined;
    const type = results.uint16(schema.INTEROP_TEST_OBSERVE_RESULTS_TYPE);
    return { type, reason: results.text(schema.INTEROP_TEST_OBSERVE_RESULTS_REASON_POINTER) };
  });
}

onEachWay("plain calls", (scenario, { isTorn }) => {
  scenario("bootstrap", "the bootstrap capability answers a call", async (t) => {
    expect(await add(t.server, 1, 2)).to.equal(3);
  });

  scenario("calls-in-flight", "500 calls at once get their own answers", async (t) => {
    const sums = await Promise.all(upTo(500).map((i) => add(t.server, i, -2 * i - 1)));
    expect(sums).to.deep.equal(upTo(500).map((i) => -i - 1));
  });

  scenario("values", "nested structs with every kind of field, and an empty one, come back unchanged", async (t) => {
    for (const depth of upTo(4)) {
      const value = everything(depth);
      expect(await echo(t, value, t.makeOwn("in a value", 5).cap)).to.deep.equal(value);
    }
    expect(await echo(t, NOTHING_SET)).to.deep.equal(NOTHING_SET);
    const unset = await read(callMethod(t.server, schema.INTEROP_TEST_ECHO), (results) =>
      readEverything(results.struct(schema.INTEROP_TEST_ECHO_RESULTS_VALUE_POINTER)),
    );
    expect(unset).to.deep.equal(NOTHING_SET);
  });

  scenario("large", "8 MiB and 5 bytes come back", async (t) => {
    const data = Uint8Array.from({ length: (8 << 20) + 5 }, (_, i) => i * 31 + (i >> 11));
    const back = await echo(t, { ...NOTHING_SET, data });
    expect(Buffer.compare(back.data, data)).to.equal(0);
    expect(await add(t.server, 20, 3)).to.equal(23);
  });

  scenario("segments", "a message that the library makes of many segments is read", async (t) => {
    const texts = upTo(300).map((i) => String.fromCharCode(97 + (i % 26)).repeat(i * 7));
    expect((await echo(t, { ...NOTHING_SET, texts })).texts).to.deep.equal(texts);
    if (t.traffic !== undefined) expect(t.traffic.mostSegments).to.be.greaterThan(1);
  });

  if (isTorn) {
    scenario("torn-segments", "objects behind far and double-far pointers are read, capabilities too", async (t) => {
      expect(
        await t.callEach(
          upTo(50).map((i) => t.makeOwn("torn", i).cap),
          1,
        ),
      ).to.deep.equal(upTo(51).slice(1));
      const value = everything(3);
      expect(await echo(t, value, t.makeOwn("in a torn value", 5).cap)).to.deep.equal(value);
      if (t.traffic !== undefined) expect(t.traffic.mostSegments).to.be.greaterThan(100);
    });
  }

  scenario("exceptions", "`fail` fails with each type; the connection goes on", async (t) => {
    for (const [name, type] of Object.entries(TYPES)) {
      const failing = callMethod(t.server, schema.INTEROP_TEST_FAIL, (params) => {
        params.setNumber("uint16", schema.INTEROP_TEST_FAIL_PARAMS_TYPE, type);
        params.setText(schema.INTEROP_TEST_FAIL_PARAMS_REASON_POINTER, `on purpose: ${name}`);
      });
      await expectFailure(failing, type, `on purpose: ${name}`);
    }
    expect(await add(t.server, 1, 1)).to.equal(2);
  });

  scenario("exceptions-of-callbacks", "the server sees each type of failure of own object", async (t) => {
    const failing = t.makeActing((_call, n) => {
      throw new RpcError(n as RpcError["type"], `of the caller: ${n}`);
    });
    for (const type of Object.values(TYPES)) {
      const seen = await observe(t, failing, type);
      expect(seen?.type).to.equal(type);
      expect(seen?.reason).to.include(`of the caller: ${type}`);
    }
    const throwing = t.makeActing(() => {
      throw new TypeError("no exception of Cap'n Proto's");
    });
    const seen = await observe(t, throwing, 0);
    expect(seen?.type).to.equal(EXCEPTION_TYPE_IS_FAILED);
    expect(seen?.reason).to.include("no exception of Cap'n Proto's");
    expect(await observe(t, t.makeOwn("well", 0).cap, 1)).to.equal(undefined);
  });

  scenario("unknown-methods", "unknown methods and interfaces are unimplemented, on whatever object", async (t) => {
    const theirs = await t.arrived(t.newTarget("known", 0));
    await expectFailure(callUnknown(t.server, schema.INTEROP_TEST_ID, 999), EXCEPTION_TYPE_IS_UNIMPLEMENTED);
    await expectFailure(callUnknown(t.server, schema.INTEROP_TEST_ID + 1n, 0), EXCEPTION_TYPE_IS_UNIMPLEMENTED);
    await expectFailure(callUnknown(theirs, schema.TARGET_ID, 77), EXCEPTION_TYPE_IS_UNIMPLEMENTED);
    await expectFailure(callUnknown(theirs, schema.INTEROP_TEST_ID, 0), EXCEPTION_TYPE_IS_UNIMPLEMENTED);
    expect(await callTarget(theirs, 1)).to.equal(1);
  });

  scenario("unknown-methods-of-callbacks", "the server learns that own object does not have a method", async (t) => {
    const seen = await observe(t, t.hold(makeStream(t.counts, 0)), 0);
    expect(seen?.type).to.equal(EXCEPTION_TYPE_IS_UNIMPLEMENTED);
  });
});
