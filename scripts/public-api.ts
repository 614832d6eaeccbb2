// Keeps the public API of each package as a snapshot in docs/api, so that a change to it is seen in review.
// --check compares without writing, and fails on a difference; and on what @capstan/client and @capstan/host export without
// a doc comment.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readOrEmpty } from "./generated-file.ts";
import { undocumented } from "./undocumented.ts";

const check = process.argv.includes("--check");
const root = new URL("../", import.meta.url);
const packages = readdirSync(new URL("packages/", root)).sort();
let stale = false;

mkdirSync(new URL("docs/api/", root), { recursive: true });
for (const name of packages) {
  const text = snapshot(name);
  const file = new URL(`docs/api/${name}.d.ts.txt`, root);
  if (!check) writeFileSync(file, text);
  else if (readOrEmpty(file) !== text) {
    stale = true;
    console.error(`The public API of @capstan/${name} has changed: run "npm run api" and commit docs/api.`);
  }
}
for (const name of ["client", "host"]) {
  for (const declaration of undocumented(new URL(`packages/${name}/dist/index.d.ts`, root))) {
    stale = true;
    console.error(`@capstan/${name}: ${declaration} has no doc comment.`);
  }
}
if (stale && check) process.exit(1);
console.log("public API: as recorded");

/** The declarations that a package's entry leads to, one file after the other, without comments. */
function snapshot(name: string): string {
  const dist = new URL(`packages/${name}/dist/`, root);
  const seen = new Set<string>();
  const parts: string[] = [];
  const visit = (file: URL): void => {
    if (seen.has(file.href)) return;
    seen.add(file.href);
    const text = readFileSync(file, "utf8");
    const bare = text.replace(/\/\*\*[\s\S]*?\*\/\n?/g, "").replace(/^\/\/.*\n/gm, "");
    parts.push(`// ${file.href.slice(dist.href.length)}\n${bare.replace(/^\s*\n/gm, "")}`);
    // Only what is passed on is public; what is merely imported for a type is not followed.
    for (const [, specifier = ""] of text.matchAll(/^export .*? from "(\.[^"]+)";/gm)) {
      visit(new URL(specifier.replace(/\.(?:js|ts)$/, ".d.ts"), file));
    }
  };
  visit(new URL("index.d.ts", dist));
  return `${parts.join("\n")}`;
}
