import { expect } from "chai";
import type { RunningPeer } from "../../bench/peer-child.ts";
import { type RoundOptions, runRounds } from "../../bench/rounds.ts";
import type { Step } from "../../bench/steps.ts";
import { throughput } from "../../packages/cli/src/bench/metrics.ts";
import { Progress } from "../../packages/cli/src/bench/progress.ts";
import { emptyPeer, valuesOf } from "../../packages/cli/src/bench/results.ts";

describe("bench: rounds", () => {
  let log: string[];
  let said: string[];
  let running: Map<ReturnType<typeof emptyPeer>, RunningPeer>;

  /** A peer that only says what is asked of it. */
  function fakePeer(name: string): RunningPeer {
    const peer = {
      name,
      async loop({ inFlight }: { inFlight: number }) {
        log.push(`${name} warms up at ${inFlight}`);
      },
      async stop() {
        log.push(`${name} stops`);
      },
    };
    return peer as unknown as RunningPeer;
  }

  function step(name: string, more: Partial<Step> = {}): Step {
    return {
      name,
      expected: 0,
      takes: () => true,
      async measure(peer) {
        log.push(`${name} of ${peer.name}`);
        return { readings: [{ metric: throughput(1), value: log.length }] };
      },
      ...more,
    };
  }

  async function run(options: Partial<RoundOptions>): Promise<void> {
    await runRounds(running, { rounds: 1, warmup: 0, steps: [], ...options }, new Progress(0, undefined), (line) =>
      said.push(line),
    );
  }

  beforeEach(() => {
    log = [];
    said = [];
    running = new Map(["a", "b", "c"].map((name) => [emptyPeer(name), fakePeer(name)]));
  });

  it("take the peers in turn, from another one on each time, step by step", async () => {
    await run({ rounds: 2, steps: [step("x"), step("y", { takes: ({ name }) => (name as string) !== "b" })] });
    const x = (...names: string[]): string[] => names.map((name) => `x of ${name}`);
    expect(log.filter((line) => line.startsWith("x"))).to.deep.equal([...x("b", "c", "a"), ...x("c", "a", "b")]);
    expect(log.filter((line) => line.startsWith("y"))).to.deep.equal(["y of c", "y of a", "y of a", "y of c"]);
    expect([...running.keys()].map((peer) => valuesOf(peer, throughput(1).id).length)).to.deep.equal([4, 2, 4]);
  });

  it("make some steps in the last round alone", async () => {
    await run({
      rounds: 3,
      steps: [step("x", { takes: ({ name }) => (name as string) === "a" }), step("last", { once: true })],
    });
    expect(log.slice(0, 3)).to.deep.equal(["x of a", "x of a", "x of a"]);
    expect(log.slice(3).sort()).to.deep.equal(["last of a", "last of b", "last of c"]);
  });

  it("warm every peer up first, where they are told to", async () => {
    await run({ warmup: 1, steps: [step("x")] });
    expect(log.slice(0, 3)).to.deep.equal(["a", "b", "c"].map((name) => `${name} warms up at 1`));
    expect(log.indexOf("c warms up at 256")).to.be.below(log.findIndex((line) => line.startsWith("x")));
  });

  it("go on without a peer that fails", async () => {
    const failing = step("x", {
      async measure(peer) {
        log.push(`x of ${peer.name}`);
        if ((peer.name as string) === "b") throw new Error("it broke");
        return { readings: [] };
      },
    });
    const results = [...running.keys()];
    await run({ rounds: 2, steps: [failing] });
    expect(log).to.deep.equal(["x of b", "b stops", "x of c", "x of a", "x of a", "x of c"]);
    expect(results.map(({ failure }) => failure)).to.deep.equal([undefined, "it broke", undefined]);
    expect(said).to.deep.equal(["FAILED: b: it broke"]);
  });
});
