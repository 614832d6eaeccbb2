// The tables of both ends of a connection, as they follow from the messages that pass between them.
import {
  type CapDescriptor,
  CapKind,
  DisembargoContext,
  type FinishMessage,
  MessageKind,
  nameMethod,
  type ResolveMessage,
  type ReturnMessage,
  type RpcMessage,
  type UnimplementedMessage,
} from "@capstan/wire";
import type { TableSizes } from "../connection/connection.ts";

/** An end of the observed connection: the one that observes, and the other. */
export type LinkEnd = "near" | "far";

/**
 * A call between the ends.
 *
 * States: asked → returned and finished, in either order; then it is gone. A Return that needs no Finish counts as both.
 */
export interface ObservedQuestion {
  readonly id: number;
  /** `Interface.method`, or "bootstrap". */
  readonly method: string;
  /** What its observer said of it. */
  readonly label: string;
  readonly returned: boolean;
  readonly finished: boolean;
}

/** A capability that one end hosts, or promised, and the other holds: the import there has the same id and count. */
export interface ObservedExport {
  readonly id: number;
  readonly references: number;
  readonly isPromise: boolean;
  /** What first carried it. */
  readonly origin: string;
}

/** The tables of one end. Messages that are still on their way count as arrived. */
export interface ObservedTables {
  readonly questions: readonly ObservedQuestion[];
  readonly answers: readonly ObservedQuestion[];
  readonly imports: readonly ObservedExport[];
  readonly exports: readonly ObservedExport[];
  /** Ids. */
  readonly embargoes: readonly number[];
}

/** A question with what it carried. */
interface Question {
  readonly id: number;
  readonly method: string;
  readonly label: string;
  readonly params: readonly number[];
  results: readonly number[];
  returned: boolean;
  finished: boolean;
  releasesResults: boolean;
  needsFinish: boolean;
}

interface Export {
  readonly id: number;
  references: number;
  isPromise: boolean;
  readonly origin: string;
}

/** What one end has a hand in: what it asked, what it hosts, what it waits for. The rest of its tables is the other's. */
class End {
  readonly questions = new Map<number, Question>();
  readonly exports = new Map<number, Export>();
  readonly embargoes = new Set<number>();
}

/**
 * Follows a connection from its first message on. A peer that breaks the rules makes it remark on that, never throw.
 * It holds what the tables hold, and no message.
 */
export class TrafficObserver {
  readonly #near = new End();
  readonly #far = new End();

  /**
   * Takes note of a message that the end `from` sent. Returns what is wrong with it, where something is.
   *
   * @param message as decoded: with its receiver's view of ids.
   * @param label of a call or bootstrap: what `ObservedQuestion.label` and the origins of exports say of it.
   */
  observe(from: LinkEnd, message: RpcMessage, label = ""): string | undefined {
    const sender = this.#end(from);
    const receiver = from === "near" ? this.#far : this.#near;
    switch (message.kind) {
      case MessageKind.call:
        return ask(
          sender,
          message.questionId,
          nameMethod(message.interfaceHigh, message.interfaceLow, message.methodId),
          label,
          handOut(sender, message.params.capTable, `params of ${label}`),
        );
      case MessageKind.bootstrap:
        return ask(sender, message.questionId, "bootstrap", label, []);
      case MessageKind.return:
        return answer(sender, receiver, message);
      case MessageKind.finish:
        return finish(sender, receiver, message);
      case MessageKind.resolve:
        return resolve(sender, message);
      case MessageKind.release:
        return giveBack(receiver, message.id, message.referenceCount);
      case MessageKind.disembargo:
        if (message.context === DisembargoContext.senderLoopback) sender.embargoes.add(message.embargoId);
        else if (
          message.context === DisembargoContext.receiverLoopback &&
          !receiver.embargoes.delete(message.embargoId)
        )
          return `embargo ${message.embargoId} was never set`;
        return undefined;
      case MessageKind.unimplemented:
        return undo(receiver, message);
      default:
        return undefined;
    }
  }

  /** What `asker` asked under `id`, while it is open. */
  question(asker: LinkEnd, id: number): ObservedQuestion | undefined {
    return this.#end(asker).questions.get(id);
  }

  tables(end: LinkEnd): ObservedTables {
    const own = this.#end(end);
    const other = end === "near" ? this.#far : this.#near;
    return {
      questions: [...own.questions.values()],
      answers: [...other.questions.values()].filter(isAnswerOpen),
      imports: [...other.exports.values()],
      exports: [...own.exports.values()],
      embargoes: [...own.embargoes],
    };
  }

