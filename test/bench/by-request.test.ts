import { expect } from "chai";
import { measure } from "../../bench/in-process/by-request.ts";

/** A caller whose calls take so many milliseconds each, and every request `overhead` besides. Notes what it was asked. */
function caller(each: number, overhead: number) {
  const asked: number[] = [];
  const ask = async (calls: number, inFlight: number): Promise<number> => {
    expect(inFlight).to.equal(3);
    asked.push(calls);
    return overhead + calls * each;
  };
  return { asked, ask };
}

describe("bench: calls that are measured by a request for many", () => {
  it("counts a request that takes as long as it was told, without what an empty one takes", async () => {
    const { asked, ask } = caller(0.01, 7);
    const sample = await measure(ask, { inFlight: 3, duration: 1_000 });
    expect(sample.callsPerSecond).to.be.closeTo(100_000, 1);
    expect(sample.seconds).to.be.closeTo(1, 0.01);
    expect(sample.calls).to.equal(asked.at(-1));
    expect(sample.latency).to.equal(undefined);
  });

  it("comes near that by steps, also where the first requests seem to take no time", async () => {
    let empty = 0;
    const asked: number[] = [];
    const ask = async (calls: number): Promise<number> => {
      asked.push(calls);
      // An empty request that is slower than one with calls, as happens on a busy machine.
      return calls === 0 ? 5 + empty++ : 1 + calls * 0.01;
    };
    const { calls, seconds } = await measure(ask, { inFlight: 3, duration: 100 });
    expect(seconds).to.be.within(0.08, 0.12);
    expect(Math.max(...asked)).to.equal(calls);
    expect(calls).to.be.below(20_000);
  });

  it("fails where a request does", async () => {
    const failure = new Error("wrong sum");
    let seen: unknown;
    await measure(() => Promise.reject(failure), { inFlight: 1, duration: 10 }).catch((error: unknown) => {
      seen = error;
    });
    expect(seen).to.equal(failure);
  });
});
