// Scenarios of how calls and connections end: cancellation, tail calls, streams, disconnects.
import { expect } from "chai";
import {
  AdaptiveWindow,
  CallStream,
  type Capability,
  callMethod,
  fixedWindow,
  type MethodCall,
  type WindowSize,
} from "../../packages/vat/src/index.ts";
import * as schema from "./gen/interop.ts";
import { callTarget, makeStream, read, readTotals, type Totals, writeAll } from "./objects.ts";
import { expectFailure, onEachWay, type Scene, upTo } from "./scene.ts";

const { EXCEPTION_TYPE_IS_DISCONNECTED, EXCEPTION_TYPE_IS_FAILED } = schema;

function tailCall(t: Scene, target: Capability, n: number): Promise<number> {
  const call = callMethod(t.server, schema.INTEROP_TEST_TAIL_CALL, (params) => {
    params.setCapability(schema.INTEROP_TEST_TAIL_CALL_PARAMS_TARGET_POINTER, target);
    params.setNumber("int32", schema.INTEROP_TEST_TAIL_CALL_PARAMS_N, n);
  });
  return read(call, (results) => results.int32(schema.CALL_RESULT_N));
}

function tailChild(t: Scene, target: Capability, name: string): MethodCall {
  return callMethod(t.server, schema.INTEROP_TEST_TAIL_CHILD, (params) => {
    params.setCapability(schema.INTEROP_TEST_TAIL_CHILD_PARAMS_TARGET_POINTER, target);
    params.setText(schema.INTEROP_TEST_TAIL_CHILD_PARAMS_NAME_POINTER, name);
  });
}

function openStream(t: Scene, failAt: number): Capability {
  const call = callMethod(t.server, schema.INTEROP_TEST_OPEN_STREAM, (params) =>
    params.setNumber("uint32", schema.INTEROP_TEST_OPEN_STREAM_PARAMS_FAIL_AT, failAt),
  );
  return t.promised(call, schema.INTEROP_TEST_OPEN_STREAM_RESULTS_STREAM_POINTER);
}

/** The server writes into an own stream. */
function streamTo(t: Scene, failAt: number, writes: number, size: number): Promise<Totals> {
  const stream = t.hold(makeStream(t.counts, failAt));
  const call = callMethod(t.server, schema.INTEROP_TEST_STREAM_TO, (params) => {
    params.setCapability(schema.INTEROP_TEST_STREAM_TO_PARAMS_STREAM_POINTER, stream);
    params.setNumber("uint32", schema.INTEROP_TEST_STREAM_TO_PARAMS_WRITES, writes);
    params.setNumber("uint32", schema.INTEROP_TEST_STREAM_TO_PARAMS_SIZE, size);
  });
  return readTotals(call);
}

function totalsOf(writes: number, size: number): Totals {
  const sum = upTo(writes).reduce((total, i) => total + (i & 0xff) * size, 0);
  return { writes, bytes: BigInt(writes * size), sum: BigInt(sum) };
}

/** Writes as fast as the window lets it, and says how many bytes were unanswered at most. */
async function mostUnanswered(stream: Capability, window: WindowSize, writes: number, size: number): Promise<number> {
  const calls = new CallStream(stream, window);
  let most = 0;
  for (const sequence of upTo(writes)) {
    const room = calls.call(schema.STREAM_WRITE, (params) => {
      params.setNumber("uint32", schema.STREAM_WRITE_PARAMS_SEQUENCE, sequence);
      params.setData(schema.STREAM_WRITE_PARAMS_BYTES_POINTER, new Uint8Array(size).fill(sequence));
    });
    most = Math.max(most, calls.unansweredBytes);
    await room;
  }
  await calls.finish();
  expect(calls.unansweredBytes).to.equal(0);
  return most;
}

/**
 * Loses a connection with six things pending or held, in a way that `lose` knows. All fail as disconnected, `text` in
 * their reason, and nothing leaks.
 */
async function loseConnection(
  t: Scene,
  text: string,
  lose: (server: Capability, connection: Lost) => void,
): Promise<void> {
  const connection = t.connect();
  const server = t.bootstrap(connection);
  const { cancelled } = await t.status();
  const held = await t.arrived(t.newTarget("held", 0, server));
  let broken: string | undefined;
  held.whenBroken(({ message }) => {
    broken = message;
  });
  const promise = callMethod(server, schema.INTEROP_TEST_PROMISE);
  const resolver = t.hold(promise.pipeline(schema.INTEROP_TEST_PROMISE_RESULTS_RESOLVER_POINTER));
  const unresolved = await t.arrived(promise, schema.INTEROP_TEST_PROMISE_RESULTS_PROMISE_POINTER);
  const own = t.makeOwn("own", 0).cap;
  const pending = [t.hang(server), t.hang(server), t.hangOn(own, false, server), callTarget(unresolved, 1)];
  const failing = pending.map((call) => expectFailure(call, EXCEPTION_TYPE_IS_DISCONNECTED, text));
  await t.eventually("all calls run", ({ hanging }) => hanging === 2 && t.counts.hanging === 1);

  lose(server, connection);
  await Promise.all(failing);
  expect(connection.closedReason?.message).to.include(text);
  expect(broken).to.include(text);
  for (const cap of [server, held, unresolved, resolver]) {
    await expectFailure(callTarget(cap, 1), EXCEPTION_TYPE_IS_DISCONNECTED, text);
  }
  await t.eventually("nothing of it is left", (status) => {
    const ended = status.cancelled === cancelled + 2 && status.hanging === 0 && status.objects === 0;
    return ended && t.counts.hanging === 0;
  });
}

