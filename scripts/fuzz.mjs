// Long fuzzing: ten times the frames and operations of `npm test`, from a seed of its own, five minutes for each at most.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const seed = process.env.FUZZ_SEED ?? String(Date.now() % 1_000_000_000);
const { status } = spawnSync(
  process.execPath,
  [
    fileURLToPath(new URL("../node_modules/mocha/bin/mocha.js", import.meta.url)),
    "--no-config",
    "--node-option=conditions=@capstan/source",
    "--node-option=import=tsx",
    "--timeout=0",
    "test/fuzz/**/*.test.ts",
  ],
  {
    cwd: fileURLToPath(new URL("../", import.meta.url)),
    stdio: "inherit",
    env: { FUZZ_FIRST_SEED: seed, FUZZ_FRAMES: "1000000", FUZZ_RUNS: "20000", FUZZ_SECONDS: "290", ...process.env },
  },
);
process.exit(status ?? 1);
