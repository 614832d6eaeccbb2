// One line for a person about a message, for traces and dumps.
import {
  type CallMessage,
  type CapDescriptor,
  CapKind,
  DisembargoContext,
  type Exception,
  ExceptionType,
  MessageKind,
  type Payload,
  ReturnKind,
  type ReturnMessage,
  type RpcMessage,
  SendResultsTo,
  TargetKind,
} from "./messages.ts";
import { nameMethod } from "./method-names.ts";

const LONGEST_REASON = 120;

const CAP_NAMES = namesOf(CapKind);
const EXCEPTION_NAMES = namesOf(ExceptionType);
const KIND_NAMES = namesOf(MessageKind);
const CONTEXT_NAMES = namesOf(DisembargoContext);
const RETURN_NAMES = namesOf(ReturnKind);

export interface DescribeOptions {
  /** Whose tables ids are named from. Default: the receiver's. */
  readonly view?: "receiver" | "sender" | undefined;
  /** What params or results hold, in words; shown where their size is shown otherwise. */
  readonly content?: string | undefined;
}

/** What ids are called at one end. Messages have the receiver's view. */
interface Words {
  readonly question: string;
  readonly answer: string;
  readonly import: string;
  readonly export: string;
}

const RECEIVER: Words = { question: "question", answer: "answer", import: "import", export: "export" };
const SENDER: Words = { question: "answer", answer: "question", import: "export", export: "import" };

/**
 * Says in one line what `message` is. From its receiver's point of view "question" and "export" are the receiver's own,
 * "answer" and "import" name what the sender's ids stand for; from the sender's it is the other way round.
 */
export function describeMessage(message: RpcMessage, { view, content }: DescribeOptions = {}): string {
  const words = view === "sender" ? SENDER : RECEIVER;
  switch (message.kind) {
    case MessageKind.call: {
      const method = nameMethod(message.interfaceHigh, message.interfaceLow, message.methodId);
      const call = `call ${words.answer} ${message.questionId} on ${describeTarget(message, words)} ${method}`;
      return call + describeFlags(message) + describePayload(message.params, words, content);
    }
    case MessageKind.return: {
      const params = message.releaseParamCaps ? "" : " keep-params";
      const finish = message.noFinishNeeded ? " no-finish" : "";
      const outcome = describeOutcome(message, words, content);
      return `return ${words.question} ${message.answerId} ${outcome}${params}${finish}`;
    }
    case MessageKind.finish:
      return `finish ${words.answer} ${message.questionId}${message.releaseResultCaps ? " release-results" : ""}`;
    case MessageKind.resolve: {
      const resolution = describeResolution(message.cap, message.exception, words);
      return `resolve ${words.import} ${message.promiseId} to ${resolution}`;
    }
    case MessageKind.release:
      return `release ${words.export} ${message.id} by ${message.referenceCount}`;
    case MessageKind.bootstrap:
      return `bootstrap ${words.answer} ${message.questionId}`;
    case MessageKind.disembargo: {
      const context = nameOf(CONTEXT_NAMES, message.context);
      return `disembargo ${describeTarget(message, words)} ${context} ${message.embargoId}`;
    }
    case MessageKind.abort:
      return `abort ${describeException(message.exception)}`;
    case MessageKind.unimplemented: {
      if (message.original === undefined) return "unimplemented ?";
      const { kind, questionId, cap } = message.original;
      // What came back was sent by the one who receives this.
      const other = words === RECEIVER ? SENDER : RECEIVER;
      const what =
        questionId !== undefined
          ? ` ${words.question} ${questionId}`
          : cap !== undefined
            ? ` to ${describeCap(cap, other)}`
            : "";
      return `unimplemented ${nameOf(KIND_NAMES, kind)}${what}`;
    }
    default:
      return `unknown message ${message.which}`;
  }
}

function describeFlags(message: CallMessage): string {
  return (
    (message.sendResultsTo === SendResultsTo.yourself ? " keep-results" : "") +
    (message.noPromisePipelining ? " no-pipelining" : "") +
    (message.onlyPromisePipeline ? " only-pipelining" : "")
  );
}

function describeTarget(
  target: { targetKind: number; targetId: number; transform: readonly number[] },
  words: Words,
): string {
  if (target.targetKind === TargetKind.importedCap) return `${words.export} ${target.targetId}`;
  if (target.targetKind === TargetKind.promisedAnswer) return describeAnswer(target.targetId, target.transform, words);
  return `target of kind ${target.targetKind}`;
}

function describeAnswer(id: number, transform: readonly number[], words: Words): string {
  return `${words.answer} ${id}${transform.map((index) => (index < 0 ? ".?" : `.${index}`)).join("")}`;
}

function describePayload({ reader, content, capTable }: Payload, words: Words, shown: string | undefined): string {
  const caps = capTable.length === 0 ? "" : ` caps [${capTable.map((cap) => describeCap(cap, words)).join(", ")}]`;
  if (shown !== undefined) return `${shown === "" ? "" : ` ${shown}`}${caps}`;
  return `${content < 0 || reader.isNull(content) ? " empty" : ""}${caps} in ${reader.end - reader.start} bytes`;
}

function describeCap(cap: CapDescriptor, words: Words): string {
  const name = nameOf(CAP_NAMES, cap.kind);
  switch (cap.kind) {
    case CapKind.senderHosted:
    case CapKind.senderPromise:
    case CapKind.thirdPartyHosted:
      return `${name} ${words.import} ${cap.id}`;
    case CapKind.receiverHosted:
      return `${name} ${words.export} ${cap.id}`;
    case CapKind.receiverAnswer:
      return `${name} ${describeAnswer(cap.id, cap.transform, words)}`;
    default:
      return name;
  }
}

function describeOutcome(message: ReturnMessage, words: Words, content: string | undefined): string {
  const { which, results, exception, otherAnswer } = message;
  const name = nameOf(RETURN_NAMES, which);
  if (results !== undefined) return `${name}${describePayload(results, words, content)}`;
  if (exception !== undefined) return describeException(exception);
  return otherAnswer === undefined ? name : `${name} ${words.answer} ${otherAnswer}`;
}

function describeResolution(cap: CapDescriptor | undefined, exception: Exception | undefined, words: Words): string {
  if (cap !== undefined) return describeCap(cap, words);
  return exception === undefined ? "?" : describeException(exception);
}

function describeException({ type, reason, details }: Exception): string {
  const text = reason.length <= LONGEST_REASON ? reason : `${reason.slice(0, LONGEST_REASON)}…`;
  const more = details.length === 0 ? "" : ` details ${details.length}`;
  return `exception ${nameOf(EXCEPTION_NAMES, type)} ${JSON.stringify(text)}${more}`;
}

function nameOf(names: ReadonlyMap<number, string>, value: number): string {
  return names.get(value) ?? `#${value}`;
}

function namesOf(values: { readonly [name: string]: number }): ReadonlyMap<number, string> {
  return new Map(Object.entries(values).map(([name, value]) => [value, name]));
}