type Lost = Scene["connection"];

function dropIt(server: Capability, abort: boolean): void {
  callMethod(server, schema.INTEROP_TEST_DROP, (params) =>
    params.setBool(schema.INTEROP_TEST_DROP_PARAMS_ABORT_BIT, abort),
  );
}

onEachWay("endings", (scenario) => {
  scenario("cancel", "two `hang` are cancelled one after the other", async (t) => {
    const { cancelled } = await t.status();
    const first = t.hang();
    const second = t.hang();
    expect((await t.status()).hanging).to.equal(2);
    first.cancel();
    await t.eventually("one is cancelled", ({ hanging }) => hanging === 1);
    expect((await t.status()).cancelled).to.equal(cancelled + 1);
    second.cancel();
    await t.eventually("both are cancelled", (status) => status.cancelled === cancelled + 2);
  });

  scenario("cancel-pipelined", "a call runs on while somebody holds what is pipelined on it", async (t) => {
    const { cancelled } = await t.status();
    const promised = t.promised(t.hang(), 0);
    for (const _ of upTo(3)) expect((await t.status()).hanging).to.equal(1);
    t.drop(promised);
    await t.eventually("it is cancelled", (status) => status.cancelled === cancelled + 1 && status.hanging === 0);
  });

  scenario("cancel-through", "a cancelled `hangOn` cancels own `hang`, by tail call or not", async (t) => {
    for (const tail of [false, true]) {
      const { cancelled } = t.counts;
      const call = t.hangOn(t.makeOwn("own", 0).cap, tail);
      await t.eventually("the server calls", () => t.counts.hanging === 1);
      call.cancel();
      await t.eventually("the server cancels", () => t.counts.hanging === 0);
      expect(t.counts.cancelled).to.equal(cancelled + 1);
    }
  });

  scenario("cancel-through-the-client", "and theirs of another connection, through the client", async (t) => {
    const far = await t.arrived(t.newTarget("far", 0, t.bootstrap(t.connect())));
    for (const tail of [false, true]) {
      const { cancelled } = await t.status();
      const call = t.hangOn(far, tail);
      await t.eventually("the call runs", ({ hanging }) => hanging === 1);
      call.cancel();
      await t.eventually("it is cancelled", (status) => status.cancelled === cancelled + 1 && status.hanging === 0);
    }
  });

  scenario("cancel-by-the-server", "the server cancels own `hang`", async (t) => {
    const call = callMethod(t.server, schema.INTEROP_TEST_CALL_AND_CANCEL, (params) =>
      params.setCapability(schema.INTEROP_TEST_CALL_AND_CANCEL_PARAMS_TARGET_POINTER, t.makeOwn("own", 0).cap),
    );
    const path = await read(call, (results) => results.text(schema.INTEROP_TEST_CALL_AND_CANCEL_RESULTS_PATH_POINTER));
    expect(path).to.equal("own");
    await t.eventually("it is cancelled", () => t.counts.cancelled === 1);
    expect(t.counts.hanging).to.equal(0);
  });

  scenario("cancel-releases", "a cancelled call lets its parameters go", async (t) => {
    const own = t.makeOwn("own", 0).cap;
    const call = t.hangOn(own, false);
    t.drop(own);
    await t.eventually("the server calls", () => t.counts.hanging === 1);
    expect(t.counts.objects).to.equal(1);
    call.cancel();
    await t.eventually("the server let go", () => t.counts.objects === 0);
  });

  scenario("tail-calls", "to own, theirs and a promised answer; failures too", async (t) => {
    const own = t.makeOwn("own", 10).cap;
    const theirs = await t.arrived(t.newTarget("theirs", 20));
    expect(await tailCall(t, own, 1)).to.equal(11);
    expect(await tailCall(t, theirs, 1)).to.equal(21);
    expect(await tailCall(t, t.promised(t.newTarget("not there yet", 30)), 1)).to.equal(31);
    await expectFailure(tailCall(t, own, -1), EXCEPTION_TYPE_IS_FAILED, "negative");
    await expectFailure(tailCall(t, theirs, -1), EXCEPTION_TYPE_IS_FAILED, "negative");
  });

  scenario("tail-calls-pipelined", "calls on a tail call's result, before and after it came", async (t) => {
    const own = t.makeOwn("own", 0).cap;
    const theirs = await t.arrived(t.newTarget("theirs", 0));
    expect(await t.path(t.promised(tailChild(t, own, "child")))).to.equal("own/child");
    expect(await t.path(t.promised(tailChild(t, theirs, "child")))).to.equal("theirs/child");
    expect(await t.path(await t.arrived(tailChild(t, own, "kept")))).to.equal("own/kept");
  });

  scenario("tail-calls-by-callbacks", "own answers by a tail call of theirs", async (t) => {
    const theirs = await t.arrived(t.newTarget("theirs", 100));
    const forwarding = t.makeActing((call) => call.tailCall(theirs, schema.TARGET_CALL));
    expect(await t.callTimes(forwarding, 4)).to.equal(406);
    // A tail call of a tail call.
    expect(await tailCall(t, forwarding, 5)).to.equal(105);
    await expectFailure(tailCall(t, forwarding, -1), EXCEPTION_TYPE_IS_FAILED, "negative");
  });

  scenario("tail-call-chain", "eleven tail calls to and fro", async (t) => {
    const chain = t.makeActing((call, n) => {
      if (n === 0) call.results((results) => results.setNumber("int32", schema.CALL_RESULT_N, 77));
      else {
        call.tailCall(t.server, schema.INTEROP_TEST_TAIL_CALL, (params) => {
          params.setCapability(schema.INTEROP_TEST_TAIL_CALL_PARAMS_TARGET_POINTER, chain);
          params.setNumber("int32", schema.INTEROP_TEST_TAIL_CALL_PARAMS_N, n - 1);
        });
      }
    });
    expect(await tailCall(t, chain, 10)).to.equal(77);
  });

  scenario("streaming", "300 writes of 10,000 bytes; an empty stream; streams that never end", async (t) => {
    expect(await writeAll(openStream(t, 0), 300, 10_000)).to.deep.equal(totalsOf(300, 10_000));
    expect(await writeAll(openStream(t, 0), 0, 0)).to.deep.equal(totalsOf(0, 0));
    for (const _ of upTo(3)) {
      const calls = new CallStream(openStream(t, 0));
      await calls.call(schema.STREAM_WRITE);
      await calls.finish();
    }
  });

  scenario("streaming-windows", "a window bounds what is unanswered, and writes need not wait within it", async (t) => {
    const stream = openStream(t, 0);
    const most = await mostUnanswered(stream, fixedWindow(50_000), 300, 10_000);
    expect(most).to.be.within(50_000, 50_000 + 10_100);
    expect(await readTotals(callMethod(stream, schema.STREAM_END))).to.deep.equal(totalsOf(300, 10_000));

    const adapting = new AdaptiveWindow(20_000, 200_000);
    const other = openStream(t, 0);
    expect(await mostUnanswered(other, adapting, 300, 10_000)).to.be.within(20_000, 200_000 + 10_100);
    expect(await readTotals(callMethod(other, schema.STREAM_END))).to.deep.equal(totalsOf(300, 10_000));
  });

  scenario("streaming-by-the-server", "the same from the server into own stream", async (t) => {
    expect(await streamTo(t, 0, 300, 10_000)).to.deep.equal(totalsOf(300, 10_000));
    expect(await streamTo(t, 0, 0, 0)).to.deep.equal(totalsOf(0, 0));
  });

  scenario("streaming-fails", "a failed write fails what follows, to the end", async (t) => {
    await expectFailure(writeAll(openStream(t, 4), 100, 10), EXCEPTION_TYPE_IS_FAILED, "stream failed at 4");
    await expectFailure(streamTo(t, 7, 100, 10), EXCEPTION_TYPE_IS_FAILED, "stream failed at 7");
  });

  scenario("disconnect", "the server cuts a connection: what was pending or held fails as disconnected", async (t) => {
    await loseConnection(t, "", (server) => dropIt(server, false));
  });

  scenario("abort", "the same after an Abort: its reason is in the failures", async (t) => {
    await loseConnection(t, "dropped on request", (server) => dropIt(server, true));
  });

  scenario("disconnect-by-the-client", "the server cancels the client's calls; what it kept is broken", async (t) => {
    await t.put("lost", t.makeOwn("own", 0).cap);
    await loseConnection(t, "enough", (_server, connection) => connection.close("enough"));
    const kept = t.bootstrap(t.connect());
    t.connection.close();
    await expectFailure(callTarget(await t.arrived(t.get("lost", kept)), 1), EXCEPTION_TYPE_IS_DISCONNECTED);
    await t.put("lost", undefined, kept);
  });

  scenario("abort-by-the-client", "the same after an Abort of the client's", async (t) => {
    await loseConnection(t, "no more", (_server, connection) => connection.abort("no more"));
  });
});
