import { expect } from "chai";
import { type CallClient, measure } from "../../../packages/cli/src/bench/load/closed-loop.ts";
import {
  addErrors,
  countError,
  type ErrorCounts,
  OTHER_ERRORS,
  TIMEOUT,
  totalErrors,
} from "../../../packages/cli/src/bench/load/errors.ts";
import { CURVE, LatencyRecorder } from "../../../packages/cli/src/bench/load/latency.ts";
import { measureAtRate, OpenLoopAccounts } from "../../../packages/cli/src/bench/load/open-loop.ts";
import { IN_A_ROW, latencyReadings } from "../../../packages/cli/src/bench/metrics.ts";

const soon = () => new Promise((resolve) => setImmediate(resolve));

/** A client that answers a turn later, with what `result` says. */
function clientOf(result: (a: number, b: number) => unknown): CallClient & { made: number; most: number } {
  let open = 0;
  const client = {
    made: 0,
    most: 0,
    async call(a: number, b: number): Promise<unknown> {
      client.made++;
      client.most = Math.max(client.most, ++open);
      await soon();
      open--;
      return result(a, b);
    },
  };
  return client;
}

const sum = (a: number, b: number) => a + b;

describe("cli: the closed loop of bench", () => {
  it("keeps so many calls in flight, and counts those that come back", async () => {
    const client = clientOf(sum);
    const sample = await measure(client, { inFlight: 7, duration: 60 });
    expect(client.most).to.equal(7);
    expect(sample.callsInAll).to.equal(client.made);
    expect(sample.calls).to.be.within(client.made - 7, client.made);
    expect(sample.latency?.p50).to.be.above(0);
    expect(sample.errors).to.deep.equal({});
  });

  it("makes as many calls as it was told, over all its clients", async () => {
    const clients = [clientOf(sum), clientOf(sum)];
    const sample = await measure(clients, { inFlight: 4, duration: 60_000, requests: 21 });
    expect(sample.calls).to.equal(21);
    expect(clients.map(({ made }) => made).reduce((a, b) => a + b)).to.equal(21);
    expect(clients.every(({ most }) => most === 2)).to.equal(true);
  });

  it("takes a wrong sum for an error, unless results are no sums", async () => {
    const off = clientOf((a, b) => a + b + (a === 5 ? 1 : 0));
    const options = { inFlight: 1, duration: 60_000, requests: 10 };
    const checked = await measure(off, options);
    expect(checked.errors).to.deep.equal({ "wrong result": 1 });
    expect(checked.calls).to.equal(9);
    expect((await measure(off, { ...options, sums: false })).errors).to.deep.equal({});
  });

  it("counts errors by kind, and goes on to its end however many there are", async () => {
    let answered = 0;
    const failing = clientOf((a) => {
      if (++answered < 1_000) throw new TypeError(a % 2 === 0 ? "even" : "odd\nand more");
    });
    const sample = await measure(failing, { inFlight: 2, duration: 60_000, requests: 1_010, sums: false });
    expect(Object.keys(sample.errors).sort()).to.deep.equal(["TypeError: even", "TypeError: odd"]);
    expect(totalErrors(sample.errors)).to.equal(999);
    expect(sample.callsInAll).to.equal(11);
    const sure = await measure(
      clientOf(() => Promise.reject(new Error("no"))),
      { inFlight: 4, duration: 300 },
    );
    expect(sure).to.include({ calls: 0 }).and.property("seconds").at.least(0.29);
    expect(sure.errors["Error: no"]).to.be.above(400);
  });

  it("pauses before each call once many have failed in a row", async () => {
    let turns = 0;
    let running = true;
    const count = () => {
      turns++;
      if (running) setImmediate(count);
    };
    count();
    const failing = clientOf(() => Promise.reject(new Error("no")));
    await measure(failing, { inFlight: 1, duration: 60_000, requests: 150 });
    running = false;
    // Without a pause a call takes two turns or three. With one, hundreds of turns may go by, or few where they are long.
    expect(failing.made).to.equal(150);
    expect(turns).to.be.above(500);
  });

  it("measures calls that take longer than its time", async () => {
    const slow: CallClient = { call: (a, b) => new Promise((resolve) => setTimeout(resolve, 120, a + b)) };
    const sample = await measure(slow, { inFlight: 3, duration: 30 });
    expect(sample).to.deep.include({ callsInAll: 3, errors: {} });
    // Only the share of each that lies within the time counts: a rate of 3 in 120 ms, not of 3 in 30 ms.
    expect(sample.calls).to.be.above(0).and.below(3);
    expect(sample.callsPerSecond)
      .to.equal(sample.calls / sample.seconds)
      .and.at.most(3 / 0.119);
    expect(sample.latency!.max).to.be.at.least(119_000);
  });

  it("is not slowed down by one call that takes long at its end", async () => {
    let made = 0;
    const client: CallClient = {
      call: (a, b) =>
        made++ === 3 ? new Promise((resolve) => setTimeout(resolve, 400, a + b)) : soon().then(() => a + b),
    };
    const sample = await measure(client, { inFlight: 4, duration: 40 });
    expect(sample.callsInAll).to.equal(made);
    expect(sample.seconds * 1e6).to.be.below(sample.latency!.max);
    expect(sample.calls).to.be.within(made - 4, made);
  });

  it("times every call until there are some thousands", async () => {
    const sample = await measure(clientOf(sum), { inFlight: 4, duration: 60_000, requests: 9_999 });
    expect(sample.latency!.curve).to.have.length(
      CURVE.filter((percentile) => 9_999 * (1 - percentile / 100) >= 1).length,
    );
    const many = await measure(clientOf(sum), { inFlight: 16, duration: 60_000, requests: 30_000 });
    expect(many.latency!.curve.length).to.equal(sample.latency!.curve.length + 1);
  });

  it("gives up calls that do not come back, makes others in their place, and ends all the same", async () => {
    let lost = 0;
    const client: CallClient = {
      call: (a, b) => (lost++ < 2 ? new Promise(() => {}) : soon().then(() => a + b)),
    };
    const sample = await measure(client, { inFlight: 2, duration: 400, timeout: 50 });
    expect(sample.errors).to.deep.equal({ [TIMEOUT]: 2 });
    expect(sample.calls).to.be.above(0);
    const never = await measure({ call: () => new Promise(() => {}) }, { inFlight: 3, duration: 10, timeout: 50 });
    expect(never).to.deep.include({ calls: 0, errors: { [TIMEOUT]: 3 } });
    // They have waited, and that shows.
    expect(never.latency!.p50).to.be.at.least(49_000);
    expect(sample.latency!.max).to.be.at.least(49_000);
  });
});

