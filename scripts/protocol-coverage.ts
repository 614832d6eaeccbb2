// Writes docs/protocol-coverage.md: every clause of the protocol, how Capstan stands to it, and the tests that show it.
// --check compares without writing, and fails on a difference. That the tests are there is for test/spec to say.
import { CLAUSES, GROUPS } from "../test/spec/clauses.ts";
import { writeOrCheck } from "./generated-file.ts";

const page = new URL("../docs/protocol-coverage.md", import.meta.url);
writeOrCheck(page, write(), 'docs/protocol-coverage.md is not what test/spec says: run "npm run coverage".');
console.log("coverage of the protocol: as test/spec says");

function write(): string {
  const count = (state: string) => CLAUSES.filter((clause) => clause.state === state).length;
  const lines = [
    "# Coverage of Cap'n Proto RPC",
    "",
    "Made by `npm run coverage` from the clauses in `test/spec`: what the protocol's text asks for, field by field of",
    "`schemas/rpc.capnp`, and the tests that show it. What is not marked is supported.",
    "",
    `${count("supported")} of ${CLAUSES.length} clauses are supported, ${count("divergent")} are done in another way, ${count("deferred")} are deferred.`,
  ];
  for (const [title, clauses] of Object.entries(GROUPS)) {
    lines.push("", `## ${title}`, "");
    for (const { id, text, state, why, tests } of clauses) {
      lines.push(
        `- **${id}** ${text}${state === "supported" ? "" : ` _${state[0]?.toUpperCase()}${state.slice(1)}:_ ${why}`}`,
      );
      for (const test of tests) lines.push(`  - ${test}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
