// capstan inspect: what passes, or has passed, over links.
import { once } from "node:events";
import { linkUrl } from "@capstan/client/serving";
import type { TrafficListener, TrafficRecorder } from "@capstan/vat";
import type { LinkEvent } from "@capstan/wire";
import type { Command } from "commander";
import pc from "picocolors";
import { Report } from "./inspect/report.ts";
import { openTap } from "./inspect/tap.ts";
import { readRecording } from "./recording/read-recording.ts";
import { recordTo } from "./recording/recording-file.ts";
import { parsePort } from "./whole-number.ts";

interface InspectFlags {
  readonly port?: number;
  readonly record?: string;
  readonly json?: true;
}

export function addInspect(program: Command): void {
  program
    .command("inspect")
    .description(
      "show the messages of a recording, or of links that it passes on to a host, and what is left in their tables",
    )
    .argument("<url | file>", "a host, or a file that --record wrote")
    .option("--port <port>", "where to listen for the links to pass on; default: a free port", parsePort)
    .option("--record <file>", "write what passes there, too")
    .option("--json", "one JSON object a line")
    .action(async (from: string, flags: InspectFlags) => {
      // Whoever reads this (head, less) may have seen enough.
      process.stdout.on("error", () => process.exit(0));
      if (/^(https?|wss?):\/\//.test(from)) await inspectLinks(from, flags);
      else if (flags.port !== undefined || flags.record !== undefined) {
        throw new TypeError("--port and --record are for links, not for a recording.");
      } else await inspectRecording(from, flags);
    });
}

async function inspectRecording(path: string, flags: InspectFlags): Promise<void> {
  const report = makeReport(flags, "recording end", "other end");
  const records = readRecording(path);
  let isBegun = false;
  try {
    let next = await records.next();
    isBegun = true;
    for (; next.done !== true; next = await records.next()) {
      const { microseconds, link, event } = next.value;
      report.handleEvent(microseconds, link, event);
      await outputReady();
    }
    if (next.value > 0) report.note(`The recording was cut off within a record (${next.value} bytes of it are there).`);
  } finally {
    // Also where it is broken in the middle.
    if (isBegun) report.end();
  }
}

async function inspectLinks(url: string, flags: InspectFlags): Promise<void> {
  const start = process.hrtime.bigint();
  const report = makeReport(flags, "caller", "host");
  const recorder = recordTo(flags.record);
  let links = 0;
  const record: TrafficRecorder = (peer) => {
    const link = ++links;
    const recording = recorder?.(peer);
    const say = (event: LinkEvent): void => {
      report.handleEvent(Number((process.hrtime.bigint() - start) / 1000n), link, event);
    };
    say({ kind: "made", peer });
    return both(recording, {
      handleOpen: (batched, packed) => say({ kind: "opened", batched, packed }),
      handleSent: (frame) => say({ kind: "sent", frame }),
      handleReceived: (frame) => say({ kind: "received", frame }),
      handleClosed: (reason) => say({ kind: "closed", reason }),
    });
  };
  const tap = await openTap({
    target: linkUrl(url),
    port: flags.port ?? 0,
    record,
    note: (text) => report.note(text),
    ready: outputReady,
  });
  if (flags.json !== true) console.log(`listening on ${tap.url}`);
  else console.log(JSON.stringify({ event: "listening", url: tap.url }));
  const stop = async (): Promise<void> => {
    tap.close();
    report.end();
    await outputReady();
    process.exit(0);
  };
  process.once("SIGINT", () => void stop());
  process.once("SIGTERM", () => void stop());
}

function makeReport(flags: InspectFlags, near: string, far: string): Report {
  const color = process.stdout.isTTY === true && pc.isColorSupported;
  return new Report((line) => process.stdout.write(`${line}\n`), { json: flags.json, color, near, far });
}

let drained: Promise<void> | undefined;

/** Resolves once standard output takes more; undefined where it does. */
function outputReady(): Promise<void> | undefined {
  if (process.stdout.writableNeedDrain) {
    drained ??= once(process.stdout, "drain").then(() => {
      drained = undefined;
    });
  }
  return drained;
}

function both(first: TrafficListener | undefined, second: TrafficListener): TrafficListener {
  if (first === undefined) return second;
  return {
    handleOpen(batched, packed) {
      first.handleOpen(batched, packed);
      second.handleOpen(batched, packed);
    },
    handleSent(frame) {
      first.handleSent(frame);
      second.handleSent(frame);
    },
    handleReceived(frame) {
      first.handleReceived(frame);
      second.handleReceived(frame);
    },
    handleClosed(reason) {
      first.handleClosed(reason);
      second.handleClosed(reason);
    },
  };
}