describe("cli: the open loop of bench", () => {
  const options = { rate: 100, duration: 100 };

  it("plans calls at a constant rate, however late they are sent", () => {
    const accounts = new OpenLoopAccounts(options);
    expect(accounts.total).to.equal(10);
    expect(accounts.take(0)).to.equal(0);
    expect(accounts.take(9.9)).to.equal(undefined);
    expect(accounts.take(35)).to.equal(1);
    expect(accounts.take(35)).to.equal(2);
    expect(accounts.take(35)).to.equal(3);
    expect(accounts.take(35)).to.equal(undefined);
    expect(accounts.nextDue).to.equal(40);
  });

  it("counts a latency from when the call was meant to start", () => {
    const accounts = new OpenLoopAccounts(options);
    // Nothing could be sent for 90 ms; then each call takes 1 ms.
    for (let index = accounts.take(90); index !== undefined; index = accounts.take(90)) accounts.complete(index, 91);
    const { latency, completed } = accounts.close(91);
    expect(completed).to.equal(10);
    expect(latency!.max).to.be.closeTo(91_000, 100);
    expect(latency!.p50).to.be.closeTo(41_000, 100);
    expect(latency!.curve[0]).to.be.closeTo(1_000, 10);
  });

  it("accounts for every call: completed, failed, lost or never sent", () => {
    const accounts = new OpenLoopAccounts(options);
    for (let index = 0; index < 6; index++) accounts.take(60);
    accounts.complete(0, 61);
    accounts.complete(1, 61);
    accounts.fail(2, new Error("no"));
    const sample = accounts.close(1_000);
    expect(sample).to.deep.include({ due: 10, completed: 2, failed: 1, lost: 3, unsent: 4 });
    expect(sample.errors).to.deep.equal({ "Error: no": 1, [TIMEOUT]: 3, "due, but never sent": 4 });
    // Those lost and unsent have waited too.
    expect(sample.latency!.p50).to.be.above(900_000);
    // What comes back afterwards changes nothing.
    accounts.complete(4, 1_001);
    expect(sample.completed).to.equal(2);
  });

  it("reaches its rate where every call takes equally long, and less where calls pile up", () => {
    const rateOf = (latency: (index: number) => number): number => {
      const accounts = new OpenLoopAccounts(options);
      for (let index = 0; index < 10; index++) {
        accounts.take(accounts.dueAt(index));
        accounts.complete(index, accounts.dueAt(index) + latency(index));
      }
      return accounts.close(1_000).callsPerSecond;
    };
    expect(rateOf(() => 0)).to.equal(100);
    expect(rateOf(() => 300)).to.equal(100);
    // Each takes 10 ms longer than the one before it: one comes back every 20 ms.
    expect(rateOf((index) => 10 * index)).to.be.closeTo(53, 1);
  });

  it("sends at its rate while calls are still out", async () => {
    const client = clientOf(sum);
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow: CallClient = {
      async call(a, b) {
        client.made++;
        if (client.made === 20) release();
        await held;
        return a + b;
      },
    };
    const sample = await measureAtRate([slow], { rate: 1_000, duration: 20, timeout: 10_000 });
    expect(sample).to.deep.include({ due: 20, completed: 20, lost: 0, errors: {} });
  });

  it("sends no more than it was told, and gives up what does not come back", async () => {
    const silent: CallClient = { call: () => new Promise(() => {}) };
    const sample = await measureAtRate([silent], { rate: 1_000, duration: 60_000, requests: 3, timeout: 500 });
    expect(sample).to.deep.include({ due: 3, lost: 3, completed: 0 });
  });
});

