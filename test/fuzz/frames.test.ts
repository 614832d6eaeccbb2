// Real traffic with faults in it, fed to a host and to a client.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { describeMessage, FrameReader, resolveLimits } from "../../packages/wire/src/index.ts";
import { ONLY_SEED, reporting } from "./support/failures.ts";
import { mutate, splitFrame } from "./support/mutate.ts";
import { Random } from "./support/random.ts";
import { record, type Session, type Subjected, subjectClient, subjectHost } from "./support/sessions.ts";

const FRAMES = Number(process.env.FUZZ_FRAMES ?? 100_000);
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 60);
const FIRST_SEED = Number(process.env.FUZZ_FIRST_SEED ?? 1);
/** Time of one frame. On a loaded machine anything may take as long once, and nothing may always. */
const LONGEST_MS = 100;
const TRIES = 4;
/** What may be reachable after so many sessions more than after the first ones. */
const LEFT_BYTES = 24 * 1024 * 1024;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What is fed: to whom, and the frames. */
interface Plan {
  readonly isHost: boolean;
  readonly isPlain: boolean;
  readonly frames: readonly Uint8Array[];
}

/** Real frames up to some point, faulty ones from there on. */
function plan(sessions: { readonly plain: Session; readonly full: Session }, seed: number): Plan {
  const random = new Random(seed);
  const isHost = random.once(2);
  const isPlain = !random.once(8);
  const session = isPlain ? sessions.plain : sessions.full;
  const whole = isHost ? session.client : session.host;
  const frames = random.once(4) ? whole : whole.flatMap(splitFrame);
  const others = isHost ? session.host : session.client;
  // Most faults are found by whoever has got far enough to have something to lose.
  const sane = random.below(frames.length);
  const planned: Uint8Array[] = [];
  for (let i = 0; i < 2 * frames.length; i++) {
    const next = frames[i] ?? random.of(random.once(4) ? others : frames);
    planned.push(i < sane || random.once(2) ? next : mutate(next, random, frames));
    if (i < sane) continue;
    if (random.once(8)) planned.push(...planned.slice(-1));
    if (random.once(8)) planned.push(...planned.splice(-2, 1));
  }
  return { isHost, isPlain, frames: planned };
}

/** Feeds a session, and checks what must hold whatever is in it. Returns the time that the slowest frame took, in ms. */
async function feed(subject: Subjected, frames: readonly Uint8Array[], fed: Uint8Array[] = []): Promise<number> {
  const { transport, link } = subject;
  let slowest = 0;
  await Promise.resolve();
  for (const frame of frames) {
    if (transport.isClosed) break;
    fed.push(frame);
    const before = performance.now();
    // The receiver keeps a frame that it was given.
    transport.feed(frame.slice());
    slowest = Math.max(slowest, performance.now() - before);
    for (let turns = 0; turns < 4; turns++) await Promise.resolve();
  }
  await new Promise((done) => setImmediate(done));
  await subject.end();
  const { questions, answers, imports, exports, embargoes } = link.tables;
  expect([questions, answers, imports, exports, embargoes], "entries in the tables").to.deep.equal([0, 0, 0, 0, 0]);
  return slowest;
}

function replay({ isHost, isPlain }: Plan, fed: readonly Uint8Array[]): string {
  const subject = isHost ? "subjectHost()" : `subjectClient(${isPlain})`;
  const lines = fed.map((frame) => `      "${Buffer.from(frame).toString("hex")}",`);
  return [
    `  it("goes on after frames that once were too much", async () => {`,
    "    const frames = [",
    ...lines,
    "    ];",
    `    await feed(${subject}, frames.map((hex) => new Uint8Array(Buffer.from(hex, "hex"))));`,
    "  });",
  ].join("\n");
}

async function heapBytes(): Promise<number> {
  // What is found to be out of reach is told of in a turn of its own, and may be the last to hold something else.
  for (let times = 0; times < 3; times++) {
    collect();
    await new Promise((done) => setTimeout(done, 10));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const title = "fuzz: frames of real sessions with faults in them";

describe(title, () => {
  let plain: Session;
  let full: Session;
  before(async () => {
    plain = await record(true);
    full = await record(false);
  });

  it("is made of all that level 1 says", () => {
    const kinds = new Set<string>();
    for (const frame of [...full.client, ...full.host]) {
      for (const message of splitFrame(frame)) {
        const reader = new FrameReader(resolveLimits(), { batched: true });
        reader.open(new Uint8Array(message));
        const read = reader.next();
        if (read !== undefined) kinds.add(describeMessage(read).split(" ")[0] as string);
      }
    }
    expect([...kinds]).to.include.members(["bootstrap", "call", "return", "finish", "release", "disembargo"]);
  });

  it("is fed without faults, and goes well", async () => {
    for (const [isPlain, session] of [
      [true, plain],
      [false, full],
    ] as const) {
      await feed(subjectHost(), session.client);
      await feed(subjectClient(isPlain), session.host);
    }
  });

  it("throws nowhere, holds nothing, leaves nothing pending, and takes no time", async function () {
    this.timeout(0);
    const end = Date.now() + 1000 * SECONDS;
    let total = 0;
    let settled = 0;
    for (let seed = ONLY_SEED ?? FIRST_SEED; total < FRAMES && Date.now() < end; seed++) {
      const fed: Uint8Array[] = [];
      const planned = plan({ plain, full }, seed);
      const { isHost, isPlain, frames } = planned;
      const run = async (): Promise<void> => {
        const subject = () => (isHost ? subjectHost() : subjectClient(isPlain));
        let slowest = await feed(subject(), frames, fed);
        for (let tries = 1; tries < TRIES && slowest > LONGEST_MS; tries++) slowest = await feed(subject(), frames);
        expect(slowest, "ms for one frame").to.be.at.most(LONGEST_MS);
      };
      await reporting(title, seed, () => replay(planned, fed), run);
      total += fed.length;
      if (ONLY_SEED !== undefined) return;
      if (settled === 0 && total > FRAMES / 10) settled = await heapBytes();
    }
    console.log(`      ${total} frames`);
    expect((await heapBytes()) - settled, "bytes left behind").to.be.lessThan(LEFT_BYTES);
  });
});
