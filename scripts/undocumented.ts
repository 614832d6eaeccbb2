// Finds what an entry of a package exports without a doc comment, in the declarations that the compiler wrote.
import { readFileSync } from "node:fs";

const DECLARATION = /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|function|const|let|type|enum) ([\w$]+)/;
/** Not those that nobody outside calls, nor the name of an error class. */
const HIDDEN_MEMBER = /^ {4}(?:#private|private |protected |\[Symbol\.|\}|constructor\(|readonly name(?:: | = )")/;

/**
 * Names of the declarations that `entry` (a `.d.ts` file) exports, and of their members as `Name.member`, that have no doc
 * comment. What comes from another package is left out.
 */
export function undocumented(entry: URL): string[] {
  const text = readFileSync(entry, "utf8");
  const missing: string[] = [];
  for (const [, list = "", specifier = ""] of text.matchAll(/^export (?:type )?\{([^}]*)\} from "(\.[^"]+)";/gm)) {
    const names = list.split(",").map((name) => name.replace(/\btype /, "").trim());
    const file = new URL(specifier.replace(/\.(?:js|ts)$/, ".d.ts"), entry);
    missing.push(...missingIn(readFileSync(file, "utf8"), new Set(names)));
  }
  return missing;
}

function missingIn(text: string, wanted: ReadonlySet<string>): string[] {
  const missing: string[] = [];
  const documented = new Set<string>();
  let owner: string | undefined;
  let before = "";
  for (const line of text.split("\n")) {
    const hasComment = before.trimEnd().endsWith("*/");
    const name = DECLARATION.exec(line)?.[1];
    if (name !== undefined) {
      owner = /\b(?:class|interface) /.test(line) && wanted.has(name) ? name : undefined;
      // A value and a type of one name, or overloads: one comment is enough.
      if (hasComment) documented.add(name);
      else if (wanted.has(name)) missing.push(name);
    } else if (owner !== undefined) {
      const member = /^ {4}(?:readonly |static |get |set |async |abstract )*([\w$]+)/.exec(line)?.[1];
      if (member !== undefined && !HIDDEN_MEMBER.test(line)) {
        const key = `${owner}.${member}`;
        if (hasComment) documented.add(key);
        else missing.push(key);
      }
    }
    before = line;
  }
  return missing.filter((name) => !documented.has(name));
}