describe("cli: latencies and errors of bench", () => {
  it("reads percentiles in microseconds, and those of the tail only where calls suffice", () => {
    const recorder = new LatencyRecorder();
    expect(recorder.read()).to.equal(undefined);
    for (let ms = 1; ms <= 1_000; ms++) recorder.record(ms);
    const { p50, p90, p99, p999, max, curve } = recorder.read()!;
    for (const [value = 0, wanted] of [
      [p50, 500],
      [p90, 900],
      [p99, 990],
      [p999, 999],
      [max, 1_000],
    ] as const) {
      expect(value / 1_000).to.be.closeTo(wanted, wanted / 500);
    }
    // The last one is the 99.9th percentile: one call of a thousand lies beyond it.
    expect(curve.at(-1)! / 1_000).to.be.closeTo(999, 2);
  });

  it("leaves out percentiles that too few calls tell of, and gives none beyond the greatest", () => {
    const known = (calls: number): string[] => {
      const recorder = new LatencyRecorder();
      for (let call = 0; call < calls; call++) recorder.record(321.735);
      const latency = recorder.read()!;
      for (const key of ["p50", "p90", "p99", "p999"] as const)
        expect(latency[key] ?? 0, key).to.be.at.most(latency.max);
      for (const value of latency.curve) expect(value).to.be.at.most(latency.max);
      return latencyReadings(IN_A_ROW, latency).map(({ metric }) => metric.id.replace("latency/", ""));
    };
    expect(known(9)).to.deep.equal(["p50", "max"]);
    expect(known(10)).to.deep.equal(["p50", "p90", "max"]);
    expect(known(999)).to.deep.equal(["p50", "p90", "p99", "max"]);
    expect(known(1_000)).to.deep.equal(["p50", "p90", "p99", "p999", "max"]);
  });

  it("lets a latency stand for several calls, but be one sample", () => {
    const recorder = new LatencyRecorder();
    for (let call = 0; call < 8; call++) recorder.record(1);
    recorder.record(5, 24);
    expect(recorder.count).to.equal(9);
    expect(recorder.read()!).to.not.have.property("p90");
    expect(recorder.read()!.p50).to.be.closeTo(5_000, 10);
  });

  it("takes errors that differ in numbers alone for one kind", () => {
    const counts: ErrorCounts = {};
    countError(counts, new Error("order 17 is full"), 2);
    expect(counts).to.deep.equal({ "Error: order 17 is full": 2 });
    countError(counts, new Error("order 18 is full"));
    countError(counts, new Error("order 17 is full"));
    countError(counts, new Error("no f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
    countError(counts, new Error("no f81d4fae-7dec-11d0-a765-00a0c91e6bf7"));
    addErrors(counts, { "Error: order 19 is full": 5, "Error: other": 1 });
    expect(counts).to.deep.equal({ "Error: order # is full": 9, "Error: no #": 2, "Error: other": 1 });
  });

  it("keeps few kinds of errors apart", () => {
    const counts: ErrorCounts = {};
    for (let index = 0; index < 50; index++) countError(counts, new Error("x".repeat(index)));
    expect(Object.keys(counts)).to.have.length(21);
    expect(counts[OTHER_ERRORS]).to.equal(30);
  });
});
