// capstan serve: Workers of one process behind one port, until a signal.
import { linkUrl } from "@capstan/client/serving";
import { errorText, type PackedPolicy, serve } from "@capstan/host";
import { type Command, InvalidArgumentError, Option } from "commander";
import { recordTo } from "./recording/recording-file.ts";
import { parsePort, wholeNumber } from "./whole-number.ts";

interface ServeFlags {
  readonly port: number;
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
    .option("--record <file>", "write what passes over links there, for capstan inspect")
    .action(async (workers: string[], flags: ServeFlags) => {
      // The first line on standard output says where the host listens, whatever Workers print while they load.
      const { write } = process.stdout;
      process.stdout.write = process.stderr.write.bind(process.stderr);
      const host = await serve({
        workers,
        port: flags.port,
        host: flags.host,
        services: flags.service,
        acceptProps: flags.acceptProps,
        packed: flags.packed,
        record: recordTo(flags.record),
        limits: { gracePeriodMs: flags.grace * 1000 },
      });
      // Code that a Worker left behind (a timer, a promise nobody awaits, a listener) must not end the others' calls.
      process.on("uncaughtException", (error) => console.error(`Uncaught in a Worker: ${errorText(error)}`));
      process.stdout.write = write;
      console.log(`listening on ${host.url}`);
      let stopping = false;
      const stop = (): void => {
        if (stopping) process.exit(1);
        stopping = true;
        void host.close().then(() => process.exit(0));
      };
      process.on("SIGTERM", stop);
      process.on("SIGINT", stop);
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
