import { expect } from "chai";
import { targets } from "../../bench/targets.ts";
import {
  chain,
  cpuPerCall,
  heapAfter,
  heapPerStub,
  IN_A_ROW,
  latencyReadings,
  throughput,
  withExports,
} from "../../packages/cli/src/bench/metrics.ts";
import type { Metric, TargetResult } from "../../packages/cli/src/bench/results.ts";
import { peerOf, runWith } from "./support/made-up.ts";

const [P50] = latencyReadings(IN_A_ROW, { p50: 1, p90: 1, p99: 1, p999: 1, max: 1, curve: [] }).map(
  ({ metric }) => metric,
) as [Metric];

function find(results: readonly TargetResult[], text: string): TargetResult {
  const found = results.find((target) => target.text.startsWith(text));
  expect(found, text).to.not.equal(undefined);
  return found!;
}

describe("bench: the targets", () => {
  it("are ratios of one round's figures, and the median of them is held against the bound", () => {
    const capstan = peerOf("capstan", [throughput(256), [1_000, 400, 900]], [P50, [90, 100, 120]]);
    const capnweb = peerOf("capnweb", [throughput(256), [100, 10, 90]], [P50, [100, 100, 100]]);
    const results = targets(runWith(capstan, capnweb));
    expect(find(results, "256 in flight: ≥ 10× capnweb")).to.deep.include({
      figure: "10.0× (10.0× – 40.0×)",
      reached: true,
    });
    expect(find(results, "one call, p50: below capnweb's")).to.deep.include({
      figure: "1.00× (0.90× – 1.20×); not in every round",
      reached: true,
    });
  });

  it("are missed by what is too little, and by what is too much", () => {
    const capstan = peerOf("capstan", [throughput(256), [999]], [P50, [126]]);
    const capnweb = peerOf("capnweb", [throughput(256), [100]]);
    const echo = peerOf("ws-echo", [P50, [100]]);
    const results = targets(runWith(capstan, capnweb, echo));
    expect(find(results, "256 in flight: ≥ 10× capnweb").reached).to.equal(false);
    expect(find(results, "one call, p50: ≤ 1.25× the raw echo").reached).to.equal(false);
  });

  it("add up both ends, and take differences where these count", () => {
    const capstan = peerOf(
      "capstan",
      [cpuPerCall("client", 256), [2]],
      [cpuPerCall("host", 256), [3]],
      [chain(50, 32, "pipelined"), [52_000]],
      [heapPerStub("client"), [180]],
      [withExports("empty", 0), [200]],
      [withExports("full", 100_000), [179]],
      [heapAfter("few", 100_000), [30 * 2 ** 20]],
      [heapAfter("many", 1_000_000), [29 * 2 ** 20]],
    );
    const capnweb = peerOf("capnweb", [cpuPerCall("client", 256), [15]], [cpuPerCall("host", 256), [15]]);
    const results = targets(runWith(capstan, capnweb));
    expect(find(results, "CPU per call")).to.deep.include({ figure: "6.00×", reached: true });
    expect(find(results, "32 dependent")).to.deep.include({ figure: "1.040", reached: true });
    expect(find(results, "heap per held stub")).to.deep.include({ figure: "180 B", reached: true });
    expect(find(results, "calls/s with 100,000")).to.deep.include({ figure: "0.90×", reached: false });
    expect(find(results, "heap after 1,000,000")).to.deep.include({ figure: "-1 MiB", reached: true });
  });

  it("say why they were not measured", () => {
    const workerd = peerOf("workerd");
    workerd.leftOut = "it is not there";
    const ceiling = peerOf("ceiling");
    ceiling.failure = "it broke";
    const capstan = peerOf("capstan", [throughput(64), [1]]);
    const results = targets(runWith(capstan, peerOf("capstan-in-process", [throughput(1), [1]]), workerd, ceiling));
    const why = (text: string): string => {
      const { figure, reached } = find(results, text);
      expect(reached, text).to.equal(undefined);
      return figure;
    };
    expect(why("binding within a process")).to.equal("not measured: workerd was left out");
    expect(why("64 in flight")).to.equal("not measured: ceiling failed");
    expect(why("256 in flight: ≥ 10× capnweb")).to.equal("not measured: capnweb did not take part");
    expect(why("heap per held stub")).to.equal("not measured");
  });
});
