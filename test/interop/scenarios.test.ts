import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { listScenarios, needPeer } from "./peer.ts";

describe("interop: the scenarios of both clients", () => {
  const binary = needPeer();

  it("are the same, and the TypeScript client may have more", async () => {
    const files = (await readdir(import.meta.dirname)).filter((name) => /^client-.*\.test\.ts$/.test(name));
    const sources = await Promise.all(files.map((name) => readFile(join(import.meta.dirname, name), "utf8")));
    const names = sources.flatMap((source) =>
      Array.from(source.matchAll(/\bscenario\(\s*"([^"]+)"/g), ([, name]) => name),
    );
    expect(names).to.include.members(await listScenarios(binary()));
  });
});
