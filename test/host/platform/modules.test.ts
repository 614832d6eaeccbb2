import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { bundleWorker } from "../../../packages/host/src/loader/bundle.ts";
import { platformModules } from "../../../packages/host/src/platform/modules.ts";

describe("host/platform: what a Worker's import of cloudflare:workers brings along", () => {
  let root: string;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "capstan-test-"));
  });
  after(() => rm(root, { recursive: true }));

  /** Whether a Worker that imports `names` switches scopes on. */
  async function isScoped(names: string): Promise<boolean> {
    const main = join(root, "index.js");
    await writeFile(main, `import { ${names} } from "cloudflare:workers";\nexport default [${names}];\n`);
    const file = join(root, "wrangler.toml");
    const config = { name: "w", main, file, vars: {}, services: [], compatibilityFlags: [], warnings: [] };
    return (await bundleWorker(config, platformModules(0))).code.includes("cloudflare-workers-scoped");
  }

  it("no scopes for the classes", async () => {
    expect(await isScoped("DurableObject, RpcPromise, RpcProperty, RpcStub, RpcTarget, WorkerEntrypoint")).to.equal(
      false,
    );
  });

  for (const name of ["env", "exports", "waitUntil", "withEnv"]) {
    it(`scopes for ${name}`, async () => {
      expect(await isScoped(name)).to.equal(true);
    });
  }
});
