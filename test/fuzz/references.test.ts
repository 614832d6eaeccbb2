// Two honest vats and a hostile third do whatever they can with references, against a model of who holds what.
import { expect } from "chai";
import { ONLY_SEED, reporting } from "./support/failures.ts";
import { ONCE_FAILED } from "./support/once-failed.ts";
import { Random } from "./support/random.ts";
import { type Step, ThreeVats } from "./support/three-vats.ts";

const RUNS = Number(process.env.FUZZ_RUNS ?? 1000);
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 60);
const FIRST_SEED = Number(process.env.FUZZ_FIRST_SEED ?? 1);
const LONGEST_RUN = 150;

function planSteps(seed: number): Step[] {
  const random = new Random(seed);
  const number = (): number => random.below(0xffff);
  return Array.from(
    { length: 10 + random.below(LONGEST_RUN) },
    (): Step => [random.below(16), number(), number(), number()],
  );
}

async function failuresOf(steps: readonly Step[]): Promise<readonly string[]> {
  const vats = new ThreeVats();
  try {
    await vats.run(steps);
  } catch (error) {
    return [...vats.failures, (error as Error).stack ?? String(error)];
  }
  return vats.failures;
}

/** Leaves out what can be left out, as long as it still fails. */
async function shrink(steps: readonly Step[]): Promise<readonly Step[]> {
  let shortest = steps;
  for (let size = shortest.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < shortest.length; ) {
      const shorter = [...shortest.slice(0, at), ...shortest.slice(at + size)];
      if ((await failuresOf(shorter)).length > 0) shortest = shorter;
      else at += size;
    }
  }
  return shortest;
}

function replay(steps: readonly Step[]): string {
  return [
    `  it("goes on after steps that once went wrong", async () => {`,
    `    expect(await failuresOf(${JSON.stringify(steps)})).to.deep.equal([]);`,
    "  });",
  ].join("\n");
}

const title = "fuzz: references between two honest vats and a hostile one";

describe(title, () => {
  for (const [what, steps] of Object.entries(ONCE_FAILED)) {
    it(`go on after ${what}`, async () => {
      expect(await failuresOf(steps)).to.deep.equal([]);
    });
  }

  it("keep the order of their calls, and are released with their last holder", async function () {
    this.timeout(0);
    const end = Date.now() + 1000 * SECONDS;
    let runs = 0;
    for (let seed = ONLY_SEED ?? FIRST_SEED; runs < RUNS && Date.now() < end; seed++, runs++) {
      let steps: readonly Step[] = planSteps(seed);
      const run = async (): Promise<void> => {
        if ((await failuresOf(steps)).length === 0) return;
        steps = await shrink(steps);
        expect(await failuresOf(steps)).to.deep.equal([]);
      };
      await reporting(title, seed, () => replay(steps), run);
      if (ONLY_SEED !== undefined) return;
    }
    console.log(`      ${runs} runs`);
  });
});
