// capstan call: one call, its result on standard output.
import { connect } from "@capstan/client";
import { callByPath } from "@capstan/client/serving";
import type { Command } from "commander";
import { resultText } from "./print.ts";
import { recordTo } from "./recording/recording-file.ts";

interface CallFlags {
  readonly service?: string;
  readonly entrypoint?: string;
  readonly packed?: true;
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
    .option("--packed", "ask for a packed link: fewer bytes, more work; default: as the host has it")
    .option("--record <file>", "write what passes over the link there, for capstan inspect")
    .action(async (url: string, method: string, texts: string[], flags: CallFlags) => {
      const args = texts.map(parseArgument);
      const path = method.split(".");
      if (method === "fetch" || method === "connect") throw new TypeError(notAMethod(method));
      const link = connect(url, { packed: flags.packed, record: recordTo(flags.record) });
      try {
        const service = link.service(flags.service, { entrypoint: flags.entrypoint });
        console.log(resultText(await callByPath(service, path, args)));
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

function notAMethod(event: "fetch" | "connect"): string {
  const hint = event === "fetch" ? "; send an HTTP request to the host's URL, with curl for example" : "";
  return `"${event}" is an event of a service, not a method that can be called${hint}.`;
}
