import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { HEAP_SETTING } from "../../../packages/cli/src/bench/machine.ts";
import {
  atRate,
  chain,
  countReadings,
  cpuPerCall,
  IN_A_ROW,
  inFlight,
  latencyReadings,
  reachedRate,
  throughput,
  throughputOf,
} from "../../../packages/cli/src/bench/metrics.ts";
import { progressLine } from "../../../packages/cli/src/bench/progress.ts";
import { makeCharts } from "../../../packages/cli/src/bench/report/charts.ts";
import { formatCsv } from "../../../packages/cli/src/bench/report/csv.ts";
import { histogramOf } from "../../../packages/cli/src/bench/report/histogram.ts";
import { readRun } from "../../../packages/cli/src/bench/report/outputs.ts";
import { formatPage, headlines } from "../../../packages/cli/src/bench/report/page.ts";
import { formatRun } from "../../../packages/cli/src/bench/report/table.ts";
import { type PeerResult, record, runSchema } from "../../../packages/cli/src/bench/results.ts";
import { fullRun, latency, runOf } from "./support/run.ts";

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

  it("say how large a heap processes start with, and what else the machine had to do", () => {
    const run = fullRun();
    for (const text of [formatRun(run), formatPage(run)]) expect(text).to.not.match(/heap of \d|disturbs/);
    run.settings[HEAP_SETTING] = 96;
    run.machine.loadBefore = 1;
    expect(formatRun(run)).to.contain("Processes start with a heap of 96 MiB.");
    expect(formatPage(run))
      .to.contain("<dt>initial heap in MiB</dt><dd>96</dd>")
      .and.contain("load before the run 1.00 (other work on this machine disturbs the figures)");
  });

  it("have their columns in order though the first row lacks some", () => {
    const run = runOf([]);
    const few = latencyReadings(IN_A_ROW, latency).filter(({ metric: { x } }) => x === 50 || x === 100);
    record(run.peers[0]!, [...few, ...latencyReadings(inFlight(64), latency)]);
    expect(formatRun(run)).to.match(/ p50 +p90 +p99 +p99\.9 +max\n one call at a time +100 µs +– +– +– +900 µs\n/);
  });

  it("write a range in the unit of its median", () => {
    const text = formatRun(runOf([[cpuPerCall("client", 1), [4, 980, 1_200, 1_300, 2_000]]]));
    expect(text).to.match(/1\.20 ms\n +0\.004–2\.00/);
    expect(formatRun(runOf([[throughput(1), [9_000, 12_000, 1_500_000]]]))).to.match(/12 k\/s\n +9\.00–1500/);
    const counts = [...countReadings(IN_A_ROW, 12_000, 0), ...countReadings(IN_A_ROW, 20_000, 0)];
    const counted = runOf([]);
    record(counted.peers[0]!, counts);
    expect(formatRun(counted)).to.match(/16 k +0 +0 %\n +time +12\.0–20\.0/);
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
    const bounds = [...Array(10).keys()].map((row) => 100 * 2 ** row);
    expect(bars.map(({ from }) => Math.round(from))).to.deep.equal(bounds);
    expect(bars.map(({ to }) => to && Math.round(to))).to.deep.equal([...bounds.slice(1), undefined]);
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

  it("tell how many calls were made, how many failed, which rate was reached, and what else must be known", () => {
    const run = fullRun();
    const [peer] = run.peers as [PeerResult];
    record(peer, [
      ...countReadings(IN_A_ROW, 20_000, 50),
      ...countReadings(atRate(1_000), 1_000, 0),
      { metric: reachedRate(1_000), value: 640 },
    ]);
    Object.assign(peer, { errors: { boom: 50 }, calls: 21_000, notes: ["the rate was <missed>"] });
    const text = formatRun(run);
    expect(text).to.match(
      / calls +errors +error rate +reached\n one call at a time +20 k +50 +0\.25 % +–\n 1000 calls\/s, open loop +1000 +0 +0 % +640\/s\n/,
    );
    expect(text).to.contain("Errors, of 21 k calls\n 50  boom").and.contain("the rate was <missed>");
    expect(formatPage(run))
      .to.contain("<h2>Errors, of 21 k calls</h2>")
      .and.contain("<p>the rate was &lt;missed&gt;</p>");
    expect(formatCsv(run)).to.contain("capstan,open-loop/1000/reached,").and.contain("capstan,latency/errors,");
  });

  it("say why a run did not come to its end", () => {
    const run = fullRun();
    run.peers[0]!.failure = "the host <died>";
    expect(formatRun(run)).to.contain("failed: the host <died>");
    expect(formatPage(run)).to.contain("<h2>Errors</h2><p>Failed: the host &lt;died&gt;</p></section>");
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
    expect(formatPage(run))
      .to.contain('<canvas id="processes"')
      .and.contain("2 processes, 4 clients, 64 in flight each");
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
