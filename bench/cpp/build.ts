// Builds the comparison's C++ program, with the connections of the interop tests' peer.
import { join } from "node:path";
import { type BuiltProgram, buildProgram } from "../../scripts/cpp-program.ts";

const HERE = import.meta.dirname;
const INTEROP = join(HERE, "../../test/interop");

/** The program, built if it was not yet; or what is missing for that. Rejects where it does not compile. */
export function buildAdder(): Promise<BuiltProgram> {
  return buildProgram({
    name: "adder",
    build: join(HERE, ".build"),
    schemas: [join(HERE, "../schemas/adder.capnp")],
    headers: ["transport.h", "tear.h"].map((name) => join(INTEROP, name)),
    sources: [join(HERE, "adder.c++"), ...["transport.c++", "tear.c++"].map((name) => join(INTEROP, name))],
    optimization: "-O2",
  });
}
