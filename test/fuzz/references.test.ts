// Two honest vats and a hostile third do whatever they can with references, against a model of who holds what.
import { expect } from "chai";
import { ONLY_SEED, reporting } from "./support/failures.ts";
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

/** Runs that once failed. */
const ONCE_FAILED: { readonly [what: string]: readonly Step[] } = {
  "a circle of results that a third vat had a hand in": [
    [9, 22243, 42088, 13308],
    [15, 42465, 3001, 13349],
    [3, 4595, 62445, 59060],
    [0, 37686, 43089, 41451],
    [9, 23280, 57472, 38370],
    [1, 58095, 70, 41399],
    [5, 48110, 55990, 14012],
    [10, 22400, 18408, 1203],
    [9, 13335, 43365, 40692],
    [5, 18445, 14863, 42704],
    [4, 51021, 14830, 7962],
    [8, 14154, 31088, 7375],
    [4, 56431, 21745, 32110],
    [5, 60555, 26026, 11788],
    [7, 62320, 45668, 47723],
    [9, 60300, 28092, 30377],
    [1, 53879, 59267, 12109],
    [1, 27566, 61360, 6617],
    [0, 59772, 34728, 30016],
    [0, 46212, 36078, 27251],
    [5, 57064, 11931, 26567],
    [8, 49049, 15303, 48142],
    [3, 46971, 10150, 2020],
    [1, 35629, 11880, 5437],
    [0, 4556, 10506, 36485],
    [0, 32272, 32568, 38503],
    [5, 53787, 45962, 60709],
    [15, 10077, 53618, 44554],
    [7, 5294, 16370, 22193],
    [9, 13566, 36865, 8662],
    [14, 47905, 49370, 35225],
    [0, 16082, 17673, 18007],
    [14, 42664, 60337, 4944],
    [7, 39204, 44927, 1839],
    [1, 63213, 49426, 43198],
    [2, 28681, 27514, 45965],
    [6, 2220, 48064, 56825],
    [9, 58812, 63615, 11408],
    [1, 44398, 46192, 56161],
    [4, 1020, 20067, 26738],
    [1, 27468, 17230, 30252],
    [14, 15883, 44765, 60549],
    [2, 57920, 25320, 30907],
    [4, 57506, 2966, 33764],
    [6, 46428, 56506, 23227],
    [5, 7569, 5866, 26615],
    [5, 13837, 17334, 30114],
    [4, 24243, 16979, 36676],
    [2, 49471, 40957, 2071],
    [7, 13933, 56853, 64118],
    [7, 19145, 36410, 1926],
    [4, 28997, 37575, 25648],
    [9, 4366, 21585, 55158],
    [9, 24512, 64429, 39414],
    [9, 21181, 51921, 44464],
    [1, 38381, 41220, 19747],
    [0, 9495, 3811, 62261],
    [9, 41102, 41064, 39341],
    [2, 30256, 11373, 28073],
    [2, 23282, 5008, 24278],
    [4, 114, 49987, 1636],
    [13, 24906, 38954, 32255],
    [4, 6263, 61357, 41666],
    [2, 40050, 36546, 10244],
    [7, 16634, 12970, 11646],
    [2, 20161, 29757, 17454],
    [4, 23255, 5617, 28342],
  ],
  "an embargo on what passed a third vat whose link was lost": [
    [4, 53040, 58240, 4670],
    [4, 11896, 28290, 63336],
    [3, 52307, 40598, 12620],
    [3, 15048, 54096, 55128],
    [1, 27108, 13016, 24200],
    [5, 58202, 55412, 1760],
    [5, 41958, 6091, 51886],
    [1, 11693, 6542, 3792],
    [2, 48388, 25283, 61566],
    [0, 46657, 23406, 44154],
    [3, 47847, 7546, 27488],
    [3, 63085, 24333, 6602],
    [13, 31200, 23925, 54369],
    [3, 37020, 44380, 30810],
    [2, 13304, 65372, 3313],
    [8, 32281, 54341, 26073],
    [5, 27215, 6404, 25874],
    [1, 28900, 64073, 44250],
    [15, 59091, 42768, 17907],
    [7, 41895, 6131, 35360],
    [0, 10051, 47017, 17629],
    [2, 6288, 6866, 8009],
    [14, 47147, 57292, 15274],
    [1, 62447, 61115, 37088],
    [7, 49181, 61126, 11091],
    [1, 52612, 39973, 58557],
    [3, 9890, 11994, 48758],
    [0, 3118, 5143, 32481],
    [4, 61503, 64844, 24304],
    [0, 18407, 40656, 27994],
    [11, 19689, 16311, 35941],
    [9, 59305, 56042, 51245],
    [1, 30326, 60453, 16640],
    [0, 6602, 1446, 1804],
    [1, 31264, 44059, 22569],
    [13, 6338, 22580, 17864],
    [1, 32935, 17137, 10680],
    [3, 49956, 41751, 9680],
    [7, 32987, 5710, 12337],
  ],
  "calls on what two vats answer with each other's answers": [
    [0, 33480, 43080, 16254],
    [4, 56326, 29537, 54129],
    [9, 4555, 16737, 1054],
    [3, 62784, 24687, 16336],
    [9, 46898, 20138, 57448],
    [3, 26938, 48590, 41614],
    [12, 50640, 52307, 24518],
    [0, 46484, 11438, 23532],
    [4, 4357, 37259, 15982],
    [3, 48476, 28680, 27364],
    [1, 57202, 11141, 42874],
    [2, 39873, 26324, 55720],
    [3, 31073, 37947, 64783],
    [5, 54889, 34313, 51827],
    [7, 64899, 52034, 61435],
    [0, 3642, 22887, 51092],
    [13, 36885, 3857, 61455],
    [8, 57721, 38628, 60284],
    [14, 49728, 35334, 6560],
    [13, 62133, 22544, 36587],
    [1, 28059, 47705, 38544],
    [8, 2734, 57924, 38989],
    [3, 53355, 55009, 48261],
    [0, 36003, 13143, 13203],
    [9, 38678, 5095, 29374],
    [0, 8794, 37683, 38195],
    [15, 62115, 51211, 60699],
    [7, 18362, 27923, 24838],
    [5, 61364, 42528, 40812],
    [0, 9350, 61627, 47189],
    [4, 1202, 2023, 18882],
  ],
  "an embargo on a promise that leads to another one": [
    [0, 51580, 47681, 16927],
    [1, 23314, 57451, 490],
    [5, 7369, 32440, 49970],
    [1, 21654, 27706, 32267],
    [1, 34950, 3066, 12439],
    [14, 8481, 277, 14182],
    [8, 101, 28945, 43978],
    [3, 6414, 62697, 22598],
    [1, 49864, 40746, 6151],
    [15, 46419, 35880, 30398],
    [2, 15465, 65442, 25448],
    [0, 8043, 2155, 59620],
    [4, 60475, 19320, 3156],
    [1, 33304, 44706, 63468],
    [4, 3177, 49522, 6034],
    [0, 7194, 52428, 14377],
    [0, 30764, 45260, 49277],
    [5, 34856, 65249, 32850],
    [14, 54111, 6583, 46694],
    [1, 38502, 49882, 53762],
    [15, 46503, 13210, 14732],
    [4, 61694, 51513, 22803],
    [1, 47573, 63339, 40160],
    [9, 40278, 46397, 46186],
    [7, 887, 46401, 24541],
    [0, 40367, 2988, 63593],
    [1, 57536, 57622, 13637],
    [8, 25838, 63880, 6864],
    [3, 1174, 54446, 13102],
    [2, 58201, 47831, 41231],
  ],
};

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
