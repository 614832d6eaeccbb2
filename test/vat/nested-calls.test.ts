import { expect } from "chai";
import { type PayloadEncoder, RpcError } from "../../packages/vat/src/index.ts";
import { type Note, noteEncoder, start } from "../support/pair.ts";
import { bootstrap, call } from "../support/raw-messages.ts";
import { RawPeer } from "../support/raw-peer.ts";

const CALL = 2;
const RETURN = 3;

describe("vat: what is sent while another message is written", () => {
  it("goes out ahead of it where it is a call, and behind it where it is none", () => {
    const peer = new RawPeer();
    const api = peer.offer(7);
    peer.send(bootstrap(0), call(1, { question: 0 }), call(2, { question: 0 }));
    const [first, second] = peer.keeper.calls;
    const sending: PayloadEncoder<Note> = {
      encode(out, note) {
        noteEncoder.encode(out, note);
        second?.call.returnException(RpcError.failed("no"));
        start(api, 8);
        start(api, 9);
      },
    };
    first?.call.returnResults(sending, { text: "written" });
    start(api, 10);
    const sent = peer
      .receive()
      .map((message) =>
        message.kind === CALL
          ? `call ${message.methodId}`
          : message.kind === RETURN
            ? `return ${message.answerId}`
            : "",
      );
    expect(sent).to.deep.equal(["call 8", "call 9", "return 1", "return 2", "call 10"]);
  });
});
