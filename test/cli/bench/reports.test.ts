import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Latency } from "../../../packages/cli/src/bench/load/latency.ts";
import {
  atRate,
  chain,
  cpuPerCall,
  curveReading,
  IN_A_ROW,
  inFlight,
  latencyReadings,
  throughput,
  throughputOf,
} from "../../../packages/cli/src/bench/metrics.ts";
import { progressLine } from "../../../packages/cli/src/bench/progress.ts";
import { logTicks } from "../../../packages/cli/src/bench/report/axes.ts";
import { makeCharts, percentilePlace } from "../../../packages/cli/src/bench/report/charts.ts";
import { formatCsv } from "../../../packages/cli/src/bench/report/csv.ts";
import { histogramOf } from "../../../packages/cli/src/bench/report/histogram.ts";
import { readRun } from "../../../packages/cli/src/bench/report/outputs.ts";
import { formatPage, headlines } from "../../../packages/cli/src/bench/report/page.ts";
import { formatRun } from "../../../packages/cli/src/bench/report/table.ts";
import { type RunResult, record, runSchema } from "../../../packages/cli/src/bench/results.ts";
import { drawCharts } from "./support/draw.ts";
import { runOf } from "./support/run.ts";

const latency: Latency = { p50: 100, p90: 200, p99: 400, p999: 800, max: 900, curve: [50, 60, 100, 150, 200] };

function fullRun(): RunResult {
  const run = runOf([
    [throughput(1), [5_000, 6_000]],
    [throughput(64), [100_000, 120_000]],
    [cpuPerCall("client", 64), [3, 5]],
    ...[0, 50].flatMap((trip) =>
      [1, 4].flatMap((length) => [
        [chain(trip, length, "pipelined"), [51_000, 53_000]] as const,
        [chain(trip, length, "awaited"), [length * 51_000, length * 53_000]] as const,
      ]),
    ),
  ]);
  for (const load of [IN_A_ROW, atRate(1_000)]) {
    record(run.peers[0]!, latencyReadings(load, latency), curveReading(load, latency));
  }
  return run;
}

