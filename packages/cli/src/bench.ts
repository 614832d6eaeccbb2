// capstan bench: how fast calls are, on a host of its own or on a user's.
import type { Command } from "commander";
import type { Flags } from "./bench/command.ts";
import { integerFrom, listOf, numberFrom, parseArguments, parseSize, someOf, timeFrom } from "./bench/options.ts";
import { MEASUREMENTS } from "./bench/plan.ts";

const count = (text: string): number => integerFrom(1, 100_000)(text);
const seconds = timeFrom(10, 3_600_000, "s");

export function addBench(program: Command): void {
  const command = program
    .command("bench")
    .description("measure calls: latency, throughput, chains at several round-trip times, payloads, streams, and more")
    .argument(
      "[url]",
      "a running host to measure: that of your own method, or `capstan bench --serve`; default: a host of its own",
    )
    .option("--service <name>", "service to call; default: the host's first")
    .option("--entrypoint <name>", "named export; default: the default export")
    .option("--method <path.to.method>", "your method to call, on <url>")
    .option(
      "--args <json>",
      "its arguments, a JSON array; @file.json, or @- for standard input, reads it there",
      parseArguments,
    );
  addLoadOptions(command);
  addOutputOptions(command);
  command
    .option(
      "--compare <files...>",
      "compare two runs written by --json; A1.json,A2.json B1.json,B2.json where each was repeated",
    )
    .option("--all", "with --compare: show every figure, not only those that changed")
    .option("--fail-on-worse", "with --compare: end with 1 when a figure is worse, or there are more errors")
    .option(
      "--serve <port>",
      "serve the benchmark's own Worker, for `capstan bench <url>` elsewhere",
      integerFrom(0, 65_535),
    )
    .option("--host <address>", "address for --serve (127.0.0.1)")
    .action(async (url: string | undefined, flags: Flags) => {
      // Loaded only here: the other commands have no use for it.
      const { bench } = await import("./bench/command.ts");
      await bench(url, flags);
    });
}

function addLoadOptions(command: Command): void {
  command
    .option("--only <list>", `some of ${MEASUREMENTS.join(", ")}`, someOf(MEASUREMENTS))
    .option("-c, --concurrency <list>", "calls in flight (1,16,64,256)", listOf(integerFrom(1, 50_000)))
    .option(
      "-r, --rate <list>",
      "calls per second of the open loop (10000); with --method and without -c, nothing else is measured",
      listOf(numberFrom(0.1, 10_000_000)),
    )
    .option("-d, --duration <time>", "of one measurement: 3s, 500ms, 1m; a bare number means seconds (0.5)", seconds)
    .option(
      "-n, --requests <count>",
      "calls of one measurement at most, which may then take 10 minutes; with --method, neither warm-up, set-up nor wire besides",
      integerFrom(1, 1e9),
    )
    .option("--warmup <time>", "before each round (1s)", timeFrom(0, 3_600_000, "s"))
    .option("--rounds <count>", "rounds, each with new processes (5)", integerFrom(1, 1_000))
    .option("--connections <count>", "links that the calls are spread over (1)", integerFrom(1, 10_000))
    .option("--packed", "packed links: fewer bytes, more work")
    .option("--timeout <time>", "after which a call counts as lost (10s)", seconds)
    .option("--chain <list>", "lengths of chains (1,2,4,8,16,32)", listOf(count))
    .option("--rtt <list>", "round-trip times of chains, in ms (0,1,10,50,200)", listOf(timeFrom(0, 10_000, "ms")))
    .option(
      "--bandwidth <Mbit/s>",
      "of the links of chains, each way; default: no bound",
      (text) => (numberFrom(0.001, 1e6)(text) * 1e6) / 8,
    )
    .option("--fan-out <list>", "calls on one promise (1,10,100,1000)", listOf(count))
    .option("--payload <list>", "payload sizes (16,256,4KiB,64KiB,1MiB,16MiB)", listOf(parseSize))
    .option(
      "--workers <list>",
      "processes of the host, as capstan serve --workers has them (1,2,4)",
      listOf(integerFrom(1, 64)),
    )
    .option("--clients <list>", "client processes that call them at once (4)", listOf(integerFrom(1, 64)))
    .option("--cpu-prof <directory>", "write CPU profiles of all processes there")
    .option("--quick", "a few seconds: fewer rounds, levels and sizes");
}

function addOutputOptions(command: Command): void {
  command
    .option("--json [file]", "the results as JSON; to standard output without a file")
    .option("--html <file>", "a self-contained page with charts")
    .option(
      "-o, --output <file>",
      "a file by its ending: .json, .html, .csv or .txt; repeatable",
      (file: string, files: string[] = []) => [...files, file],
    )
    .option("--name <name>", "what the run is called in reports (capstan)")
    .option(
      "--max-error-rate <fraction>",
      "end with 1 where more of all calls fail: 0.01 is one in a hundred (none)",
      numberFrom(0, 1),
    )
    .option("--no-progress", "no live line");
}
