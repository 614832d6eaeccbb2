import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { undocumented } from "../../scripts/undocumented.ts";

describe("scripts: doc comments of a public API", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "capstan-test-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** What is missing in `declarations`, of which an entry exports `names`. */
  async function missingIn(declarations: string, names: string): Promise<string[]> {
    await writeFile(join(folder, "a.d.ts"), declarations);
    await writeFile(join(folder, "index.d.ts"), `export { ${names} } from "./a.ts";\n`);
    return undocumented(pathToFileURL(join(folder, "index.d.ts")));
  }

  it("finds declarations and members without one", async () => {
    const text = [
      "export interface Options {",
      "    readonly port?: number;",
      "    /** Default: none. */",
      "    readonly host?: string;",
      "}",
      "/** Serves. */",
      "export declare function serve(options: Options): void;",
      "export declare const LIMIT = 1;",
      "/** A thing. */",
      "export declare class Thing {",
      "    #private;",
      "    static readonly OPEN = 1;",
      "    constructor();",
      "    /** Ends it. */",
      "    close(): void;",
      "    get size(): number;",
      "}",
    ].join("\n");
    expect(await missingIn(text, "type Options, serve, LIMIT, Thing")).to.deep.equal([
      "Options",
      "Options.port",
      "LIMIT",
      "Thing.OPEN",
      "Thing.size",
    ]);
  });

  it("asks nothing of what is not exported, and one comment of overloads", async () => {
    const text = [
      "export interface Inner {",
      "    a: number;",
      "}",
      "/** Either. */",
      "export declare function f(a: string): void;",
      "export declare function f(a: number): void;",
    ].join("\n");
    expect(await missingIn(text, "f")).to.deep.equal([]);
  });
});
