// capstan call: one call, its result on standard output.
import { inspect, isDeepStrictEqual } from "node:util";
import { connect } from "@capstan/client";
import type { Command } from "commander";
import { recordTo } from "./recording/recording-file.ts";

interface CallFlags {
  readonly service?: string;
  readonly entrypoint?: string;
  readonly record?: string;
}

export function addCall(program: Command): void {
  program
    .command("call")
    .description("make one call and print its result")
    .argument("<url>", "the host: http, https, ws or wss")
    .argument("<method>", "path.to.method")
    .argument("[arguments...]", "JSON, one each")
    .option("--service <name>", "service; default: the host's first")
    .option("--entrypoint <name>", "named export; default: the default export")
    .option("--record <file>", "write what passes over the link there, for capstan inspect")
    .action(async (url: string, method: string, texts: string[], flags: CallFlags) => {
      const args = texts.map(parseArgument);
      const link = connect(url, { record: recordTo(flags.record) });
      try {
        let at: unknown = link.service(flags.service, { entrypoint: flags.entrypoint });
        for (const name of method.split(".")) at = Reflect.get(at as object, name);
        if (typeof at !== "function") throw new TypeError(`"${method}" cannot be called.`);
        console.log(print(await Reflect.apply(at, undefined, args)));
      } finally {
        link.close();
      }
    });
}

function parseArgument(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new SyntaxError(`"${text}" is not JSON; a string needs quotes of its own.`);
  }
}

/** JSON where it says everything, else inspected. */
function print(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    const json = JSON.stringify(value);
    if (json !== undefined && isDeepStrictEqual(JSON.parse(json), value)) return json;
    return inspect(value, { depth: 8 });
  }
  const json = typeof value === "bigint" ? undefined : JSON.stringify(value);
  return json !== undefined && Object.is(JSON.parse(json), value) ? json : inspect(value);
}
