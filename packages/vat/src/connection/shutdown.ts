// The one way in which a connection ends.
import { BrokenCapability } from "../capabilities/broken.ts";
import { type RpcError, runGuarded } from "../errors.ts";
import { eachInTurns } from "../later-turn.ts";
import type { ConnectionState } from "./state.ts";

/** A peer may leave a million entries behind. What ends in one turn is far more than an honest one's. */
const STEPS_PER_TURN = 4096;

/**
 * Ends everything: after it every table is empty, and no promise is left pending once its steps have run. Idempotent.
 * Tables first; then embargoes and questions fail with `reason`, calls of the peer's are cancelled, references go,
 * listeners hear last.
 */
export function shutdown(state: ConnectionState, reason: RpcError): void {
  if (state.closedReason !== undefined) return;
  state.closedReason = reason;
  eachInTurns(endings(state, reason), STEPS_PER_TURN, guard);
}

/** Empties the tables when asked for the first step. A step gives the number of capabilities that it lets go of besides. */
function* endings(state: ConnectionState, reason: RpcError): Generator<() => unknown, void> {
  const questions = state.questions.drain();
  const answers = [...state.answers.drain(), ...state.orphans];
  state.orphans.clear();
  const embargoes = state.embargoes.drain();
  const exports = state.exports.drain();
  state.imports.clear();

  for (const { promise, target } of embargoes) {
    yield () => promise.resolve(new BrokenCapability(reason));
    yield () => promise.release();
    yield () => target.release();
  }
  for (const question of questions) yield () => question.settleException(reason);
  for (const answer of answers) {
    yield () => {
      const held = answer.capCount;
      answer.abandon(reason);
      return held;
    };
  }
  for (const cap of exports) yield () => cap.release();
  yield () => state.bootstrap?.release();
  // Those that take each other off do so.
  for (const listener of state.closeListeners) yield () => listener(reason);
  state.closeListeners.clear();
}

/** Returns what the step cost. Nothing that throws keeps anything else from ending. */
function guard(step: () => unknown): number {
  const held = runGuarded(step);
  return typeof held === "number" ? 1 + held : 1;
}
