// Scenarios of promises: capabilities that resolve late, to whatever there is, and the order of calls across that.
import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import {
  BrokenCapability,
  type Capability,
  callMethod,
  PromiseCapability,
  RpcError,
} from "../../packages/vat/src/index.ts";
import * as schema from "./gen/interop.ts";
import { callTarget, capabilityOf, done, LIMITS, read, sendNext } from "./objects.ts";
import { expectFailure, onEachWay, type Scene, upTo } from "./scene.ts";

const { EXCEPTION_TYPE_IS_OVERLOADED, EXCEPTION_TYPE_IS_FAILED } = schema;

/** A promise of the server's, and who decides it. */
interface TheirPromise {
  readonly target: Capability;
  readonly resolver: Capability;
}

/** Whether calls go to an answer that has not come, or the call has returned a promise. */
const HOW = ["as an answer", "as a capability"] as const;

async function theirPromise(t: Scene, how: (typeof HOW)[number]): Promise<TheirPromise> {
  const call = callMethod(t.server, schema.INTEROP_TEST_PROMISE);
  if (how === "as an answer") {
    const resolver = t.hold(call.pipeline(schema.INTEROP_TEST_PROMISE_RESULTS_RESOLVER_POINTER));
    return { target: t.promised(call, schema.INTEROP_TEST_PROMISE_RESULTS_PROMISE_POINTER), resolver };
  }
  return read(call, (results) => ({
    target: t.hold(capabilityOf(results, schema.INTEROP_TEST_PROMISE_RESULTS_PROMISE_POINTER)),
    resolver: t.hold(capabilityOf(results, schema.INTEROP_TEST_PROMISE_RESULTS_RESOLVER_POINTER)),
  }));
}

function resolve(resolver: Capability, target: Capability): Promise<void> {
  return done(
    callMethod(resolver, schema.RESOLVER_RESOLVE, (params) =>
      params.setCapability(schema.RESOLVER_RESOLVE_PARAMS_TARGET_POINTER, target),
    ),
  );
}

function reject(resolver: Capability, type: number, reason: string): Promise<void> {
  return done(
    callMethod(resolver, schema.RESOLVER_REJECT, (params) => {
      params.setNumber("uint16", schema.RESOLVER_REJECT_PARAMS_TYPE, type);
      params.setText(schema.RESOLVER_REJECT_PARAMS_REASON_POINTER, reason);
    }),
  );
}

/** Once a promise has resolved, on whatever way it came. */
async function resolved(cap: Capability): Promise<void> {
  while (cap.isPromise) await new Promise<void>((go) => cap.whenResolved(go));
}

/** Calls made before, while and after their promise resolves to `to`, whose number it is. */
async function resolveTheirs(t: Scene, to: Capability, number: number): Promise<void> {
  for (const how of HOW) {
    const { target, resolver } = await theirPromise(t, how);
    const before = callTarget(target, 1);
    const resolving = resolve(resolver, to);
    const meanwhile = callTarget(target, 2);
    expect(await before).to.equal(number + 1);
    expect(await meanwhile).to.equal(number + 2);
    await resolving;
    await resolved(target);
    expect(await callTarget(target, 3)).to.equal(number + 3);
  }
}

/** The server calls a promise of this end's, which then resolves to `to`, whose number it is. */
async function resolveOwn(t: Scene, to: Capability, number: number): Promise<void> {
  const promise = new PromiseCapability(LIMITS);
  t.hold(promise);
  const sum = t.callTimes(promise, 3);
  await t.status();
  promise.resolve(to.addRef());
  expect(await sum).to.equal(3 * number + 3);
}

