// hot path (bench: npm run bench). One switch from a decoded message to its handler.
import {
  CapKind,
  type EchoedMessage,
  type ExportId,
  encodeUnimplemented,
  MessageKind,
  type RpcMessage,
} from "@capstan/wire";
import { ProtocolError, RpcError } from "../errors.ts";
import { handleBootstrap, handleCall } from "../handlers/call.ts";
import { handleDisembargo, handleRelease, handleResolve } from "../handlers/reference.ts";
import { handleFinish, handleReturn } from "../handlers/return.ts";
import type { ConnectionState } from "./state.ts";

/** Handles one message. Throws ProtocolError where the peer broke the rules. Abort is the connection's own business. */
export function dispatch(state: ConnectionState, message: RpcMessage): void {
  switch (message.kind) {
    case MessageKind.call:
      return handleCall(state, message);
    case MessageKind.return:
      return handleReturn(state, message);
    case MessageKind.finish:
      return handleFinish(state, message);
    case MessageKind.release:
      return handleRelease(state, message);
    case MessageKind.resolve:
      return handleResolve(state, message);
    case MessageKind.disembargo:
      return handleDisembargo(state, message);
    case MessageKind.bootstrap:
      return handleBootstrap(state, message);
    case MessageKind.unimplemented:
      return handleUnimplemented(state, message.original);
    case MessageKind.abort:
      return;
    default: {
      const { reader, root } = message;
      state.send((writer) => encodeUnimplemented(writer, reader, root));
    }
  }
}

/** The peer does not know a message of ours. Never answered. */
function handleUnimplemented(state: ConnectionState, original: EchoedMessage | undefined): void {
  if (original === undefined) return;
  if (original.questionId !== undefined) {
    const question = state.questions.get(original.questionId);
    if (question === undefined) return;
    // It may still be in its table, and lets go of its id later.
    if (question.returned) throw new ProtocolError(`Question ${question.id} was answered, and is not known after all.`);
    question.returned = true;
    question.settleException(RpcError.unimplemented("The peer does not know this kind of message."));
    // The peer did not take what it carried. Should it have given that back itself, the question is settled all the same.
    for (const id of question.paramExports) state.exports.release(id, 1);
  } else if (original.cap !== undefined) {
    const { kind, id } = original.cap;
    // The peer keeps calling the promise; what it was to become is given back.
    if (kind === CapKind.senderHosted || kind === CapKind.senderPromise) state.exports.release(id as ExportId, 1);
  } else if (original.kind === MessageKind.disembargo) {
    // Calls would wait for it for ever.
    throw new ProtocolError("The peer does not know Disembargo, without which calls cannot be kept in order.");
  }
}
