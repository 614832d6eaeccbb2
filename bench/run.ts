// The comparison: Capstan beside other systems in one run, each in two processes, interleaved round by round.
// Run: npm run bench -- [--help], npm run bench:compare -- [--help]
import { writeFileSync } from "node:fs";
import { describeMachine, HEAP_SETTING } from "../packages/cli/src/bench/machine.ts";
import { INITIAL_HEAP } from "../packages/cli/src/bench/processes/measured-process.ts";
import { Progress } from "../packages/cli/src/bench/progress.ts";
import { checkWritable, prepareOutputs, writeFiles } from "../packages/cli/src/bench/report/outputs.ts";
import { emptyPeer, type RunResult } from "../packages/cli/src/bench/results.ts";
import { formatMarkdown } from "./markdown.ts";
import { type Options, readOptions } from "./options.ts";
import { formatReport } from "./report.ts";
import { expectRounds, runRounds, startPeers } from "./rounds.ts";
import { SECONDS, SMOKE } from "./tables.ts";
import { targets } from "./targets.ts";

function emptyRun(options: Options): RunResult {
  return {
    format: "capstan-bench",
    version: 1,
    when: new Date().toISOString(),
    machine: describeMachine(),
    rounds: options.rounds,
    settings: {
      [SECONDS]: options.duration / 1_000,
      "seconds of warm-up": options.warmup / 1_000,
      bufferutil: options.bufferutil,
      [HEAP_SETTING]: INITIAL_HEAP,
      ...(options.smoke ? { [SMOKE]: true } : {}),
    },
    peers: options.peers.map((name) => emptyPeer(name)),
  };
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) return;
  prepareOutputs(options);
  if (options.markdown !== undefined) checkWritable(options.markdown);
  const run = emptyRun(options);
  const running = await startPeers(run.peers, options, (line) => console.error(line));
  const progress = new Progress(expectRounds(options, running), process.stderr);
  try {
    await runRounds(running, options, progress, (line) => {
      progress.clear();
      console.error(line);
    });
  } finally {
    progress.end();
    await Promise.all([...running.values()].map((peer) => peer.stop()));
  }
  // A shorter run tells of those targets alone that it measured.
  run.targets = targets(run).filter(({ reached }) => options.compare || reached !== undefined);
  console.log(formatReport(run, options.base));
  writeFiles(run, options);
  if (options.markdown !== undefined) {
    writeFileSync(options.markdown, formatMarkdown(run, options.base));
    console.error(`wrote ${options.markdown}`);
  }
  if (run.peers.some((peer) => peer.failure !== undefined)) process.exitCode = 1;
}

// The "exit" handler of measured-process.ts ends the children.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
main().catch((error: unknown) => {
  console.error(`bench: ${(error as Error).message}`);
  process.exit(1);
});