onEachWay("promises", (scenario) => {
  scenario("promise-to-callee", "their promise resolves to theirs", async (t) => {
    await resolveTheirs(t, await t.arrived(t.newTarget("theirs", 10)), 10);
  });

  scenario("promise-to-caller", "their promise resolves to own", async (t) => {
    await resolveTheirs(t, t.makeOwn("own", 20).cap, 20);
  });

  scenario("promise-to-promise", "their promise resolves to a second one, and that to own", async (t) => {
    for (const how of HOW) {
      const first = await theirPromise(t, how);
      const second = await theirPromise(t, how);
      const own = t.makeOwn("own", 30).cap;
      const before = callTarget(first.target, 1);
      await resolve(first.resolver, second.target);
      const between = callTarget(first.target, 2);
      const onSecond = callTarget(second.target, 3);
      await resolve(second.resolver, own);
      expect(await Promise.all([before, between, onSecond])).to.deep.equal([31, 32, 33]);
      await resolved(first.target);
      expect(await callTarget(first.target, 4)).to.equal(34);
    }
  });

  scenario("promise-to-exception", "their promise breaks: calls before and after fail as it did", async (t) => {
    for (const how of HOW) {
      const { target, resolver } = await theirPromise(t, how);
      const before = callTarget(target, 1);
      const failing = expectFailure(before, EXCEPTION_TYPE_IS_OVERLOADED, "no more of it");
      await reject(resolver, EXCEPTION_TYPE_IS_OVERLOADED, "no more of it");
      await failing;
      await expectFailure(callTarget(target, 2), EXCEPTION_TYPE_IS_OVERLOADED, "no more of it");
      await resolved(target);
      await expectFailure(callTarget(target, 3), EXCEPTION_TYPE_IS_OVERLOADED, "no more of it");
      await expectFailure(
        reject(resolver, EXCEPTION_TYPE_IS_FAILED, "again"),
        EXCEPTION_TYPE_IS_FAILED,
        "decided already",
      );
    }
  });

  scenario("promise-to-third-vat", "their promise resolves to own of another connection", async (t) => {
    await t.put("third", t.makeOwn("own", 40).cap, t.bootstrap(t.connect()));
    await resolveTheirs(t, await t.arrived(t.get("third")), 40);
    await t.put("third", undefined);
  });

  scenario("promise-to-third-vat", "and to theirs of another connection of this end's", async (t) => {
    const other = t.bootstrap(t.connect());
    await resolveTheirs(t, await t.arrived(t.newTarget("far", 45, other)), 45);
  });

  scenario("own-promise-to-own", "own promise resolves to own", async (t) => {
    await resolveOwn(t, t.makeOwn("own", 50).cap, 50);
  });

  scenario("own-promise-to-theirs", "own promise resolves to theirs", async (t) => {
    await resolveOwn(t, await t.arrived(t.newTarget("theirs", 60)), 60);
  });

  scenario("own-promise-to-answer", "own promise resolves to what their answer will hold", async (t) => {
    await resolveOwn(t, t.promised(t.newTarget("promised", 70)), 70);
  });

  scenario("own-promise-to-promise", "own promise resolves to a second own one, and that to own", async (t) => {
    const second = new PromiseCapability(LIMITS);
    t.hold(second);
    const summing = resolveOwn(t, second, 80);
    for (const _ of upTo(3)) await t.status();
    second.resolve(t.makeOwn("own", 80).cap.addRef());
    await summing;
  });

  scenario("own-promise-to-third-vat", "own promise resolves to theirs of another connection", async (t) => {
    await resolveOwn(t, await t.arrived(t.newTarget("far", 90, t.bootstrap(t.connect()))), 90);
  });

  scenario("own-promise-to-exception", "own promise breaks: the server's calls fail as it did", async (t) => {
    const promise = new PromiseCapability(LIMITS);
    t.hold(promise);
    const failing = expectFailure(t.callTimes(promise, 3), EXCEPTION_TYPE_IS_OVERLOADED, "the caller gave up");
    await t.status();
    promise.resolve(new BrokenCapability(RpcError.overloaded("the caller gave up")));
    await failing;
  });

  scenario("order-by-resolve", "a Resolve turns their promise into own: calls keep their order", async (t) => {
    const { target, resolver } = await theirPromise(t, "as a capability");
    const own = t.makeOwn("own", 0);
    const early = sendNext(target, 0, 10);
    const resolving = resolve(resolver, own.cap);
    await Promise.all([early, sendNext(target, 10, 10), resolving]);
    expect(own.numbers).to.deep.equal(upTo(20));

    const second = await theirPromise(t, "as a capability");
    const ownToo = t.makeOwn("own too", 0);
    const count = await t.sendUntil(second.target, resolve(second.resolver, ownToo.cap));
    expect(ownToo.numbers).to.deep.equal(upTo(count));
    expect(second.target.resolved).to.equal(ownToo.cap);
    if (t.traffic !== undefined) expect(t.traffic.disembargoes).to.be.greaterThan(0);
  });

  scenario("order-by-return", "a Return makes a promised answer own: calls keep their order", async (t) => {
    const own = t.makeOwn("own", 0);
    const call = t.reflect(own.cap);
    const target = t.hold(call.pipeline(schema.TARGET_RESULT_TARGET_POINTER));
    const count = await t.sendUntil(target, done(call));
    expect(own.numbers).to.deep.equal(upTo(count));
    expect(target.resolved).to.equal(own.cap);
    if (t.traffic !== undefined) expect(t.traffic.disembargoes).to.be.greaterThan(0);
  });

  scenario("order-by-two-resolves", "first to a second promise, then that to own", async (t) => {
    const first = await theirPromise(t, "as a capability");
    const second = await theirPromise(t, "as a capability");
    const own = t.makeOwn("own", 0);
    const resolving = resolve(first.resolver, second.target).then(() => resolve(second.resolver, own.cap));
    const count = await t.sendUntil(first.target, resolving);
    expect(own.numbers).to.deep.equal(upTo(count));
    if (t.traffic !== undefined) expect(t.traffic.disembargoes).to.be.greaterThan(0);
  });

  scenario("order-to-theirs", "a promise that was theirs and stays there needs no embargo", async (t) => {
    const { target, resolver } = await theirPromise(t, "as a capability");
    const theirs = await t.arrived(t.newTarget("theirs", 0));
    const count = await t.sendUntil(target, resolve(resolver, theirs));
    expect(await t.seen(theirs)).to.deep.equal(upTo(count));
    if (t.traffic !== undefined) expect(t.traffic.disembargoes).to.equal(0);
  });

  scenario("order-to-third-vat", "their promise resolves to theirs of another connection", async (t) => {
    const { target, resolver } = await theirPromise(t, "as a capability");
    const far = await t.arrived(t.newTarget("far", 0, t.bootstrap(t.connect())));
    const count = await t.sendUntil(target, resolve(resolver, far));
    expect(await t.seen(far)).to.deep.equal(upTo(count));
    if (t.traffic !== undefined) expect(t.traffic.disembargoes).to.be.greaterThan(0);
  });

  scenario("order-of-their-calls", "the server feeds own promise, which resolves to theirs", async (t) => {
    const theirs = await t.arrived(t.newTarget("theirs", 0));
    const promise = new PromiseCapability(LIMITS);
    const feeder = t.feed(t.hold(promise));
    const fed: Promise<void>[] = [];
    for (const turn of upTo(60)) {
      fed.push(t.feedSome(feeder, 3));
      if (turn === 20) promise.resolve(theirs.addRef());
      await setImmediate();
    }
    await Promise.all(fed);
    expect(await t.feedEnd(feeder)).to.equal(180);
    expect(await t.seen(theirs)).to.deep.equal(upTo(180));
  });

  scenario("order-of-their-pipelined-calls", "the server calls what own answer holds, before and after", async (t) => {
    const call = callMethod(t.server, schema.INTEROP_TEST_ORDER_THROUGH, (params) => {
      params.setCapability(schema.INTEROP_TEST_ORDER_THROUGH_PARAMS_TARGET_POINTER, t.makeOwn("own", 0).cap);
      params.setNumber("uint32", schema.INTEROP_TEST_ORDER_THROUGH_PARAMS_COUNT, 50);
    });
    const numbers = await read(call, (results) =>
      results.numbers(schema.INTEROP_TEST_ORDER_THROUGH_RESULTS_SEEN_POINTER, "uint32"),
    );
    expect(numbers).to.deep.equal(upTo(100));
  });
});
