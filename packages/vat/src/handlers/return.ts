// hot path (bench: npm run bench). Return and Finish: a question of ours is answered, an answer of ours is done with.
import { type FinishMessage, ReturnKind, type ReturnMessage } from "@capstan/wire";
import type { ConnectionState } from "../connection/state.ts";
import { ProtocolError, RpcError } from "../errors.ts";
import type { Question } from "../tables/question.ts";

/** Settles the question. User code runs last, inside the sink. */
export function handleReturn(state: ConnectionState, message: ReturnMessage): void {
  const question = state.questions.take(message.answerId);
  if (question === undefined) throw new ProtocolError(`Return for question ${message.answerId}, which is not open.`);
  if (message.releaseParamCaps) for (const id of question.paramExports) state.exports.release(id, 1);
  // An abandoned question has sent its Finish, which gave back whatever these results carry.
  if (!question.abandoned) settle(state, question, message);
}

function settle(state: ConnectionState, question: Question, message: ReturnMessage): void {
  const needsFinish = !message.noFinishNeeded;
  switch (message.which) {
    case ReturnKind.results:
      if (message.results !== undefined) question.settleResults(state.receive(message.results), needsFinish);
      return;
    case ReturnKind.exception:
      if (message.exception !== undefined) question.settleException(RpcError.received(message.exception), needsFinish);
      return;
    case ReturnKind.canceled:
      question.settleException(RpcError.failed("The callee cancelled the call."), needsFinish);
      return;
    case ReturnKind.takeFromOtherQuestion: {
      const answer = message.otherAnswer === undefined ? undefined : state.answers.get(message.otherAnswer);
      if (answer === undefined || !answer.keepsResults) {
        throw new ProtocolError("Return takes its results from a question that does not keep them.");
      }
      answer.handTo(question);
      if (needsFinish) state.finishQuestion(question.id, false);
      return;
    }
    default:
      question.settleException(
        RpcError.unimplemented(`The callee returned in a way that was not asked for (${message.which}).`),
        needsFinish,
      );
  }
}

/** The peer is done with an answer. Unknown and late ones are nothing to mind: the answer needed none. */
export function handleFinish(state: ConnectionState, message: FinishMessage): void {
  const answer = state.answers.take(message.questionId);
  if (answer === undefined) return;
  const exports = answer.handleFinish();
  if (message.releaseResultCaps) for (const id of exports) state.exports.release(id, 1);
}