describe("cli: the reports of bench", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "capstan-bench-"));
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("read the JSON that they write, and tell what is wrong with other files", () => {
    const file = join(folder, "run.json");
    const run = fullRun();
    writeFileSync(file, JSON.stringify(run));
    expect(readRun(file)).to.deep.equal(run);
    expect(() => readRun(join(folder, "none.json"))).to.throw(/none\.json cannot be read as JSON: ENOENT/);
    writeFileSync(file, "{");
    expect(() => readRun(file)).to.throw(/cannot be read as JSON/);
    writeFileSync(file, JSON.stringify({ ...run, version: 2 }));
    expect(() => readRun(file)).to.throw(/is no result of capstan bench: version: /);
    writeFileSync(file, JSON.stringify({ ...run, peers: [{ ...run.peers[0], metrics: [{ id: "x" }] }] }));
    expect(() => readRun(file)).to.throw(/peers\.0\.metrics\.0\./);
  });

  it("have a schema that takes every metric there is", () => {
    expect(runSchema.safeParse(fullRun()).success).to.equal(true);
  });

  it("show each figure as its median, with the least and the greatest of the rounds below it", () => {
    const text = formatRun(fullRun());
    expect(text).to.contain("a cpu, 2 cores, 8 GiB, linux x64\nNode v20.19.0, commit abc1234");
    expect(text).to.contain("Medians of 2 rounds; below them, the least and the greatest.");
    expect(text).to.match(/one call at a time +100 µs +200 µs +400 µs +800 µs +900 µs/);
    expect(text).to.match(/64 in flight +110 k\/s +4\.00 µs\n +100–120 +3\.00–5\.00\n/);
    expect(text).to.match(/50 ms, awaited +52\.0 ms +208 ms\n +51\.0–53\.0 +204–212/);
    expect(text).to.not.contain("Errors");
  });

  it("write a range in the unit of its median", () => {
    const text = formatRun(runOf([[cpuPerCall("client", 1), [4, 980, 1_200, 1_300, 2_000]]]));
    expect(text).to.match(/1\.20 ms\n +0\.004–2\.00/);
    expect(formatRun(runOf([[throughput(1), [9_000, 12_000, 1_500_000]]]))).to.match(/12 k\/s\n +9\.00–1500/);
  });

  it("fit into 80 columns, or as many as they are given: wide tables go on below", () => {
    const run = runOf([]);
    run.machine.loadBefore = 3;
    record(run.peers[0]!, latencyReadings(IN_A_ROW, latency));
    const lengths = [1, 2, 4, 8, 16, 32, 64, 128];
    for (const length of lengths)
      for (const value of [900, 1_000, 1_100])
        record(run.peers[0]!, [{ metric: chain(200, length, "awaited"), value: value * length }]);
    run.peers[0]!.errors = {
      "TypeError: one of those messages that say everything, with all the details there are": 3,
    };
    const narrow = formatRun(run).split("\n");
    for (const line of narrow) expect(line).to.have.length.of.at.most(80);
    const heads = (lines: string[]) =>
      lines.filter((line) => /^ +\d+ calls?( |$)/.test(line)).map((line) => line.trim());
    expect(
      heads(narrow)
        .join(" ")
        .split(/ +(?=\d)/),
    ).to.deep.equal(lengths.map((n) => `${n} call${n > 1 ? "s" : ""}`));
    expect(heads(narrow).length).to.be.above(1);
    const wide = formatRun(run, 200).split("\n");
    expect(heads(wide)).to.have.length(1);
  });

  it("show how the latencies of single calls are spread, as bars", () => {
    const curve = { id: "latency", name: "one call at a time", percentiles: [0, 50, 90, 99, 99.9] };
    const bars = histogramOf({ ...curve, rounds: [[100, 200, 400, 51_200, 60_000], [100, 200, 400, 51_200], [100]] });
    expect(bars.map(({ from, to }) => [from, to].map((bound) => bound && Math.round(bound)))).to.deep.equal(
      [...Array(9).keys()].map((row) => [100 * 2 ** row, 100 * 2 ** (row + 1)]).concat([[51_200, undefined]]),
    );
    const shares = bars.map(({ share }) => Math.round(share * 1_000) / 10);
    // From 400 µs on, 9 % lie evenly in seven rows.
    expect(shares).to.deep.equal([50, 40, ...Array(7).fill(1.3), 1]);
    expect(bars.reduce((sum, { share }) => sum + share, 0)).to.be.closeTo(1, 1e-12);
    const narrow = histogramOf({ ...curve, rounds: [[100, 100, 101, 101.6]] });
    expect(narrow.map(({ from }) => Math.round(from))).to.deep.equal([100, 101, 102]);
    expect(histogramOf({ ...curve, rounds: [[100, 100, 100, 100.4]] })).to.deep.equal([]);
    expect(histogramOf({ ...curve, rounds: [[100, 100, 100]] })).to.deep.equal([]);
    expect(histogramOf({ ...curve, rounds: [] })).to.deep.equal([]);
    const run = fullRun();
    run.peers[0]!.curves = [{ ...curve, rounds: [[100, 200, 400, 51_200]] }];
    expect(formatRun(run)).to.match(
      /Latency of one call at a time: shares of the calls\n +100 µs – 200 µs {2}█{40} 50\.0 %\n +200 µs – 400 µs {2}█{32} 40\.0 %\n/,
    );
  });

  it("count errors by kind", () => {
    const run = fullRun();
    run.peers[0]!.errors = { "TypeError: no": 3, "no answer in time": 5 };
    expect(formatRun(run)).to.match(/Errors\n +5 +no answer in time *\n +3 +TypeError: no/);
  });

  it("write a line for each value as CSV", () => {
    const lines = formatCsv(runOf([[throughput(64), [1, 2]]], 'a "name"')).split("\n");
    expect(lines).to.deep.equal([
      "peer,id,name,unit,round,value",
      '"a ""name""",throughput/64,64 in flight,calls/s,1,1',
      '"a ""name""",throughput/64,64 in flight,calls/s,2,2',
      "",
    ]);
  });

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

  it("show hosts of several processes by their number, with a line for each number of clients", () => {
    const run = runOf([
      [throughputOf(1, 1, 64), [100_000, 100_000]],
      [throughputOf(1, 4, 64), [110_000, 130_000]],
      [throughputOf(2, 1, 64), [100_000, 100_000]],
      [throughputOf(2, 4, 64), [200_000, 220_000]],
    ]);
    const text = formatRun(run);
    expect(text).to.match(/1 client, 64 in flight each +4 clients, 64 in flight each/);
    expect(text).to.match(/1 process +100 k\/s +120 k\/s\n +110–130\n/);
    expect(text).to.match(/2 processes +100 k\/s +210 k\/s\n +200–220/);
    const [chart, ...others] = makeCharts(run.peers);
    expect(others).to.deep.equal([]);
    expect(chart!.lines.map(({ name, points }) => [name, points])).to.deep.equal([
      [
        "1 client, 64 in flight each",
        [
          [1, 100_000, 100_000, 100_000],
          [2, 100_000, 100_000, 100_000],
        ],
      ],
      [
        "4 clients, 64 in flight each",
        [
          [1, 120_000, 110_000, 130_000],
          [2, 210_000, 200_000, 220_000],
        ],
      ],
    ]);
    expect(formatPage(run)).to.contain('<canvas id="workers"').and.contain("2 processes, 4 clients, 64 in flight each");
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

  it("say first how many round trips a long chain takes", () => {
    expect(headlines(fullRun().peers[0]!)).to.deep.include({
      figure: "1.04",
      text: "round trips for 4 dependent calls at 50 ms",
    });
  });

  it("are one page that loads nothing, whatever its texts say", () => {
    const run = fullRun();
    run.peers[0]!.about = "</script><img src=x>";
    run.peers[0]!.name = "</script><b>";
    run.peers.push({ ...fullRun().peers[0]!, name: "other" });
    const page = formatPage(run);
    expect(page).to.not.contain("<img").and.not.contain("<b>");
    expect(page).to.contain("prefers-color-scheme: dark");
    expect(page.match(/<script/g)).to.have.length(2);
    expect(page.match(/<\/script>/g)).to.have.length(2);
    expect(page.match(/<(?:link|img|iframe)\b|<\w[^>]*\s(?:src|href)=|url\(|@import/g)).to.equal(null);
    expect(page.match(/<canvas /g)).to.have.length(makeCharts(run.peers).length);
  });

  it("have a live line that never wraps", () => {
    expect(progressLine(0.5, 30_000, "round 1 of 2: chains", 80)).to.equal(
      "██████████░░░░░░░░░░  50 %, 30 s left  round 1 of 2: chains",
    );
    expect(progressLine(0.5, 30_000, "a long name", 30)).to.have.length(29);
  });
});
