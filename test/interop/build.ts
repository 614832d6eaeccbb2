// Builds the C++ peer. As a program it prints the path of the binary.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BuiltProgram, buildProgram } from "../../scripts/cpp-program.ts";

const HERE = import.meta.dirname;
const SCHEMAS = join(HERE, "../../schemas");

let built: Promise<BuiltProgram> | undefined;

/**
 * The peer, built if it was not yet. Takes up to a minute then.
 *
 * @throws Error with the compiler's messages when it does not compile.
 */
export function buildPeer(): Promise<BuiltProgram> {
  built ??= build();
  return built;
}

async function build(): Promise<BuiltProgram> {
  const files = (await readdir(HERE)).sort();
  const ending = (end: string): string[] => files.filter((name) => name.endsWith(end)).map((name) => join(HERE, name));
  const peer = await buildProgram({
    name: "peer",
    build: join(HERE, ".build"),
    schemas: [join(HERE, "interop.capnp"), join(SCHEMAS, "link.capnp"), join(SCHEMAS, "js-rpc.capnp")],
    headers: ending(".h"),
    sources: ending(".c++"),
    optimization: "-O1",
  });
  return "missing" in peer ? { missing: `no C++ peer: ${peer.missing}` } : peer;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const peer = await buildPeer();
  if ("missing" in peer) {
    console.error(peer.missing);
    process.exit(1);
  }
  console.log(peer.binary);
}
