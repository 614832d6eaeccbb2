// One link under inspection: frames become messages in words, and tables.
import { type LinkEnd, TrafficObserver } from "@capstan/vat";
import { describeMessage, FrameReader, MessageKind, nameMethod, type RpcMessage, resolveLimits } from "@capstan/wire";
import { contentOfCall, contentOfResults, printable } from "./content.ts";

/** A message for people, or bytes that are none. All ids are as the near end has them in its tables. */
export interface ShownMessage {
  readonly from: LinkEnd;
  /** A name of `MessageKind`, "unknown", or "malformed". */
  readonly kind: string;
  readonly text: string;
  /** With its framing; of malformed ones what was left of the frame. */
  readonly bytes: number;
  /** Of a call or Return, `Interface.method`. */
  readonly method?: string | undefined;
  /** What its params or results hold, where that is known. */
  readonly content?: string | undefined;
  /** The entry that it is about. */
  readonly entry?: { readonly [table: string]: number } | undefined;
  /** What is wrong with it. */
  readonly remark?: string | undefined;
}

const KINDS: ReadonlyMap<number, string> = new Map(Object.entries(MessageKind).map(([name, kind]) => [kind, name]));
const LIMITS = resolveLimits();
const LONGEST_LABEL = 80;

/** Counts of one direction. */
export class Totals {
  frames = 0;
  bytes = 0;
  readonly messages = new Map<string, number>();

  count(kind: string): void {
    this.messages.set(kind, (this.messages.get(kind) ?? 0) + 1);
  }
}

/** What is known of a link. `near` is the end that recorded it; of one that passes a tap, the caller. */
export class InspectedLink {
  readonly number: number;
  readonly peer: string;
  readonly observer = new TrafficObserver();
  readonly totals = { near: new Totals(), far: new Totals() };
  /** Why it ended; undefined while it is open. */
  closedReason: string | undefined;
  #frames = { near: new FrameReader(LIMITS, { batched: true }), far: new FrameReader(LIMITS, { batched: true }) };

  constructor(number: number, peer: string) {
    this.number = number;
    this.peer = printable(peer);
  }

  handleOpen(batched: boolean): void {
    this.#frames = { near: new FrameReader(LIMITS, { batched }), far: new FrameReader(LIMITS, { batched }) };
  }

  handleClosed(reason: string): void {
    this.closedReason ??= printable(reason);
  }

  /** The messages of a frame that `from` sent. What follows a malformed one in its frame is lost. */
  *frame(from: LinkEnd, frame: Uint8Array): Generator<ShownMessage> {
    const totals = this.totals[from];
    totals.frames++;
    totals.bytes += frame.length;
    const frames = this.#frames[from];
    let at = 0;
    try {
      frames.open(frame);
      for (let message = frames.next(); message !== undefined; message = frames.next()) {
        const bytes = frames.position - at;
        at = frames.position;
        const shown = this.#show(from, message, bytes);
        totals.count(shown.kind);
        yield shown;
      }
    } catch (error) {
      totals.count("malformed");
      const text = `malformed: ${error instanceof Error ? error.message : String(error)}`;
      yield { from, kind: "malformed", text: printable(text), bytes: frame.length - at };
    }
  }

  #show(from: LinkEnd, message: RpcMessage, bytes: number): ShownMessage {
    const other = from === "near" ? "far" : "near";
    let method: string | undefined;
    let content: string | undefined;
    if (message.kind === MessageKind.call) {
      method = nameMethod(message.interfaceHigh, message.interfaceLow, message.methodId);
      content = printable(contentOfCall(method, message));
    } else if (message.kind === MessageKind.return) {
      method = this.observer.question(other, message.answerId)?.method;
      if (message.results !== undefined) content = printable(contentOfResults(method ?? "", message.results));
    }
    const kind = KINDS.get(message.kind) ?? "unknown";
    const view = from === "near" ? "sender" : "receiver";
    const text = printable(describeMessage(message, { view, content }));
    const remark = this.observer.observe(from, message, labelOf(method, content));
    return { from, kind, text, bytes, method, content, entry: entryOf(from, message), remark };
  }
}

/** The near end's table and id of what `message` is about, where that is one entry. */
function entryOf(from: LinkEnd, message: RpcMessage): { readonly [table: string]: number } | undefined {
  const isNear = from === "near";
  switch (message.kind) {
    case MessageKind.call:
    case MessageKind.bootstrap:
    case MessageKind.finish:
      return { [isNear ? "question" : "answer"]: message.questionId };
    case MessageKind.return:
      return { [isNear ? "answer" : "question"]: message.answerId };
    case MessageKind.resolve:
      return { [isNear ? "export" : "import"]: message.promiseId };
    case MessageKind.release:
      return { [isNear ? "import" : "export"]: message.id };
    case MessageKind.disembargo:
      return { embargo: message.embargoId };
    default:
      return undefined;
  }
}

/** What tables say of a call. */
function labelOf(method: string | undefined, content: string | undefined): string {
  if (method === undefined) return "bootstrap";
  const text = content === undefined || content === "" ? method : content;
  return text.length <= LONGEST_LABEL ? text : `${text.slice(0, LONGEST_LABEL)}…`;
}
