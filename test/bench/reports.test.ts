import { expect } from "chai";
import { formatMarkdown } from "../../bench/markdown.ts";
import { formatReport } from "../../bench/report.ts";
import { targets } from "../../bench/targets.ts";
import { throughput, wireBytes } from "../../packages/cli/src/bench/metrics.ts";
import { formatPage } from "../../packages/cli/src/bench/report/page.ts";
import { type RunResult, runSchema } from "../../packages/cli/src/bench/results.ts";
import { peerOf, runWith } from "./support/made-up.ts";

function fullRun(): RunResult {
  const capstan = peerOf(
    "capstan",
    [throughput(256), [100_000, 300_000]],
    [wireBytes("to host", 1), [100, 100]],
    [wireBytes("to client", 1), [50, 50]],
  );
  const capnweb = peerOf("capnweb", [throughput(256), [20_000, 20_000]]);
  capnweb.versions = { capnweb: "0.12.0" };
  const cpp = peerOf("capnp-cpp-ws");
  cpp.leftOut = "g++ missing";
  const grpc = peerOf("grpc-js");
  grpc.failure = "it broke\nsomewhere";
  const run = runWith(capstan, capnweb, cpp, grpc);
  return { ...run, targets: targets(run) };
}

describe("bench: the comparison's reports", () => {
  it("print figures with their range, ratios, targets, and what was left out or failed", () => {
    const text = formatReport(fullRun(), "capstan");
    expect(text).to.contain("a cpu, 2 cores, 8 GiB, linux x64\nNode v20.19.0, commit abc1234");
    expect(text).to.match(/capnweb +what capnweb is \(capnweb 0\.12\.0\)/);
    expect(text).to.match(/│ capstan +│ +200 k │\n│ +│ +100 k–300 k │/);
    expect(text).to.match(/│ capnweb +│ +10\.0× │\n│ +│ +5\.00×–15\.0× │/);
    expect(text).to.contain("✓ 256 in flight: ≥ 10× capnweb: 10.0× (5.00× – 15.0×)");
    expect(text).to.contain("– 256 in flight: ≥ 4× C++ over WebSocket: not measured: capnp-cpp-ws was left out");
    expect(text).to.contain("LEFT OUT capnp-cpp-ws: g++ missing").and.contain("FAILED grpc-js: it broke");
  });

  it("show only columns and peers that have figures, and ratios only where their peer was measured", () => {
    const text = formatReport(fullRun(), "capstan");
    expect(text).to.contain("256 in flight").and.not.contain("16 in flight");
    expect(text).to.match(/│ capstan │ +150 │/);
    expect(formatReport(fullRun(), "ceiling")).to.not.contain("in multiples of");
  });

  it("are Markdown whose tables stand in columns", () => {
    const page = formatMarkdown(fullRun(), "capstan");
    expect(page).to.match(/^# Benchmarks\n/);
    expect(page).to.contain(
      "- a cpu, 2 cores, 8 GiB, linux x64; load before the run 0.00\n- Node v20.19.0, commit abc1234",
    );
    expect(page).to.match(/\| ✓ +\| 256 in flight: ≥ 10× capnweb +\| 10\.0× \(5\.00× – 15\.0×\)/);
    expect(page).to.match(/\| capstan +\| 200 k \(100 k–300 k\) \|/);
    expect(page).to.contain("- **capnp-cpp-ws** was left out: g++ missing\n");
    expect(page).to.contain("- **grpc-js** failed: it broke\n").and.not.contain("somewhere");
    for (const block of page.split("\n\n").filter((text) => text.startsWith("|"))) {
      const widths = new Set(
        block
          .trimEnd()
          .split("\n")
          .map((line) => line.length),
      );
      expect([...widths], block).to.have.length(1);
    }
  });

  it("are marked where the run was only a smoke run", () => {
    const smoke = { ...fullRun(), settings: { "smoke run": true } };
    expect(formatReport(smoke, "capstan")).to.contain("A SMOKE RUN");
    expect(formatMarkdown(smoke, "capstan")).to.contain("**A smoke run: its figures mean nothing.**");
    expect(formatMarkdown(fullRun(), "capstan")).to.not.contain("smoke");
  });

  it("are a page with the targets and with what was left out, and JSON that can be read again", () => {
    const run = fullRun();
    const page = formatPage(run);
    expect(page).to.contain(
      "<td>✓</td><td>256 in flight: ≥ 10× capnweb</td><td>10.0× (5.00× – 15.0×); not in every round</td>",
    );
    expect(page).to.contain("left out: g++ missing");
    expect(runSchema.parse(JSON.parse(JSON.stringify(run)))).to.deep.equal(run);
  });
});
