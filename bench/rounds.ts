// Runs the peers: starts them, and measures them interleaved, round by round.
import type { Progress } from "../packages/cli/src/bench/progress.ts";
import { type PeerResult, record } from "../packages/cli/src/bench/results.ts";
import type { PeerName } from "./peer.ts";
import { type ChildOptions, RunningPeer } from "./peer-child.ts";
import { prepare } from "./prepare.ts";
import { LEVELS, type Step } from "./steps.ts";

/** The peers that run, by where their figures go. */
export type Running = Map<PeerResult, RunningPeer>;

/** Says what is out of the ordinary, on a line of its own. */
type Say = (line: string) => void;

/**
 * Prepares the peers, then starts them all at once. What a peer needs and cannot have is noted as why it is left out; one
 * that does not start is noted as failed.
 */
export async function startPeers(results: readonly PeerResult[], options: ChildOptions, say: Say): Promise<Running> {
  for (const result of results) {
    try {
      result.leftOut = await prepare(result.name as PeerName);
      if (result.leftOut !== undefined) say(`LEFT OUT: ${result.name}: ${result.leftOut}`);
    } catch (error) {
      fail(result, error, say);
    }
  }
  const running: Running = new Map();
  const starts = results.map(async (result) => {
    if (result.leftOut !== undefined || result.failure !== undefined) return;
    try {
      const peer = await RunningPeer.start(result.name as PeerName, options);
      result.about = peer.about;
      result.versions = { ...peer.versions };
      running.set(result, peer);
    } catch (error) {
      fail(result, error, say);
    }
  });
  await Promise.all(starts);
  return running;
}

export interface RoundOptions {
  readonly rounds: number;
  /** Milliseconds of each level of each peer, before the first round. */
  readonly warmup: number;
  readonly steps: readonly Step[];
}

/** What all rounds are expected to take, in milliseconds. */
export function expectRounds({ rounds, warmup, steps }: RoundOptions, running: Running): number {
  const warming = warmup * LEVELS.length * running.size;
  return steps.reduce((sum, step) => {
    const peers = [...running.values()].filter((peer) => step.takes(peer)).length;
    return sum + step.expected * peers * (step.once ? 1 : rounds);
  }, warming);
}

/** Warms every peer up, then runs all rounds. A peer that fails is left out from then on. */
export async function runRounds(running: Running, options: RoundOptions, progress: Progress, say: Say): Promise<void> {
  const { rounds, warmup, steps } = options;
  const each = async (name: string, expected: number, of: Running, run: OnePeer): Promise<void> => {
    for (const [result, peer] of of) {
      progress.next(`${name}: ${result.name}`, expected);
      try {
        await run(peer, result);
      } catch (error) {
        running.delete(result);
        progress.clear();
        fail(result, error, say);
        await peer.stop();
      }
    }
  };
  if (warmup > 0) {
    for (const inFlight of LEVELS) {
      const loop: OnePeer = async (peer) => void (await peer.loop({ inFlight, duration: warmup }));
      await each(`warm-up, ${inFlight} in flight`, warmup, running, loop);
    }
  }
  for (let round = 1; round <= rounds; round++) {
    for (const step of steps) {
      if (step.once && round < rounds) continue;
      await each(
        `round ${round} of ${rounds}, ${step.name}`,
        step.expected,
        turned(running, round, step),
        async (peer, result) => {
          const { readings, curves } = await step.measure(peer);
          record(result, readings, curves);
        },
      );
    }
  }
}

type OnePeer = (peer: RunningPeer, result: PeerResult) => Promise<void>;

/** Those that take part, from another one on in each round, so that none always follows the same one. */
function turned(running: Running, round: number, step: Step): Running {
  const peers = [...running].filter(([, peer]) => step.takes(peer));
  const first = peers.length === 0 ? 0 : round % peers.length;
  return new Map([...peers.slice(first), ...peers.slice(0, first)]);
}

function fail(result: PeerResult, error: unknown, say: Say): void {
  result.failure = (error as Error).message;
  say(`FAILED: ${result.name}: ${result.failure}`);
}
