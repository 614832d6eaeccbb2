// Builds the C++ peer with g++ and Debian's libcapnp-dev. What was built is kept under the hash of what it came from.
// As a program it prints the path of the binary.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const HERE = import.meta.dirname;
const SCHEMAS = join(HERE, "../../schemas");
const BUILD = join(HERE, ".build");
const FLAGS = ["-std=c++17", "-O1", "-Wall", "-Wno-unused-function"];
const LIBRARIES = ["capnp-websocket", "capnp-rpc", "capnp", "kj-http", "kj-async", "kj"].map((name) => `-l${name}`);

/** The binary's path, or why there is none: the toolchain is missing. */
export type Peer = { readonly binary: string } | { readonly missing: string };

let built: Promise<Peer> | undefined;

/**
 * The peer, built if it was not yet. Takes up to a minute then.
 *
 * @throws Error with the compiler's messages when it does not compile.
 */
export function buildPeer(): Promise<Peer> {
  built ??= build();
  return built;
}

async function build(): Promise<Peer> {
  const missing = await missingTools();
  if (missing.length > 0) return { missing: `no C++ peer: ${missing.join(", ")} missing` };

  const schemas = [join(HERE, "interop.capnp"), join(SCHEMAS, "link.capnp"), join(SCHEMAS, "js-rpc.capnp")];
  const files = (await readdir(HERE)).filter((name) => /\.(h|c\+\+)$/.test(name)).sort();
  const headers = files.filter((name) => name.endsWith(".h")).map((name) => join(HERE, name));
  const sources = files.filter((name) => name.endsWith(".c++")).map((name) => join(HERE, name));
  const { stdout: compiler } = await run("g++", ["--version"]);
  const { stdout: capnp } = await run("capnp", ["--version"]);
  const common = await hashOf([compiler, capnp, ...FLAGS, ...LIBRARIES], [...schemas, ...headers]);

  const generated = join(BUILD, `generated-${common}`);
  if (!existsSync(generated)) await generate(schemas, generated);
  const all = [...sources, ...schemas.map((schema) => join(generated, `${basename(schema)}.c++`))];
  const objects = await compileAll(all, generated, common);

  const binary = join(BUILD, `peer-${await hashOf(objects, [])}`);
  if (!existsSync(binary)) {
    await replacing(binary, (path) => run("g++", ["-o", path, ...objects, ...LIBRARIES]));
  }
  return { binary };
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

async function generate(schemas: string[], folder: string): Promise<void> {
  await replacing(folder, async (path) => {
    await mkdir(path, { recursive: true });
    const prefixes = [HERE, SCHEMAS].map((prefix) => `--src-prefix=${prefix}`);
    await run("capnp", ["compile", ...prefixes, `-oc++:${path}`, ...schemas]);
  });
}

async function compileAll(sources: string[], generated: string, common: string): Promise<string[]> {
  const objects: string[] = [];
  const waiting = [...sources];
  async function work(): Promise<void> {
    for (let source = waiting.shift(); source !== undefined; source = waiting.shift()) {
      const object = join(BUILD, `${basename(source)}-${await hashOf([common], [source])}.o`);
      objects.push(object);
      if (existsSync(object)) continue;
      const input = source;
      await replacing(object, (path) => run("g++", [...FLAGS, `-I${generated}`, "-c", input, "-o", path]));
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return objects.sort();
}

/** Makes a file or folder under another name first, so that nobody ever sees half of it. */
async function replacing(path: string, make: (path: string) => Promise<unknown>): Promise<void> {
  const partial = `${path}.${process.pid}`;
  await mkdir(BUILD, { recursive: true });
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

async function hashOf(texts: string[], files: string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text).update("\0");
  for (const file of files) hash.update(await readFile(file)).update("\0");
  return hash.digest("hex").slice(0, 16);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const peer = await buildPeer();
  if ("missing" in peer) {
    console.error(peer.missing);
    process.exit(1);
  }
  console.log(peer.binary);
}
