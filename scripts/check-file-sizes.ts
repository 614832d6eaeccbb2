// Fails when a source file has more than 500 lines: a file near 400 wants to be two with good names.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const MAX_LINES = 500;
const GENERATED = "/gen/";

const patterns = ["*.ts", "*.mjs", "*.cjs", "*.capnp", "*.c++", "*.h"];
const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--", ...patterns], {
  encoding: "utf8",
});
const tooLong = [...new Set(listed.split("\n"))]
  .filter((file) => file !== "" && !file.includes(GENERATED))
  .map((file) => ({ file, lines: readFileSync(file, "utf8").split("\n").length - 1 }))
  .filter(({ lines }) => lines > MAX_LINES);

for (const { file, lines } of tooLong) console.error(`${file}: ${lines} lines, more than ${MAX_LINES}`);
if (tooLong.length > 0) process.exit(1);
console.log(`file sizes: none over ${MAX_LINES} lines`);
