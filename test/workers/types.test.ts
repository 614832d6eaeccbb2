// Section h: the types of stubs and services. The expectations are in test/types: here they are put to the compiler.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { item } from "./support/transports.ts";

const root = new URL("../../", import.meta.url);
const tsc = fileURLToPath(new URL("node_modules/typescript/bin/tsc", root));

describe("h. TypeScript", () => {
  item("h.1", () => {
    it("meets every expectation in test/types, those that must fail included", async () => {
      const project = fileURLToPath(new URL("test/types", root));
      const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", project]).catch((error) => error);
      expect(stdout).to.equal("");
    });
  });
});
