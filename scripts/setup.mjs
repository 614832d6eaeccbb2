// Makes a checkout ready to run: installs what package-lock.json names when that changed, then builds what changed.
// Plain JavaScript with Node's own modules only, because it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const stamp = new URL("node_modules/.capstan-setup", root);
const wanted = createHash("sha256")
  .update(readFileSync(new URL("package-lock.json", root)))
  .digest("hex");

/** Runs a program in the repository's root; ends this process with its status where it fails. */
function run(command, args) {
  const result = spawnSync(command, args, { cwd: fileURLToPath(root), stdio: ["ignore", 2, 2] });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  process.stderr.write("installing dependencies …\n");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(stamp, wanted);
}
run(process.execPath, [fileURLToPath(new URL("node_modules/typescript/bin/tsc", root)), "-b", "packages/cli"]);
