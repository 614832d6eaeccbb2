import { expect } from "chai";
import {
  chain,
  cpuPerCall,
  curveReading,
  IN_A_ROW,
  inFlight,
  latencyReadings,
  throughput,
} from "../../../packages/cli/src/bench/metrics.ts";
import { logTicks } from "../../../packages/cli/src/bench/report/axes.ts";
import { makeCharts, percentilePlace } from "../../../packages/cli/src/bench/report/charts.ts";
import { formatPage } from "../../../packages/cli/src/bench/report/page.ts";
import { record } from "../../../packages/cli/src/bench/results.ts";
import { drawCharts } from "./support/draw.ts";
import { fullRun, latency, runOf } from "./support/run.ts";

describe("cli: the charts of bench", () => {
  it("draw one peer's chains in one picture, with a pipelined and an awaited line for each round trip", () => {
    const charts = makeCharts(fullRun().peers);
    expect(charts.map(({ id }) => id)).to.deep.equal(["latency", "throughput", "chains", "cpu"]);
    const { lines, legend, note } = charts[2]!;
    expect(lines.map(({ name, detail, color, dash }) => [name, detail, color, dash])).to.deep.equal([
      ["0 ms", "pipelined", 0, 0],
      ["0 ms", "awaited", 0, 1],
      ["50 ms", "pipelined", 1, 0],
      ["50 ms", "awaited", 1, 1],
    ]);
    expect(legend).to.deep.equal([
      { text: "0 ms", color: 0, dash: 0, lines: [0, 1] },
      { text: "50 ms", color: 1, dash: 0, lines: [2, 3] },
      { text: "pipelined", dash: 0, lines: [0, 2] },
      { text: "awaited", dash: 1, lines: [1, 3] },
    ]);
    expect(note).to.contain("Pipelined").and.contain("Awaited");
    expect(lines[3]!.points).to.deep.equal([
      [1, 52_000, 51_000, 53_000],
      [4, 208_000, 204_000, 212_000],
    ]);
  });

  it("draw several peers in the same pictures, each in a colour of its own", () => {
    const other = fullRun().peers[0]!;
    const charts = makeCharts([fullRun().peers[0]!, { ...other, name: "other" }]);
    expect(charts.map(({ id }) => id)).to.deep.equal(["latency", "throughput", "chains-0", "chains-50", "cpu"]);
    expect(charts[1]!.lines.map(({ name, color }) => [name, color])).to.deep.equal([
      ["capstan", 0],
      ["other", 1],
    ]);
  });

  it("give a peer of both sides of a comparison one colour, paler before", () => {
    const [a, b] = ["capstan (a)", "capstan (b)"].map((name) =>
      runOf(
        [
          [throughput(1), [5]],
          [throughput(9), [7]],
        ],
        name,
      ),
    );
    const looks = new Map([
      ["capstan (a)", { color: 3, pale: true }],
      ["capstan (b)", { color: 3, pale: false }],
    ]);
    const [chart] = makeCharts([a!.peers[0]!, b!.peers[0]!], looks);
    expect(chart!.lines.map(({ color, pale }) => [color, pale])).to.deep.equal([
      [3, true],
      [3, false],
    ]);
    expect(chart!.legend).to.deep.equal([
      { text: "capstan (a)", color: 3, dash: 0, pale: true, lines: [0] },
      { text: "capstan (b)", color: 3, dash: 0, lines: [1] },
    ]);
  });

  it("draw no more than there is: no legend entries, notes or charts for what was not measured", () => {
    const peers = ["a", "b"].map(
      (name) =>
        runOf(
          [
            [throughput(1), [5]],
            [throughput(64), [9]],
          ],
          name,
        ).peers[0]!,
    );
    for (const length of [1, 8]) record(peers[0]!, [{ metric: chain(50, length, "pipelined"), value: 51_000 }]);
    record(peers[0]!, latencyReadings(IN_A_ROW, latency), curveReading(IN_A_ROW, latency));
    const charts = makeCharts(peers);
    expect(charts.map(({ id, legend }) => [id, legend.map(({ text }) => text)])).to.deep.equal([
      ["latency", ["a"]],
      ["throughput", ["a", "b"]],
      ["chains-50", ["a"]],
    ]);
    expect(charts[0]!.note).to.not.contain("open loop");
    expect(charts[2]!.note).to.contain("Pipelined").and.not.contain("Awaited");
  });

  it("draw bars where there is a single x, and say which", () => {
    const peers = ["a", "b"].map((name) => runOf([[chain(50, 32, "pipelined"), [51_000, 53_000]]], name).peers[0]!);
    const [chart] = makeCharts(peers);
    expect(chart!).to.include({ kind: "bars" });
    expect(chart!.y).to.deep.include({ scale: "linear" });
    expect(chart!.note).to.match(/Calls in the chain: 32\.$/);
    const page = formatPage({ ...runOf([]), peers });
    expect(page).to.contain('style="height: 7.5rem"').and.not.contain('<div class="legend">');
  });

  it("name the only line of a chart, unless its axis does", () => {
    const run = runOf(
      [1, 64].flatMap(
        (count) =>
          [
            [cpuPerCall("client", count), [3]],
            [throughput(count), [3]],
          ] as const,
      ),
    );
    expect(makeCharts(run.peers).map(({ id, legend }) => [id, legend.map(({ text }) => text)])).to.deep.equal([
      ["throughput", []],
      ["cpu", ["client"]],
    ]);
    expect(formatPage(run)).to.contain('data-lines="0"><i style="border-top: 2px solid var(--line-0)"></i>client<');
  });

  it("show p50 and p99 of many peers in two pictures", () => {
    const peers = Array.from({ length: 5 }, (_, index) => {
      const peer = runOf([], `peer ${index}`).peers[0]!;
      for (const count of [16, 64]) record(peer, latencyReadings(inFlight(count), latency));
      return peer;
    });
    const shown = (count: number) =>
      makeCharts(peers.slice(0, count)).map(({ id, lines, legend }) => [id, lines.length, legend.length]);
    expect(shown(4)).to.deep.equal([["loaded-latency", 8, 6]]);
    expect(shown(5)).to.deep.equal([
      ["loaded-latency", 5, 5],
      ["loaded-latency-p99", 5, 5],
    ]);
  });

  it("label both ends of a logarithmic axis and some places between them, however long it is", () => {
    expect(logTicks(51_200, 53_900)).to.deep.equal([51_000, 52_000, 53_000, 54_000]);
    expect(logTicks(100, 100)).to.deep.equal([90, 95, 100, 105, 110]);
    expect(logTicks(30, 450)).to.deep.equal([20, 50, 100, 200, 500]);
    expect(logTicks(0.2, 1)).to.deep.equal([0.2, 0.5, 1]);
    expect(logTicks(3, 900_000)).to.deep.equal([1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]);
    for (let low = 0.001; low < 1e6; low *= 1.37) {
      for (const ratio of [1.0001, 1.2, 2.9, 3.1, 7, 80, 9_000, 2e5]) {
        const ticks = logTicks(low, low * ratio);
        expect(ticks.length, `${low} to ${low * ratio}`).to.be.within(2, 15);
        expect(ticks[0], `${low} to ${low * ratio}`).to.be.within(low / 10.1, low * 1.000001);
        expect(ticks.at(-1), `${low} to ${low * ratio}`).to.be.within(low * ratio * 0.999999, low * ratio * 10.1);
      }
    }
  });

  it("have a script that draws every chart, with texts at both ends of its axes", () => {
    const { peers } = fullRun();
    peers.push(
      runOf(
        [
          [throughput(1), [5]],
          [throughput(64), [9]],
          [chain(10, 8, "awaited"), [9]],
        ],
        "other",
      ).peers[0]!,
    );
    const drawn = drawCharts(makeCharts(peers));
    expect(drawn.map(({ canvas, type }) => [canvas, type])).to.deep.equal([
      ["latency", "line"],
      ["throughput", "line"],
      ["chains-0", "line"],
      ["chains-10", "bar"],
      ["chains-50", "line"],
      ["cpu", "bar"],
    ]);
    expect(drawn[1]).to.deep.include({
      x: ["1", "64"],
      y: ["1/s", "10/s", "100/s", "1000/s", "10 k/s", "100 k/s", "1 M/s"],
    });
    expect(drawn[3]).to.deep.include({ y: ["other"] });
    expect(drawn[4]).to.deep.include({ x: ["1", "4"], y: ["50 ms", "100 ms", "200 ms", "500 ms"] });
  });

  it("place percentiles by how rare the calls beyond them are", () => {
    expect([0, 90, 99, 99.9].map((p) => Math.round(percentilePlace(p) * 1e6) / 1e6)).to.deep.equal([0, 1, 2, 3]);
    const [chart] = makeCharts(fullRun().peers);
    expect(chart!.lines[0]!.points.map(([, median]) => median)).to.deep.equal(latency.curve);
    expect(chart!.lines.map(({ dash }) => dash)).to.deep.equal([0, 1]);
    expect(chart!.x.ticks!.map(([, text]) => text)).to.deep.equal(["0 %", "50 %", "90 %"]);
  });
});
