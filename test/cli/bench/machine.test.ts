import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { commitOf, describeMachine, formatMachine } from "../../../packages/cli/src/bench/machine.ts";

const cli = fileURLToPath(new URL("../../../packages/cli/", import.meta.url));

describe("cli: what bench says of the machine", () => {
  it("names the commit in Capstan's repository, and the package's version elsewhere", () => {
    expect(commitOf(cli)).to.match(/^[0-9a-f]{7,}(\+changes)?$/);
    const folder = mkdtempSync(join(tmpdir(), "capstan-bench-"));
    try {
      writeFileSync(join(folder, "package.json"), '{ "version": "1.2.3" }');
      expect(commitOf(folder)).to.equal("v1.2.3");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("tells the host's where that is another, and which version was measured", () => {
    const run = { machine: { ...describeMachine(), commit: "v1.2.3" }, when: "now", settings: {} };
    expect(formatMachine(run)).to.contain("Capstan v1.2.3, now").and.not.contain("the host");
    expect(formatMachine({ ...run, settings: { host: "Node v99, a CPU" } })).to.contain("\nthe host: Node v99, a CPU");
  });
});
