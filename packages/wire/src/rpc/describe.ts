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

const LONGEST_REASON = 120;

const CAP_NAMES = namesOf(CapKind);
const EXCEPTION_NAMES = namesOf(ExceptionType);
const KIND_NAMES = namesOf(MessageKind);
const CONTEXT_NAMES = namesOf(DisembargoContext);
const RETURN_NAMES = namesOf(ReturnKind);

/**
 * Says in one line what `message` is, from its receiver's point of view: "question" and "export" are the receiver's
 * own, "answer" and "import" name what the sender's ids stand for.
 */
export function describeMessage(message: RpcMessage): string {
  switch (message.kind) {
    case MessageKind.call: {
      const method = `${hex(message.interfaceHigh)}${hex(message.interfaceLow)}.${message.methodId}`;
      const call = `call answer ${message.questionId} on ${describeTarget(message)} ${method}`;
      return call + describeFlags(message) + describePayload(message.params);
    }
    case MessageKind.return: {
      const params = message.releaseParamCaps ? "" : " keep-params";
      const finish = message.noFinishNeeded ? " no-finish" : "";
      return `return question ${message.answerId} ${describeOutcome(message)}${params}${finish}`;
    }
    case MessageKind.finish:
      return `finish answer ${message.questionId}${message.releaseResultCaps ? " release-results" : ""}`;
    case MessageKind.resolve:
      return `resolve import ${message.promiseId} to ${describeResolution(message.cap, message.exception)}`;
    case MessageKind.release:
      return `release export ${message.id} by ${message.referenceCount}`;
    case MessageKind.bootstrap:
      return `bootstrap answer ${message.questionId}`;
    case MessageKind.disembargo:
      return `disembargo ${describeTarget(message)} ${nameOf(CONTEXT_NAMES, message.context)} ${message.embargoId}`;
    case MessageKind.abort:
      return `abort ${describeException(message.exception)}`;
    case MessageKind.unimplemented: {
      if (message.original === undefined) return "unimplemented ?";
      const { kind, questionId, cap } = message.original;
      const what =
        questionId !== undefined ? ` question ${questionId}` : cap !== undefined ? ` to ${describeCap(cap)}` : "";
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

function describeTarget(target: { targetKind: number; targetId: number; transform: readonly number[] }): string {
  if (target.targetKind === TargetKind.importedCap) return `export ${target.targetId}`;
  if (target.targetKind === TargetKind.promisedAnswer) return describeAnswer(target.targetId, target.transform);
  return `target of kind ${target.targetKind}`;
}

function describeAnswer(id: number, transform: readonly number[]): string {
  return `answer ${id}${transform.map((index) => (index < 0 ? ".?" : `.${index}`)).join("")}`;
}

function describePayload({ reader, content, capTable }: Payload): string {
  const caps = capTable.length === 0 ? "" : ` caps [${capTable.map(describeCap).join(", ")}]`;
  return `${content < 0 || reader.isNull(content) ? " empty" : ""}${caps} in ${reader.end - reader.start} bytes`;
}

function describeCap(cap: CapDescriptor): string {
  const name = nameOf(CAP_NAMES, cap.kind);
  switch (cap.kind) {
    case CapKind.senderHosted:
    case CapKind.senderPromise:
    case CapKind.thirdPartyHosted:
      return `${name} import ${cap.id}`;
    case CapKind.receiverHosted:
      return `${name} export ${cap.id}`;
    case CapKind.receiverAnswer:
      return `${name} ${describeAnswer(cap.id, cap.transform)}`;
    default:
      return name;
  }
}

function describeOutcome({ which, results, exception, otherAnswer }: ReturnMessage): string {
  const name = nameOf(RETURN_NAMES, which);
  if (results !== undefined) return `${name}${describePayload(results)}`;
  if (exception !== undefined) return describeException(exception);
  return otherAnswer === undefined ? name : `${name} answer ${otherAnswer}`;
}

function describeResolution(cap: CapDescriptor | undefined, exception: Exception | undefined): string {
  if (cap !== undefined) return describeCap(cap);
  return exception === undefined ? "?" : describeException(exception);
}

function describeException({ type, reason, details }: Exception): string {
  const text = reason.length <= LONGEST_REASON ? reason : `${reason.slice(0, LONGEST_REASON)}…`;
  const more = details.length === 0 ? "" : ` details ${details.length}`;
  return `exception ${nameOf(EXCEPTION_NAMES, type)} ${JSON.stringify(text)}${more}`;
}

function hex(half: number): string {
  return half.toString(16).padStart(8, "0");
}

function nameOf(names: ReadonlyMap<number, string>, value: number): string {
  return names.get(value) ?? `#${value}`;
}

function namesOf(values: { readonly [name: string]: number }): ReadonlyMap<number, string> {
  return new Map(Object.entries(values).map(([name, value]) => [value, name]));
}
