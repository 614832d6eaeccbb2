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
  const answers = state.answers.drain();
  const embargoes = state.embargoes.drain();
  const exports = state.exports.drain();
  state.imports.drain();
  const listeners = [...state.closeListeners];
  state.closeListeners.clear();

  for (const embargo of embargoes) {
    embargo.promise.resolve(new BrokenCapability(reason));
    embargo.promise.release();
    embargo.target.release();
  }
  for (const question of questions) question.settleException(reason);
  for (const answer of answers) answer.detach();
  for (const cap of exports) cap.release();
  state.bootstrap?.release();
  for (const listener of listeners) notify(listener, reason);
}

/** A listener that throws is an uncaught error of its own, and harms no other. */
function notify(listener: (error: RpcError) => void, reason: RpcError): void {
  try {
    listener(reason);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
