import { expect } from "chai";
import {
  type Comparison,
  compareRuns,
  isWorse,
  judge,
  mannWhitney,
  poolRuns,
} from "../../../packages/cli/src/bench/compare.ts";
import { chain, countReadings, IN_A_ROW, throughput } from "../../../packages/cli/src/bench/metrics.ts";
import { formatComparison } from "../../../packages/cli/src/bench/report/comparison-text.ts";
import { type Metric, type RunResult, record } from "../../../packages/cli/src/bench/results.ts";
import { runOf } from "./support/run.ts";

const calls = throughput(64);
const time = chain(50, 32, "pipelined");

const compare = (before: RunResult | RunResult[], after: RunResult | RunResult[]): Comparison =>
  compareRuns({ name: "old", runs: [before].flat() }, { name: "new", runs: [after].flat() });

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
    const { changes, unpaired, warnings } = compare(before, after);
    expect(changes.map(({ metric, verdict }) => [metric.id, verdict])).to.deep.equal([["throughput/64", "better"]]);
    expect(unpaired).to.deep.equal([`capstan: ${time.name}`]);
    expect(warnings).to.deep.equal([
      `The runs differ in node: ${before.machine.node} before, v99 after.`,
      "The runs differ in connections: 1 before, 4 after.",
    ]);
  });

  it("pairs the only peers of two runs whatever their names, else those of the same name", () => {
    const [before, after] = [runOf([[calls, [1, 1]]]), runOf([[calls, [2, 2]]])];
    after.peers[0]!.name = "other";
    expect(compare(before, after).changes).to.have.length(1);
    before.peers.push({ ...structuredClone(after.peers[0]!), name: "third" });
    expect(compare(before, after).changes).to.have.length(0);
  });

  it("takes repeated runs as one with all their rounds", () => {
    const pooled = poolRuns([runOf([[calls, [1, 2]]]), runOf([[calls, [3]]])]);
    expect(pooled.peers[0]!.metrics[0]!.rounds).to.deep.equal([1, 2, 3]);
    expect(pooled.rounds).to.equal(4);
  });

  it("takes repeated runs' errors, failures and curves together too", () => {
    const [first, second] = [runOf([[calls, [1]]]), runOf([[calls, [2]]])];
    first.peers[0]!.errors = { boom: 1 };
    Object.assign(second.peers[0]!, { errors: { boom: 2, bang: 1 }, failure: "died" });
    const curve = { id: "latency", name: "one call at a time", percentiles: [0, 50] };
    first.peers[0]!.curves = [{ ...curve, rounds: [[1, 2]] }];
    second.peers[0]!.curves = [
      { ...curve, rounds: [[3, 4]] },
      { ...curve, id: "open-loop/5", rounds: [[5]] },
    ];
    const [pooled] = poolRuns([first, second]).peers;
    expect(pooled).to.deep.include({ errors: { boom: 3, bang: 1 }, failure: "died" });
    expect(pooled!.curves.map(({ id, rounds }) => [id, rounds])).to.deep.equal([
      [
        "latency",
        [
          [1, 2],
          [3, 4],
        ],
      ],
      ["open-loop/5", [[5]]],
    ]);
    expect(first.peers[0]!.errors).to.deep.equal({ boom: 1 });
  });

  it("warns of runs that are taken together and differ in machine, commit or settings", () => {
    const [one, other] = [runOf([[calls, [1]]]), runOf([[calls, [1]]])];
    other.machine.commit = "def5678";
    other.settings.packed = true;
    expect(compare([one, other, other], one).warnings).to.deep.equal([
      "The runs of old differ in commit: abc1234, def5678.",
      "The runs of old differ in packed: none, true.",
    ]);
    expect(compare(one, [one, one]).warnings).to.deep.equal([]);
  });

  it("calls errors and failures that were not there before worse, however fast the rest is", () => {
    const [before, after] = [runOf([[calls, [1, 1]]]), runOf([[calls, [2, 2]]])];
    after.peers[0]!.errors = { "TypeError: boom": 90_000 };
    const broken = compare(before, after);
    expect(broken.changes[0]).to.include({ verdict: "better" });
    expect(broken.errors).to.deep.equal([
      {
        peer: "capstan",
        before: { perRound: 0, kinds: {} },
        after: { perRound: 45_000, kinds: { "TypeError: boom": 90_000 } },
        verdict: "worse",
      },
    ]);
    expect(isWorse(broken)).to.equal(true);
    expect(formatComparison(broken)).to.contain(
      "capstan: no errors before, 45 k errors a round (TypeError: boom) after.",
    );
    expect(compare(after, before).errors[0]).to.include({ verdict: "better" });
    const more = runOf([]);
    more.peers[0]!.errors = { "TypeError: boom": 150_000, other: 1 };
    expect(compare(after, more).errors[0]).to.include({ verdict: "same" });
    more.peers[0]!.failure = "the host died";
    expect(compare(after, more).errors[0]).to.include({ verdict: "worse" });
    expect(compare(before, before).errors).to.deep.equal([]);
    expect(isWorse(compare(before, before))).to.equal(false);
  });

  it("takes errors as a share of the calls where both runs count them", () => {
    const run = (errors: number, count: number): RunResult => {
      const made = runOf([]);
      Object.assign(made.peers[0]!, { errors: { boom: errors }, calls: count });
      record(made.peers[0]!, countReadings(IN_A_ROW, count, errors));
      return made;
    };
    const few = run(100, 10_000);
    // Ten times as many of ten times as many calls.
    const asMany = compare(few, run(1_000, 100_000));
    expect(asMany.errors[0]).to.include({ verdict: "same" });
    expect(asMany.errors[0]!.after).to.include({ perRound: 500, rate: 0.01 });
    expect(formatComparison(asMany)).to.contain("50 errors a round, 1.00 % of the calls (boom) before");
    expect(compare(few, run(1_000, 10_000)).errors[0]).to.include({ verdict: "worse" });
    expect(compare(few, run(10, 10_000)).errors[0]).to.include({ verdict: "better" });
    expect(asMany.changes.map(({ metric: { id } }) => id)).to.deep.equal(["latency/error-rate"]);
    expect(poolRuns([few, few]).peers[0]).to.include({ calls: 20_000 });
    for (const runs of [
      [few, runOf([])],
      [runOf([]), few],
    ])
      expect(poolRuns(runs).peers[0]!.calls).to.equal(undefined);
  });

  it("tells what must be known of one side alone", () => {
    const run = runOf([]);
    const other = runOf([]);
    run.peers[0]!.notes = ["left out: long chains", "a rate was not reached"];
    other.peers[0]!.notes = ["left out: long chains"];
    expect(compare([run, run], other).warnings).to.deep.equal(["old, capstan: a rate was not reached."]);
  });

  it("takes shares of the size of what was there, has none from 0, and none too small to be seen", () => {
    const heap: Metric = { ...time, unit: "bytes" };
    expect(judge("p", heap, [-10, -10], [-20, -20])).to.include({ change: -1, verdict: "better" });
    expect(judge("p", heap, [152, 152], [152.001, 152.001])).to.include({ verdict: "same" });
    const fromNothing = judge("p", heap, [0, 0], [5, 5]);
    expect(fromNothing).to.include({ verdict: "worse" }).and.not.have.property("change");
    const text = formatComparison(compare(runOf([[heap, [0, 0]]]), runOf([[heap, [5, 5]]])));
    expect(text).to.match(/0 B +5\.00 B +– +0\.333\n .* +worse/);
  });

  it("lists what differs much though it is not proven, and with `all` whatever was compared", () => {
    const before = runOf([
      [calls, [100, 101]],
      [time, [1000, 1001]],
    ]);
    const after = runOf([
      [calls, [150, 151]],
      [time, [1010, 1011]],
    ]);
    const short = formatComparison(compare(before, after));
    expect(short)
      .to.match(/64 in flight +101\/s +151\/s +\+49\.8 % +0\.333\n.* few rounds/)
      .and.not.contain("chains: 50 ms");
    expect(short).to.contain(
      "0 better, 0 worse, 0 within the noise, 2 with too few rounds to tell (take 5 or\nmore). 1 of them not shown: see --all.",
    );
    expect(formatComparison(compare(before, after), true))
      .to.contain("chains: 50 ms")
      .and.not.contain("--all");
  });

  it("fits into 80 columns", () => {
    const name = "a peer with a name";
    const run = (factor: number): RunResult =>
      runOf(
        [calls, time].map((metric) => [metric, [900, 1_100, 1_300, 1_200, 1_000].map((value) => value * factor)]),
        name,
      );
    const [before, after] = [run(1), run(2)];
    for (const one of [before, after]) one.peers.push({ ...structuredClone(one.peers[0]!), name: "another" });
    after.peers[0]!.errors = { "RangeError: something that takes many words to say, and some more after them": 5 };
    for (const line of formatComparison(compare(before, after)).split("\n")) {
      expect(line).to.have.length.of.at.most(80);
    }
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
    const text = formatComparison(compare(before, after));
    expect(text).to.match(/64 in flight +100\/s +150\/s +\+50\.0 % +\d\.\d{3}\n +better/);
    expect(text).to.contain("1 better, 0 worse, 0 within the noise, 1 with too few rounds to tell");
  });
});
