import { expect } from "chai";
import { PromiseCapability } from "../../packages/vat/src/index.ts";
import { bootstrap, finish } from "../support/raw-messages.ts";
import { call, disembargo, RawPeer } from "../support/raw-peer.ts";

const ABORT = 1;
const RELEASE = 6;

describe("vat: a Disembargo that waits for a promise", () => {
  it("of a third vat's keeps nothing of it once its own link ends", () => {
    const third = new RawPeer({}, false);
    const promise = third.offer(3, true);
    const peer = new RawPeer();
    peer.send(bootstrap(0), finish(0, false));
    peer.send(call(1, 0, 0));
    peer.keeper.answer({ text: "", cap: promise });
    promise.release();
    peer.send(finish(1, false), disembargo(0, 1, 0, 55), disembargo(0, 1, 0, 56));
    expect(third.receive()).to.deep.equal([]);
    peer.connection.close();
    expect(third.receive()).to.deep.equal([{ kind: RELEASE, id: 3, referenceCount: 1 }]);
    expect(third.connection.tables.imports).to.equal(0);
  });

  it("is refused past the bound on calls, and counts until it comes back", () => {
    for (const isOver of [false, true]) {
      const peer = new RawPeer({ maxCallsInFlight: 3 });
      const api = peer.offer(7);
      peer.send(bootstrap(0), finish(0, false));
      const promises = [0, 1].map((i) => {
        const promise = new PromiseCapability();
        peer.send(call(i + 1, 0, 0));
        peer.keeper.answer({ text: "", cap: promise });
        peer.send(finish(i + 1, false));
        return promise;
      });
      expect(peer.send(disembargo(0, 1, 0, 1), disembargo(0, 1, 0, 2), disembargo(0, 2, 0, 3))).to.deep.equal([]);
      if (!isOver) promises[0]?.resolve(api);
      peer.receive();
      expect(peer.send(disembargo(0, 2, 0, 4)).map(({ kind }) => kind)).to.deep.equal(isOver ? [ABORT] : []);
    }
  });
});
