// Nothing of the protocol goes without a clause, and no clause without a test that is there.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import Mocha, { type Suite } from "mocha";
import { CLAUSES } from "./clauses.ts";
import { fieldsOf } from "./schema-fields.ts";

const root = new URL("../../", import.meta.url);

/** Every test of a suite that would run, as clauses name it. */
function titlesOf(suite: Suite, titles: Set<string>): Set<string> {
  for (const test of suite.tests) {
    const file = test.file?.slice(fileURLToPath(root).length).replaceAll("\\", "/");
    if (!test.isPending()) titles.add(`${file}: ${test.fullTitle()}`);
  }
  for (const inner of suite.suites) titlesOf(inner, titles);
  return titles;
}

function rootOf(suite: Suite): Suite {
  return suite.parent === undefined ? suite : rootOf(suite.parent);
}

describe("clauses of the protocol", () => {
  const titles = new Set<string>();

  before(async function () {
    this.timeout(120_000);
    titlesOf(rootOf(this.test?.parent as Suite), titles);
    // Files that are not among those that run are loaded for their titles alone.
    const mocha = new Mocha({ reporter: class {} as never });
    for (const file of new Set(CLAUSES.flatMap(({ tests }) => tests).map((test) => test.split(": ", 1)[0] ?? ""))) {
      if ([...titles].some((title) => title.startsWith(`${file}: `))) continue;
      mocha.addFile(fileURLToPath(new URL(file, root)));
    }
    await mocha.loadFilesAsync();
    titlesOf(mocha.suite, titles);
  });

  it("name tests that are there", () => {
    const named = CLAUSES.flatMap(({ tests }) => tests);
    expect(named.filter((test) => !titles.has(test))).to.deep.equal([]);
  });

  it("have a test each, unless they are deferred", () => {
    const bare = CLAUSES.filter(({ state, tests }) => state !== "deferred" && tests.length === 0);
    expect(bare.map(({ id }) => id)).to.deep.equal([]);
  });

  it("say why they are deferred, or done in another way", () => {
    const silent = CLAUSES.filter(({ state, why }) => state !== "supported" && (why ?? "") === "");
    expect(silent.map(({ id }) => id)).to.deep.equal([]);
  });

  it("have names of their own", () => {
    const ids = CLAUSES.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).to.deep.equal([]);
  });

  it("leave no field of the schema out, and speak of no other", () => {
    const fields = fieldsOf(readFileSync(new URL("schemas/rpc.capnp", root), "utf8"));
    expect(fields).to.include.members([
      "Message.disembargo",
      "Call.sendResultsTo.yourself",
      "Finish.requireEarlyCancellationWorkaround",
      "PromisedAnswer.Op.getPointerField",
      "Exception.Type.failed",
      "Exception.Detail.data",
    ]);
    const spoken = new Set(CLAUSES.map(({ id }) => id.split("/", 1)[0] ?? ""));
    spoken.delete("Protocol");
    expect([...spoken].sort()).to.deep.equal([...new Set(fields)].sort());
  });
});
