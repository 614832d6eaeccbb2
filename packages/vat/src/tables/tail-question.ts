// A call of ours whose results stay with the peer, because they answer a call of its own: a tail call.
import { DISCARD } from "../capabilities/promise.ts";
import type { RemotePeer } from "../capabilities/remote-peer.ts";
import { Question } from "./question.ts";

/**
 * Its results never come, so nothing that is pipelined on it resolves: calls go through the question for as long as
 * anybody holds such a capability. It is cancelled when the answer that it stands for is done, and so finished when the
 * last of them goes, whether it was answered or not.
 */
export class TailQuestion extends Question {
  override readonly isTail = true;

  constructor(peer: RemotePeer) {
    super(peer, DISCARD);
  }
}