  /** How many entries each table of `end` holds. */
  sizes(end: LinkEnd): TableSizes {
    const { questions, answers, imports, exports, embargoes } = this.tables(end);
    return {
      questions: questions.length,
      answers: answers.length,
      imports: imports.length,
      exports: exports.length,
      embargoes: embargoes.length,
    };
  }

  #end(end: LinkEnd): End {
    return end === "near" ? this.#near : this.#far;
  }
}

/** Whether the callee still has an entry. With the Return that needs no Finish the question goes too. */
function isAnswerOpen(question: Question): boolean {
  return !question.finished;
}

/** The caller's entry stays until it has the Return too. */
function isQuestionOpen(question: Question): boolean {
  return !question.returned || (question.needsFinish && !question.finished);
}

function ask(asker: End, id: number, method: string, label: string, params: readonly number[]): string | undefined {
  const isReused = asker.questions.has(id);
  asker.questions.set(id, {
    id,
    method,
    label,
    params,
    results: [],
    returned: false,
    finished: false,
    releasesResults: false,
    needsFinish: true,
  });
  return isReused ? `question ${id} is still open` : undefined;
}

function answer(callee: End, asker: End, message: ReturnMessage): string | undefined {
  const question = asker.questions.get(message.answerId);
  const results = handOut(callee, message.results?.capTable ?? [], `results of ${question?.label ?? "?"}`);
  if (question === undefined || question.returned) return `question ${message.answerId} is not open`;
  question.returned = true;
  question.results = results;
  question.needsFinish = !message.noFinishNeeded;
  const remark = message.releaseParamCaps ? giveBackAll(asker, question.params) : undefined;
  return settle(callee, asker, question) ?? remark;
}

function finish(asker: End, callee: End, message: FinishMessage): string | undefined {
  const question = asker.questions.get(message.questionId);
  // Of an answer that needed none it may come all the same.
  if (question === undefined || question.finished) return undefined;
  question.finished = true;
  question.releasesResults = message.releaseResultCaps;
  return settle(callee, asker, question);
}

/** Return or Finish came: where both did, results are given back as the Finish says. */
function settle(callee: End, asker: End, question: Question): string | undefined {
  if (isQuestionOpen(question)) return undefined;
  asker.questions.delete(question.id);
  return question.finished && question.releasesResults ? giveBackAll(callee, question.results) : undefined;
}

function resolve(host: End, message: ResolveMessage): string | undefined {
  const promise = host.exports.get(message.promiseId);
  if (promise !== undefined) promise.isPromise = false;
  if (message.cap !== undefined) handOut(host, [message.cap], `what promise ${message.promiseId} became`);
  return undefined;
}

/** A message of `origin`'s came back: what it asked gets no other answer, what it carried was not taken. */
function undo(origin: End, { original }: UnimplementedMessage): string | undefined {
  if (original?.questionId !== undefined) {
    const question = origin.questions.get(original.questionId);
    if (question === undefined) return `question ${original.questionId} is not open`;
    origin.questions.delete(original.questionId);
    return giveBackAll(origin, question.params);
  }
  return original?.cap !== undefined && isHandedOut(original.cap) ? giveBack(origin, original.cap.id, 1) : undefined;
}

/** Counts the references that descriptors of `host`'s carry. Returns their ids, one for each. */
function handOut(host: End, descriptors: readonly CapDescriptor[], origin: string): number[] {
  const ids: number[] = [];
  for (const descriptor of descriptors) {
    if (!isHandedOut(descriptor)) continue;
    const { id, kind } = descriptor;
    ids.push(id);
    const known = host.exports.get(id);
    if (known !== undefined) known.references++;
    else host.exports.set(id, { id, references: 1, isPromise: kind === CapKind.senderPromise, origin });
  }
  return ids;
}

/** Whether the sender exports it: a third party's is reached through a vine that it hosts. */
function isHandedOut({ kind }: CapDescriptor): boolean {
  return kind === CapKind.senderHosted || kind === CapKind.senderPromise || kind === CapKind.thirdPartyHosted;
}

function giveBackAll(host: End, ids: readonly number[]): string | undefined {
  let remark: string | undefined;
  for (const id of ids) remark = giveBack(host, id, 1) ?? remark;
  return remark;
}

function giveBack(host: End, id: number, count: number): string | undefined {
  const entry = host.exports.get(id);
  if (entry === undefined) return `export ${id} does not exist`;
  entry.references -= count;
  if (entry.references > 0) return undefined;
  host.exports.delete(id);
  return entry.references < 0 ? `export ${id} had only ${entry.references + count} references` : undefined;
}
