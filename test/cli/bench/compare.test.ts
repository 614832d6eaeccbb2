import { expect } from "chai";
import { compareRuns, judge, mannWhitney, poolRuns } from "../../../packages/cli/src/bench/compare.ts";
import { chain, throughput } from "../../../packages/cli/src/bench/metrics.ts";
import { formatComparison } from "../../../packages/cli/src/bench/report/table.ts";
import type { Metric } from "../../../packages/cli/src/bench/results.ts";
import { runOf } from "./support/run.ts";

const calls = throughput(64);
const time = chain(50, 32, "pipelined");

describe("cli: what bench --compare calls a change", () => {
  it("knows how likely it is that chance alone sets two samples so far apart", () => {
    expect(mannWhitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])).to.be.closeTo(2 / 252, 1e-12);
    expect(mannWhitney([6, 7, 8, 9, 10], [1, 2, 3, 4, 5])).to.be.closeTo(2 / 252, 1e-12);
    expect(mannWhitney([1, 2, 3, 4, 6], [5, 7, 8, 9, 10])).to.be.closeTo(4 / 252, 1e-12);
    expect(mannWhitney([1, 4, 5, 8], [2, 3, 6, 7])).to.equal(1);
    expect(mannWhitney([1, 1, 1], [1, 1, 1])).to.equal(1);
    // Shared ranks: of the 6 ways to choose two of 1, 2, 2, 3 only {1, 2} twice and {2, 3} twice are as far from the mean.
    expect(mannWhitney([1, 2], [2, 3])).to.be.closeTo(4 / 6, 1e-12);
  });

  it("is a change when the rounds do not overlap, in the direction that is better for the metric", () => {
    const [low, high] = [
      [100, 101, 99, 100, 102],
      [120, 121, 119, 125, 118],
    ];
    expect(judge("p", calls, low, high)).to.include({ verdict: "better" });
    expect(judge("p", calls, high, low)).to.include({ verdict: "worse" });
    expect(judge("p", time, low, high)).to.include({ verdict: "worse" });
    expect(judge("p", time, high, low)).to.include({ verdict: "better" });
    expect(judge("p", calls, low, high)!.change).to.be.closeTo(0.2, 1e-9);
  });

  it("is none within the noise, none that is tiny, and none where rounds are too few", () => {
    expect(judge("p", calls, [100, 90, 110, 95, 105], [112, 101, 99, 120, 104])).to.include({ verdict: "same" });
    expect(judge("p", calls, [1000, 1001, 1002, 1003, 1004], [1010, 1011, 1012, 1013, 1014])).to.include({
      verdict: "same",
    });
    expect(judge("p", calls, [100, 101], [200, 201])).to.include({ verdict: "too few rounds" });
    expect(judge("p", calls, [100, 101, 99, 100], [200, 201, 199, 200])).to.include({ verdict: "too few rounds" });
    expect(judge("p", calls, [], [1])).to.equal(undefined);
  });

  it("takes every difference of figures that have no noise", () => {
    const bytes: Metric = { ...time, unit: "bytes" };
    expect(judge("p", bytes, [152, 152], [151, 151])).to.include({ verdict: "better" });
    expect(judge("p", bytes, [152, 152], [152, 152])).to.include({ verdict: "same", change: 0 });
  });

  it("tells what only one run has, and how the runs differ", () => {
    const before = runOf([[calls, [1, 1]]]);
    const after = runOf([
      [time, [1, 1]],
      [calls, [2, 2]],
    ]);
    after.machine.node = "v99";
    after.settings.connections = 4;
    const { changes, unpaired, warnings } = compareRuns(before, after);
    expect(changes.map(({ metric, verdict }) => [metric.id, verdict])).to.deep.equal([["throughput/64", "better"]]);
    expect(unpaired).to.deep.equal([`capstan: ${time.name}`]);
    expect(warnings).to.deep.equal([
      `node: ${before.machine.node} before, v99 after`,
      "connections: 1 before, 4 after",
    ]);
  });

  it("pairs the only peers of two runs whatever their names, else those of the same name", () => {
    const [before, after] = [runOf([[calls, [1, 1]]]), runOf([[calls, [2, 2]]])];
    after.peers[0]!.name = "other";
    expect(compareRuns(before, after).changes).to.have.length(1);
    before.peers.push({ ...structuredClone(after.peers[0]!), name: "third" });
    expect(compareRuns(before, after).changes).to.have.length(0);
  });

  it("takes repeated runs as one with all their rounds", () => {
    const pooled = poolRuns([runOf([[calls, [1, 2]]]), runOf([[calls, [3]]])]);
    expect(pooled.peers[0]!.metrics[0]!.rounds).to.deep.equal([1, 2, 3]);
    expect(pooled.rounds).to.equal(4);
  });

  it("prints what changed, and counts what did not", () => {
    const before = runOf([
      [calls, [100, 100]],
      [time, [5, 6]],
    ]);
    const after = runOf([
      [calls, [150, 150]],
      [time, [5, 6]],
    ]);
    const text = formatComparison(compareRuns(before, after));
    expect(text).to.match(/64 in flight +100\/s +150\/s +\+50\.0 % +better/);
    expect(text).to.contain("1 changed, 0 within the noise, 1 with too few rounds to tell");
  });
});
