// Writes docs/workers-compat.md: every behaviour of the checklist, and the tests that show it, as they came out.
// --check compares without writing, and fails on a difference. A test that fails fails this too.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Mocha from "mocha";
import { CHECKLIST, type ItemId, SECTIONS } from "../test/workers/support/checklist.ts";
import { writeOrCheck } from "./generated-file.ts";

const root = new URL("../", import.meta.url);
const page = new URL("docs/workers-compat.md", root);
const folder = new URL("test/workers/", root);

const mocha = new Mocha({ timeout: 20_000, reporter: class {} as never });
for (const name of readdirSync(folder).sort()) {
  if (name.endsWith(".test.ts")) mocha.addFile(fileURLToPath(new URL(name, folder)));
}
await mocha.loadFilesAsync();

/** What was seen of each item: test titles, and on how many transports each passed. */
const seen = new Map<string, Map<string, number>>();
const failures: string[] = [];
await new Promise<void>((done) => {
  mocha
    .run(() => done())
    .on("pass", (test) => {
      const id = idOf(test.parent?.title ?? "");
      if (id === undefined) return;
      const tests = seen.get(id) ?? new Map<string, number>();
      seen.set(id, tests.set(test.title, (tests.get(test.title) ?? 0) + 1));
    })
    .on("fail", (test) => failures.push(test.fullTitle()));
});
if (failures.length > 0) {
  console.error(`These tests fail:\n${failures.join("\n")}`);
  process.exit(1);
}

writeOrCheck(page, write(), 'docs/workers-compat.md is not what the tests show: run "npm run compat".');
console.log("compatibility with Workers RPC: as the tests show");
process.exit(0);

function idOf(title: string): string | undefined {
  const [id = ""] = title.split(" ");
  return id in CHECKLIST ? id : undefined;
}

function write(): string {
  const ids = Object.keys(CHECKLIST) as ItemId[];
  const shown = ids.filter((id) => seen.has(id)).length;
  const lines = [
    "# Compatibility with Workers RPC",
    "",
    "Made by `npm run compat` from what the tests in `test/workers` show, each run twice: with the callee in the caller's",
    "process, and in another host over a link. ★ is better than the original on purpose.",
    "",
    `${shown} of ${ids.length} are shown.`,
  ];
  for (const [letter, title] of Object.entries(SECTIONS)) {
    lines.push("", `## ${letter}. ${title}`, "");
    for (const id of ids.filter((each) => each.startsWith(`${letter}.`))) {
      const tests = seen.get(id);
      lines.push(`- **${id}** ${CHECKLIST[id]}${tests === undefined ? ". _Not shown yet._" : ""}`);
      for (const name of tests?.keys() ?? []) lines.push(`  - ${name}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
