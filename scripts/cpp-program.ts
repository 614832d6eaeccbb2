// Builds C++ programs with g++ and Debian's libcapnp-dev. What was built is kept under the hash of what it came from.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const FLAGS = ["-std=c++17", "-Wall", "-Wno-unused-function"];
const LIBRARIES = ["capnp-websocket", "capnp-rpc", "capnp", "kj-http", "kj-async", "kj"].map((name) => `-l${name}`);

/** What a program is built of; all paths are absolute. */
export interface CppProgram {
  /** What its binary is called. */
  readonly name: string;
  /** Where what was built is kept; made where it is not there. */
  readonly build: string;
  readonly schemas: readonly string[];
  readonly headers: readonly string[];
  readonly sources: readonly string[];
  /** As `-O2`. */
  readonly optimization: string;
}

/** The binary's path, or why there is none: the toolchain is missing. */
export type BuiltProgram = { readonly binary: string } | { readonly missing: string };

/**
 * The program, built if it was not yet. Takes up to a minute then.
 *
 * @throws Error with the compiler's messages when it does not compile.
 */
export async function buildProgram(program: CppProgram): Promise<BuiltProgram> {
  const missing = await missingTools();
  if (missing.length > 0) return { missing: `${missing.join(", ")} missing` };

  const { name, build, schemas, headers, sources, optimization } = program;
  const flags = [optimization, ...FLAGS];
  const common = await hashOf([...(await cppVersions()), ...flags, ...LIBRARIES], [...schemas, ...headers]);
  const generated = join(build, `generated-${common}`);
  if (!existsSync(generated)) await generate(schemas, generated);
  const all = [...sources, ...schemas.map((schema) => join(generated, `${basename(schema)}.c++`))];
  const objects = await compileAll(all, [...flags, `-I${generated}`], build, common);

  const binary = join(build, `${name}-${await hashOf(objects, [])}`);
  if (!existsSync(binary)) {
    await replacing(binary, (path) => run("g++", ["-o", path, ...objects, ...LIBRARIES]));
  }
  return { binary };
}

/** What the compiler and Cap'n Proto say of themselves, a line each. Rejects where they are not there. */
export async function cppVersions(): Promise<[compiler: string, capnp: string]> {
  const said = await Promise.all(["g++", "capnp"].map((tool) => run(tool, ["--version"])));
  const [compiler = "", capnp = ""] = said.map(({ stdout }) => stdout.split("\n", 1)[0]);
  return [compiler, capnp];
}

/** What of the toolchain is missing. */
export async function missingTools(): Promise<string[]> {
  const missing: string[] = [];
  for (const tool of ["g++", "capnp", "capnpc-c++"]) {
    await run("sh", ["-c", 'command -v "$0"', tool]).catch(() => missing.push(tool));
  }
  const includes = ["/usr/include", "/usr/local/include", ...(process.env.CPLUS_INCLUDE_PATH ?? "").split(":")];
  const header = "capnp/compat/websocket-rpc.h";
  if (!includes.some((folder) => existsSync(join(folder, header)))) missing.push(`${header} (libcapnp-dev)`);
  return missing;
}

async function generate(schemas: readonly string[], folder: string): Promise<void> {
  await replacing(folder, async (path) => {
    await mkdir(path, { recursive: true });
    const prefixes = [...new Set(schemas.map(dirname))].map((prefix) => `--src-prefix=${prefix}`);
    await run("capnp", ["compile", ...prefixes, `-oc++:${path}`, ...schemas]);
  });
}

async function compileAll(
  sources: readonly string[],
  flags: readonly string[],
  build: string,
  common: string,
): Promise<string[]> {
  const objects: string[] = [];
  const waiting = [...sources];
  async function work(): Promise<void> {
    for (let source = waiting.shift(); source !== undefined; source = waiting.shift()) {
      const object = join(build, `${basename(source)}-${await hashOf([common], [source])}.o`);
      objects.push(object);
      if (existsSync(object)) continue;
      const input = source;
      await replacing(object, (path) => run("g++", [...flags, "-c", input, "-o", path]));
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return objects.sort();
}

/** Makes a file or folder under another name first, so that nobody ever sees half of it. */
async function replacing(path: string, make: (path: string) => Promise<unknown>): Promise<void> {
  const partial = `${path}.${process.pid}`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await make(partial);
    // Somebody else may have been faster with the same content.
    await rename(partial, path).catch((error) => {
      if (!existsSync(path)) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function hashOf(texts: readonly string[], files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text).update("\0");
  for (const file of files) hash.update(await readFile(file)).update("\0");
  return hash.digest("hex").slice(0, 16);
}
