// Every peer in its two processes, as the comparison runs it: that it adds, and does what it says it can.
import { expect } from "chai";
import { workerdVersion } from "../../bench/in-process/install.ts";
import { PEER_NAMES } from "../../bench/peer.ts";
import { RunningPeer } from "../../bench/peer-child.ts";
import { prepare } from "../../bench/prepare.ts";
import { startPeers } from "../../bench/rounds.ts";
import { furtherSteps, loopSteps, type Sizes } from "../../bench/steps.ts";
import { emptyPeer } from "../../packages/cli/src/bench/results.ts";

const SIZES: Sizes = { duration: 40, stubs: 200, exports: 200, calls: [100, 200] };
/** Timers of Node count whole milliseconds, and may be early by the rest. */
const TIMER_MS = 1;
const CAN = {
  chain: ["capstan", "capstan-packed", "capnweb", "capnp-ts", "capnp-cpp-ws", "capnp-cpp-tcp"],
  hold: ["capstan", "capstan-packed", "capnweb"],
  upload: ["capstan", "capstan-packed", "capnweb", "ws-echo"],
};

describe("bench: a peer", function () {
  this.timeout(120_000);

  for (const name of PEER_NAMES) {
    it(`adds in its two processes, and does what it can: ${name}`, async function () {
      // Tests download nothing.
      if (name === "workerd" && workerdVersion() === undefined) this.skip();
      const missing = await prepare(name);
      if (missing !== undefined) {
        if (process.env.CI === "true") expect.fail(missing);
        this.skip();
      }
      const peer = await RunningPeer.start(name, { bufferutil: false });
      try {
        // In seconds. Also where some time has passed since the last one.
        for (let loop = 0; loop < 2; loop++) {
          const { seconds } = await peer.loop({ inFlight: 1, duration: SIZES.duration });
          if (!peer.inProcess) expect(seconds).to.be.at.least((SIZES.duration - TIMER_MS) / 1_000);
        }
        const ids = new Set<string>();
        for (const step of [...loopSteps(SIZES), ...furtherSteps(SIZES)]) {
          if (!step.takes(peer)) continue;
          const { readings } = await step.measure(peer);
          for (const { metric, value } of readings) {
            ids.add(metric.id);
            expect(value, metric.id).to.be.a("number").and.not.be.NaN;
          }
        }
        const has = (id: string): boolean => ids.has(id);
        expect(has("throughput/1") && has("throughput/256")).to.equal(true);
        expect(has("latency/p50"), "latencies").to.equal(!peer.inProcess);
        expect(has("cpu/host/256") && has("wire/to-host/1"), "CPU and bytes").to.equal(!peer.inProcess);
        expect(has("chain/50/pipelined/32"), "chains").to.equal(CAN.chain.includes(name));
        expect(has("heap/client") && has("tables/full"), "stubs").to.equal(CAN.hold.includes(name));
        expect(has("stream/upload") && has("stream/download"), "streams").to.equal(CAN.upload.includes(name));
        expect(has("tables/heap/many"), "many calls").to.equal(name === "capstan");
      } finally {
        await peer.stop();
      }
    });
  }

  it("is left out with what it would need, where that is not there", async () => {
    const { PATH } = process.env;
    const said: string[] = [];
    const result = emptyPeer("capnp-cpp-ws");
    process.env.PATH = "/nowhere";
    try {
      const running = await startPeers([result], { bufferutil: false }, (line) => said.push(line));
      expect(running.size).to.equal(0);
    } finally {
      process.env.PATH = PATH;
    }
    expect(result.leftOut).to.contain("g++, capnp, capnpc-c++");
    expect(result.failure).to.equal(undefined);
    expect(said).to.deep.equal([`LEFT OUT: capnp-cpp-ws: ${result.leftOut}`]);
  });
});
