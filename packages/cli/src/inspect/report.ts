// What inspect says of links, as lines for people or as one JSON object a line.
import type { LinkEnd, ObservedTables } from "@capstan/vat";
import type { LinkEvent } from "@capstan/wire";
import pc from "picocolors";
import { InspectedLink, type ShownMessage, Totals } from "./inspected-link.ts";

export interface ReportOptions {
  readonly json?: boolean | undefined;
  readonly color?: boolean | undefined;
  /** What the ends are called. */
  readonly near: string;
  readonly far: string;
}

const ENDS = ["near", "far"] as const;
/** Entries of a table that are listed; the rest is counted. */
const MOST_LISTED = 100;

/** Takes what happens on links, says it, and at the end what is left in their tables. */
export class Report {
  readonly #write: (line: string) => void;
  readonly #options: ReportOptions;
  readonly #colors: ReturnType<typeof pc.createColors>;
  readonly #links = new Map<number, InspectedLink>();

  /** @param write takes a line without its end. */
  constructor(write: (line: string) => void, options: ReportOptions) {
    this.#write = write;
    this.#options = options;
    this.#colors = pc.createColors(options.color ?? false);
  }

  /** @param microseconds since the beginning. */
  handleEvent(microseconds: number, number: number, event: LinkEvent): void {
    let link = this.#links.get(number);
    if (link === undefined) {
      link = new InspectedLink(number, event.kind === "made" ? event.peer : "?");
      this.#links.set(number, link);
    }
    switch (event.kind) {
      case "made":
        this.#sayEvent(microseconds, link, "made", { peer: link.peer }, `link with ${link.peer}`);
        break;
      case "opened": {
        link.handleOpen(event.batched);
        const { batched, packed } = event;
        const how = packed ? ", packed (sizes are those of what is in it)" : batched ? "" : ", one message a frame";
        this.#sayEvent(microseconds, link, "opened", { batched, packed }, `opened${how}`);
        break;
      }
      case "sent":
      case "received":
        for (const message of link.frame(event.kind === "sent" ? "near" : "far", event.frame)) {
          this.#sayMessage(microseconds, link, message);
        }
        break;
      case "closed":
        link.handleClosed(event.reason);
        this.#sayEvent(microseconds, link, "closed", { reason: link.closedReason }, `closed: ${link.closedReason}`);
        break;
    }
  }

  /** Something that is neither a frame nor an event of the protocol. */
  note(text: string): void {
    if (this.#options.json === true) this.#writeJson({ event: "note", text });
    else this.#write(this.#colors.yellow(text));
  }

  /** Says what is left in the tables of every link, and what passed in all. */
  end(): void {
    for (const link of this.#links.values()) {
      if (this.#options.json === true) this.#writeTablesJson(link);
      else this.#writeTables(link);
    }
    this.#writeTotals();
  }

  #sayEvent(microseconds: number, link: InspectedLink, event: string, fields: object, text: string): void {
    if (this.#options.json === true) this.#writeJson({ event, microseconds, link: link.number, ...fields });
    else this.#write(`${this.#prefix(microseconds, link)} ${this.#colors.dim("·")} ${this.#colors.dim(text)}`);
  }

  #sayMessage(microseconds: number, link: InspectedLink, message: ShownMessage): void {
    const { from, kind, text, bytes, remark } = message;
    if (this.#options.json === true) {
      const { method, content, entry } = message;
      const where = {
        event: "message",
        microseconds,
        link: link.number,
        direction: from === "near" ? "sent" : "received",
      };
      this.#writeJson({ ...where, kind, ...entry, method, content, bytes, text, remark });
      return;
    }
    const { green, cyan, red, dim } = this.#colors;
    const arrow = from === "near" ? green("→") : cyan("←");
    const isBad = kind === "malformed" || kind === "abort" || text.includes(" exception ");
    const wrong = remark === undefined ? "" : ` ${red(`! ${remark}`)}`;
    const said = isBad ? red(text) : text;
    this.#write(`${this.#prefix(microseconds, link)} ${arrow} ${said} ${dim(`(${bytes} bytes)`)}${wrong}`);
  }

  #prefix(microseconds: number, link: InspectedLink): string {
    return `${this.#colors.dim((microseconds / 1e6).toFixed(6).padStart(11))} ${String(link.number).padStart(3)}`;
  }

