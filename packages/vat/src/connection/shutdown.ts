// The one way in which a connection ends.
import { BrokenCapability } from "../capabilities/broken.ts";
import type { RpcError } from "../errors.ts";
import type { ConnectionState } from "./state.ts";

/**
 * Ends everything: after it every table is empty and no promise is left pending. Idempotent. Tables first; then calls
 * of the peer's are cancelled, embargoes and questions fail with `reason`, references go, listeners hear last.
 */
export function shutdown(state: ConnectionState, reason: RpcError): void {
  if (state.closedReason !== undefined) return;
  state.closedReason = reason;
  const questions = state.questions.drain();
  const answers = [...state.answers.drain(), ...state.orphans];
  state.orphans.clear();
  const embargoes = state.embargoes.drain();
  const exports = state.exports.drain();
  state.imports.drain();

  for (const embargo of embargoes) {
    guard(() => embargo.promise.resolve(new BrokenCapability(reason)));
    embargo.promise.release();
    guard(() => embargo.target.release());
  }
  for (const question of questions) guard(() => question.settleException(reason));
  for (const answer of answers) guard(() => answer.abandon(reason));
  for (const cap of exports) guard(() => cap.release());
  guard(() => state.bootstrap?.release());
  // Those that take each other off do so.
  for (const listener of state.closeListeners) guard(() => listener(reason));
  state.closeListeners.clear();
}

/** Code of others' that throws is an uncaught error of its own, and keeps nothing else from ending. */
function guard(step: () => void): void {
  try {
    step();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
