// Scenarios of capabilities: pipelining, callbacks, capabilities in messages, release, proxying.
import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { type Capability, callMethod } from "../../packages/vat/src/index.ts";
import * as schema from "./gen/interop.ts";
import { callTarget, capabilityOf, next, read } from "./objects.ts";
import { expectFailure, onEachWay, type Scene, upTo } from "./scene.ts";

const { EXCEPTION_TYPE_IS_FAILED } = schema;

function newTargets(t: Scene, count: number): Promise<Capability[]> {
  const call = callMethod(t.server, schema.INTEROP_TEST_NEW_TARGETS, (params) =>
    params.setNumber("uint32", schema.INTEROP_TEST_NEW_TARGETS_PARAMS_COUNT, count),
  );
  return read(call, (results) =>
    results.capabilities(schema.INTEROP_TEST_NEW_TARGETS_RESULTS_TARGETS_POINTER).map((target) => t.hold(target!)),
  );
}

onEachWay("capabilities", (scenario) => {
  scenario("pipelining", "nine calls go out before the bootstrap capability has come", async (t) => {
    const server = t.bootstrap(t.connect());
    let target = t.promised(t.newTarget("root", 10, server));
    for (const level of upTo(8)) target = t.promised(t.child(target, String(level)));
    const [path, sum] = await Promise.all([t.path(target), callTarget(target, 100)]);
    expect(path).to.equal("root/0/1/2/3/4/5/6/7");
    expect(sum).to.equal(118);
  });

  scenario("pipelining-through-structs", "the promised capability lies two structs deep", async (t) => {
    const call = callMethod(t.server, schema.INTEROP_TEST_NEW_NESTED, (params) => {
      params.setText(schema.INTEROP_TEST_NEW_NESTED_PARAMS_NAME_POINTER, "deep");
      params.setNumber("int32", schema.INTEROP_TEST_NEW_NESTED_PARAMS_NUMBER, 3);
    });
    const promised = t.hold(
      call.pipeline(
        schema.INTEROP_TEST_NESTED_OUTER_POINTER,
        schema.INTEROP_TEST_NESTED_OUTER_INNER_POINTER,
        schema.TARGET_RESULT_TARGET_POINTER,
      ),
    );
    const sum = callTarget(promised, 4);
    using results = await call;
    expect(await sum).to.equal(7);
    const outer = results.struct.struct(schema.INTEROP_TEST_NESTED_OUTER_POINTER);
    expect(outer.text(schema.INTEROP_TEST_NESTED_OUTER_NOTE_POINTER)).to.equal("behind two structs");
    const inner = outer.struct(schema.INTEROP_TEST_NESTED_OUTER_INNER_POINTER);
    expect(await t.path(t.hold(capabilityOf(inner, schema.TARGET_RESULT_TARGET_POINTER)))).to.equal("deep");
  });

  scenario("pipelining-on-failures", "calls on the results of a failed call fail as it did", async (t) => {
    const reason = "nothing is kept as nothing of the kind";
    const broken = t.promised(t.get("nothing of the kind"));
    await expectFailure(t.path(t.promised(t.child(broken, "child"))), EXCEPTION_TYPE_IS_FAILED, reason);
    await expectFailure(t.path(broken), EXCEPTION_TYPE_IS_FAILED, reason);

    await expectFailure(t.path(t.promised(t.reflect(undefined))), EXCEPTION_TYPE_IS_FAILED, "");
    expect(await t.callTimes(t.makeOwn("after", 1).cap, 1)).to.equal(1);
  });

  scenario("callbacks", "the server calls own object ten times", async (t) => {
    expect(await t.callTimes(t.makeOwn("own", 100).cap, 10)).to.equal(1045);
  });

  scenario("nested-callbacks", "server calls client calls server, eight deep", async (t) => {
    const target = t.makeActing(async (call, n) => {
      const result = n === 0 ? 0 : 1 + (await t.callEach([target], n - 1))[0]!;
      call.results((results) => results.setNumber("int32", schema.CALL_RESULT_N, result));
    });
    expect(await callTarget(await t.arrived(t.reflect(target)), 8)).to.equal(8);
    expect(await t.callEach([target], 8)).to.deep.equal([8]);
  });

  scenario("capabilities-in-params", "own, theirs, null and a promised answer in one list", async (t) => {
    const own = t.makeOwn("own", 1).cap;
    const theirs = await t.arrived(t.newTarget("theirs", 1000));
    const promised = t.promised(t.newTarget("not there yet", 7));
    expect(await t.callEach([own, theirs, undefined, own, promised], 5)).to.deep.equal([6, 1005, -1, 6, 12]);
  });

  scenario("capabilities-in-results", "40 of theirs in a list", async (t) => {
    const targets = await newTargets(t, 40);
    expect(await Promise.all(targets.map((target) => t.path(target)))).to.deep.equal(upTo(40).map(String));
    expect(await Promise.all(targets.map((target) => callTarget(target, 1)))).to.deep.equal(upTo(41).slice(1));
  });

  scenario("reflection", "own, theirs and null come back, also as promises", async (t) => {
    const own = t.makeOwn("own", 1).cap;
    const back = await t.arrived(t.reflect(own));
    expect(back.resolved).to.equal(own);
    expect(await callTarget(back, 1)).to.equal(2);
    const theirs = await t.arrived(t.newTarget("theirs", 2));
    expect(await t.path(await t.arrived(t.reflect(theirs)))).to.equal("theirs");
    const isNull = await read(t.reflect(undefined), (results) => results.isNull(schema.TARGET_RESULT_TARGET_POINTER));
    expect(isNull).to.equal(true);

    expect(await callTarget(t.promised(t.reflect(t.promised(t.reflect(own)))), 4)).to.equal(5);
    expect(await callTarget(t.promised(t.reflect(t.promised(t.newTarget("new", 5)))), 4)).to.equal(9);
  });

  scenario("release-of-results", "of 100 of theirs the server lets go when this end does", async (t) => {
    const targets = await newTargets(t, 100);
    expect((await t.status()).objects).to.equal(100);
    const kept = targets[42]!;
    t.drop(...targets.filter((target) => target !== kept));
    await t.eventually("99 are gone", ({ objects }) => objects === 1);
    expect(await t.path(kept)).to.equal("42");
    t.drop(kept);
    await t.eventually("all are gone", ({ objects }) => objects === 0);
  });

  scenario("release-of-params", "own objects are let go after the call, except what the server keeps", async (t) => {
    const owns = upTo(50).map((i) => t.makeOwn("own", i).cap);
    const calling = t.callEach(owns, 0);
    t.drop(...owns);
    expect(t.counts.objects).to.equal(50);
    expect(await calling).to.deep.equal(upTo(50));
    await t.eventually("the server let go", () => t.counts.objects === 0);

    const kept = t.makeOwn("kept", 1).cap;
    const putting = t.put("kept", kept);
    t.drop(kept);
    await putting;
    await t.status();
    expect(t.counts.objects).to.equal(1);
    await t.put("kept", undefined);
    await t.eventually("it is gone too", () => t.counts.objects === 0);
  });

  scenario(
    "release-of-unread",
    "results that nobody reads go back, and references that were counted often",
    async (t) => {
      for (const i of upTo(20)) t.newTarget("unread", i).cancel();
      const returned = t.newTarget("returned and unread", 0);
      await t.eventually("only that is there", ({ objects }) => objects === 1);
      returned.cancel();
      await t.eventually("the unread are gone", ({ objects }) => objects === 0);
      const pipelined = t.promised(t.newTarget("only pipelined", 0));
      expect(await t.path(pipelined)).to.equal("only pipelined");
      t.drop(pipelined);
      await t.eventually("the pipelined is gone", ({ objects }) => objects === 0);

      const theirs = await t.arrived(t.newTarget("often", 0));
      expect(await t.callEach(Array(10).fill(theirs), 3)).to.deep.equal(Array(10).fill(3));
      for (const _ of upTo(10)) t.drop(await t.arrived(t.reflect(theirs)));
      expect((await t.status()).objects).to.equal(1);
      expect(await t.path(theirs)).to.equal("often");
    },
  );

  scenario("proxying", "theirs of one connection is called, pipelined and tail-called over another", async (t) => {
    const other = t.bootstrap(t.connect());
    const far = await t.arrived(t.newTarget("far", 10));
    expect(await t.callTimes(far, 4, other)).to.equal(46);
    expect(await t.callTimes(t.promised(t.newTarget("far and promised", 20)), 2, other)).to.equal(41);

    // Two hops there, and the results of a call that this end only passes on.
    const tail = callMethod(other, schema.INTEROP_TEST_TAIL_CHILD, (params) => {
      params.setCapability(schema.INTEROP_TEST_TAIL_CHILD_PARAMS_TARGET_POINTER, far);
      params.setText(schema.INTEROP_TEST_TAIL_CHILD_PARAMS_NAME_POINTER, "child");
    });
    expect(await t.path(t.promised(tail))).to.equal("far/child");
  });

  scenario("proxying-keeps-order", "100 numbers through the client come in order", async (t) => {
    const other = t.bootstrap(t.connect());
    const target = t.promised(t.newTarget("far", 0));
    const feeder = t.feed(target, other);
    const fed: Promise<void>[] = [];
    for (const _ of upTo(20)) {
      fed.push(t.feedSome(feeder, 5));
      await setImmediate();
    }
    await Promise.all(fed);
    expect(await t.feedEnd(feeder)).to.equal(100);
    expect(await t.seen(target)).to.deep.equal(upTo(100));
  });

  scenario("proxying-by-the-server", "own of one connection is called over another, through the server", async (t) => {
    const other = t.bootstrap(t.connect());
    const own = t.makeOwn("own", 30);
    await t.put("shelf", own.cap);
    const got = t.promised(t.get("shelf", other));
    expect(await callTarget(got, 1)).to.equal(31);
    expect(await t.path(t.promised(t.child(got, "child")))).to.equal("own/child");
    await Promise.all(upTo(50).map((i) => next(got, i)));
    expect(own.numbers).to.deep.equal(upTo(50));
    await t.put("shelf", undefined);
  });
});
