// capstan serve: Workers behind one port, until a signal.
import { linkUrl } from "@capstan/client/serving";
import type { PackedPolicy } from "@capstan/host";
import { type Command, InvalidArgumentError, Option } from "commander";
import { serveInOne, serveInSeveral } from "./serve/run.ts";
import type { ServeTask } from "./serve/serve-task.ts";
import { parsePort, parseProcesses, wholeNumber } from "./whole-number.ts";

interface ServeFlags {
  readonly port: number;
  /** Processes. */
  readonly workers: number;
  readonly host: string;
  readonly acceptProps?: true;
  readonly packed: PackedPolicy;
  readonly grace: number;
  readonly record?: string;
  readonly service: { readonly [name: string]: string };
}

export function addServe(program: Command): void {
  program
    .command("serve")
    .description("serve Workers; HTTP goes to the first one")
    .argument("<worker...>", "wrangler.toml, wrangler.json(c), or a directory that holds one")
    .option("--port <port>", "port to listen on; 0 takes a free one", parsePort, 8787)
    .option(
      "--workers <N>",
      "processes that share the port, each with all of these Workers; auto: one for each core",
      parseProcesses,
      1,
    )
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--service <NAME=URL>", "where another service lives; repeatable", collectService, {})
    .option("--accept-props", "let bindings of other hosts set ctx.props: only among trusted hosts")
    .addOption(
      new Option(
        "--packed <which>",
        "links whose frames are packed, for fewer bytes and more work: all, those of other machines, none",
      )
        .choices(["always", "remote", "never"] satisfies PackedPolicy[])
        .default("remote" satisfies PackedPolicy),
    )
    .option("--grace <seconds>", "time that calls and tasks get when a signal stops the host", parseSeconds, 30)
    .option(
      "--record <file>",
      "write what passes over links there, for capstan inspect; of several processes each in <file>.1, <file>.2, …",
    )
    .action(async (workers: string[], flags: ServeFlags) => {
      const task: ServeTask = {
        workers,
        host: flags.host,
        services: flags.service,
        acceptProps: flags.acceptProps === true,
        packed: flags.packed,
        graceMs: flags.grace * 1000,
        record: flags.record,
      };
      if (flags.workers === 1) await serveInOne(task, flags.port);
      else await serveInSeveral(task, flags.port, flags.workers);
    });
}

function parseSeconds(text: string): number {
  const seconds = wholeNumber(text);
  // As long as a timer can wait.
  if (seconds === undefined || seconds > 2_147_483) {
    throw new InvalidArgumentError("Not a number of seconds (0 to 2147483).");
  }
  return seconds;
}

function collectService(text: string, known: { [name: string]: string }): { [name: string]: string } {
  const at = text.indexOf("=");
  const url = text.slice(at + 1);
  if (at < 1) throw new InvalidArgumentError("Write NAME=URL.");
  try {
    linkUrl(url);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
  return { ...known, [text.slice(0, at)]: url };
}