  #writeTablesJson(link: InspectedLink): void {
    const { number, peer, closedReason, observer } = link;
    const tables = { near: observer.tables("near"), far: observer.tables("far") };
    this.#writeJson({ event: "tables", link: number, peer, closed: closedReason, ...tables }, shownEntry);
  }

  #writeTables({ number, peer, closedReason, observer }: InspectedLink): void {
    const state = closedReason === undefined ? "open" : `closed: ${closedReason}`;
    this.#write("");
    this.#write(this.#colors.bold(`link ${number} with ${peer}, ${state}`));
    for (const end of ENDS) {
      const tables = observer.tables(end);
      const counts = Object.entries(observer.sizes(end)).map(([table, size]) => `${table} ${size}`);
      this.#write(`  ${this.#options[end]}: ${counts.join(", ")}`);
      for (const line of entriesOf(tables)) this.#write(`    ${line}`);
    }
  }

  #writeTotals(): void {
    const totals = { near: this.#sum("near"), far: this.#sum("far") };
    const { near, far } = totals;
    if (this.#options.json === true) {
      const plain = ({ frames, bytes, messages }: Totals) => ({
        frames,
        bytes,
        messages: Object.fromEntries(messages),
      });
      this.#writeJson({ event: "totals", links: this.#links.size, sent: plain(near), received: plain(far) });
      return;
    }
    const kinds = new Set([...near.messages.keys(), ...far.messages.keys()]);
    const rows: [string, number, number][] = [...kinds].map((kind) => [
      kind,
      near.messages.get(kind) ?? 0,
      far.messages.get(kind) ?? 0,
    ]);
    rows.push(["frames", near.frames, far.frames], ["bytes", near.bytes, far.bytes]);
    this.#write("");
    this.#write(this.#colors.bold(`${"in all".padEnd(14)}${"→".padStart(12)}${"←".padStart(12)}`));
    for (const [name, sent, received] of rows) {
      this.#write(`${name.padEnd(14)}${String(sent).padStart(12)}${String(received).padStart(12)}`);
    }
  }

  #sum(end: LinkEnd): Totals {
    const sum = new Totals();
    for (const link of this.#links.values()) {
      const { frames, bytes, messages } = link.totals[end];
      sum.frames += frames;
      sum.bytes += bytes;
      for (const [kind, count] of messages) sum.messages.set(kind, (sum.messages.get(kind) ?? 0) + count);
    }
    return sum;
  }

  #writeJson(object: object, replacer?: (key: string, value: unknown) => unknown): void {
    this.#write(JSON.stringify(object, replacer));
  }
}

/** Leaves out what entries hold besides. */
function shownEntry(key: string, value: unknown): unknown {
  return key === "params" || key === "results" || key === "releasesResults" || key === "needsFinish"
    ? undefined
    : value;
}

/** What the tables of one end say that the other's do not. */
function entriesOf({ questions, exports, embargoes }: ObservedTables): string[] {
  const lines = [
    ...listed(questions, ({ id, method, label, returned, finished }) => {
      const state = returned ? "returned, not finished" : finished ? "finished, not returned" : "not answered";
      return `question ${id}: ${label === method ? label : `${method} ${label}`}, ${state}`;
    }),
    ...listed(exports, ({ id, references, isPromise, origin }) => {
      return `export ${id}: ×${references}${isPromise ? ", a promise" : ""}, from ${origin}`;
    }),
    ...listed(embargoes, (id) => `embargo ${id}`),
  ];
  return lines;
}

function listed<T>(entries: readonly T[], line: (entry: T) => string): string[] {
  const lines = entries.slice(0, MOST_LISTED).map(line);
  if (entries.length > MOST_LISTED) lines.push(`and ${entries.length - MOST_LISTED} more`);
  return lines;
}
