import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { build, type Plugin } from "esbuild";

const entry = fileURLToPath(new URL("../../packages/client/dist/index.js", import.meta.url));

describe("client: in a browser", () => {
  it("bundles for a browser without a Node module, and without ws", async () => {
    const refused: string[] = [];
    const noNode: Plugin = {
      name: "no-node",
      setup(bundle) {
        bundle.onResolve({ filter: /^(node:|ws$)/ }, ({ path }) => {
          refused.push(path);
          return { path, external: true };
        });
      },
    };
    const result = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      metafile: true,
      platform: "browser",
      format: "esm",
      logLevel: "silent",
      plugins: [noNode],
    });
    expect(refused).to.deep.equal([]);
    const inputs = Object.keys(result.metafile.inputs);
    expect(inputs.some((file) => file.includes("packages/vat/dist"))).to.equal(true);
    expect(inputs.filter((file) => /node_modules|\/node\//.test(file))).to.deep.equal([]);
  });
});
