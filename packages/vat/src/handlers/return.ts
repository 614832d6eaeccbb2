// hot path (bench: npm run bench). Return and Finish: a question of ours is answered, an answer of ours is done with.
import { type FinishMessage, type Payload, ReturnKind, type ReturnMessage } from "@capstan/wire";
import type { ConnectionState } from "../connection/state.ts";
import { ProtocolError, RpcError } from "../errors.ts";
import type { ReceivedPayload } from "../payload.ts";
import type { OutcomeTaker } from "../tables/answer.ts";
import type { Question } from "../tables/question.ts";

/** Settles the question. User code runs last, inside the sink. */
export function handleReturn(state: ConnectionState, message: ReturnMessage): void {
  const question = state.questions.get(message.answerId);
  if (question === undefined || question.returned) {
    throw new ProtocolError(`Return for question ${message.answerId}, which is not open.`);
  }
  question.returned = true;
  // An abandoned question has sent its Finish, which gave back whatever these results carry.
  if (question.abandoned) state.questions.take(question.id);
  else settle(state, question, message);
  // Not before: the results may name what they give back. And whatever is wrong with it, the question is settled.
  if (message.releaseParamCaps) for (const id of question.paramExports) state.exports.release(id, 1);
}

function settle(state: ConnectionState, question: Question, message: ReturnMessage): void {
  const needsFinish = !message.noFinishNeeded;
  switch (message.which) {
    case ReturnKind.results:
      if (message.results !== undefined) settleResults(state, question, message.results, needsFinish);
      return;
    case ReturnKind.exception:
      if (message.exception !== undefined) question.settleException(RpcError.received(message.exception), needsFinish);
      return;
    case ReturnKind.canceled:
      question.settleException(RpcError.failed("The callee cancelled the call."), needsFinish);
      return;
    case ReturnKind.takeFromOtherQuestion: {
      const answer = message.otherAnswer === undefined ? undefined : state.answers.get(message.otherAnswer);
      if (answer === undefined) throw new ProtocolError("Return takes its results from a question that is not open.");
      question.onUntaken = () => answer.handleUntaken();
      answer.handTo(new TakenOutcome(state, question, needsFinish));
      return;
    }
    case ReturnKind.resultsSentElsewhere:
      // They stay with the peer, and the question with them.
      if (question.isTail) return;
      question.settleException(
        RpcError.unimplemented("The callee sent the results elsewhere, which was not asked for."),
        needsFinish,
      );
      return;
    default:
      question.settleException(
        RpcError.unimplemented(`The callee returned in a way that was not asked for (${message.which}).`),
        needsFinish,
      );
  }
}

/** Should its results be refused, nobody else would tell the caller: there is no second Return. */
function settleResults(state: ConnectionState, question: Question, results: Payload, needsFinish: boolean): void {
  let received: ReceivedPayload;
  try {
    received = state.receive(results);
  } catch (error) {
    question.settleException(RpcError.from(error));
    throw error;
  }
  question.settleResults(received, needsFinish);
}

/** Hands the outcome of a call that the peer made to the question of ours which it answers. */
class TakenOutcome implements OutcomeTaker {
  readonly #state: ConnectionState;
  readonly #question: Question;
  readonly #needsFinish: boolean;

  constructor(state: ConnectionState, question: Question, needsFinish: boolean) {
    this.#state = state;
    this.#question = question;
    this.#needsFinish = needsFinish;
  }

  get isWaiting(): boolean {
    return !this.#question.abandoned && this.#state.closedReason === undefined;
  }

  settleResults(results: ReceivedPayload): void {
    if (this.isWaiting) this.#question.settleResults(results, this.#needsFinish, true);
    else results.release();
  }

  settleException(error: RpcError): void {
    if (this.isWaiting) this.#question.settleException(error, this.#needsFinish);
  }
}

/** The peer is done with an answer. Unknown and late ones are nothing to mind: the answer needed none. */
export function handleFinish(state: ConnectionState, message: FinishMessage): void {
  const answer = state.answers.take(message.questionId);
  if (answer === undefined) return;
  const exports = answer.handleFinish(message.requireEarlyCancellationWorkaround);
  if (message.releaseResultCaps) for (const id of exports) state.exports.release(id, 1);
}
