// Which way imports may go: wire ← vat ← client ← host ← cli, no reaching into another package's sources.
// Cycles are Biome's noImportCycles: it knows a type-only import, which runs nothing and may go in a circle.
const above = {
  wire: ["vat", "client", "host", "cli"],
  vat: ["client", "host", "cli"],
  client: ["host", "cli"],
  host: ["cli"],
};

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(above).map(([below, names]) => ({
      name: `${below}-imports-downwards`,
      severity: "error",
      from: { path: `^packages/${below}/src` },
      to: { path: `^(packages/(${names.join("|")})/|(node_modules/)?@capstan/(${names.join("|")})(/|$))` },
    })),
    {
      name: "only-public-entries",
      severity: "error",
      from: { path: "^packages/([^/]+)/src" },
      to: {
        path: "^packages/[^/]+/src/",
        pathNot: ["^packages/$1/src/", "^packages/[^/]+/src/((node|serving|capnp-ts)/)?index[.]ts$"],
      },
    },
    {
      name: "wire-is-pure",
      severity: "error",
      from: { path: "^packages/wire/src" },
      to: { dependencyTypes: ["core", "npm", "npm-dev"], pathNot: "^packages/" },
    },
    {
      name: "no-tests-in-packages",
      severity: "error",
      from: { path: "^packages" },
      to: { path: "^(test|bench|scripts|examples)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules|/dist/" },
    exclude: { path: "/dist/" },
    parser: "swc",
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      conditionNames: ["@capstan/source", "import", "node", "default"],
      exportsFields: ["exports"],
    },
  },
};
