import { expect } from "chai";
import type { Capability } from "../../packages/vat/src/index.ts";
import { Pair, start } from "../support/pair.ts";
import { bootstrap, call, noteContent, receiverHosted, senderHosted, senderPromise } from "../support/raw-messages.ts";
import { RawPeer, resolves } from "../support/raw-peer.ts";

const RETURN = 3;

describe("vat: promises that lead to one another", () => {
  /** A promise of the peer's that led to `count` others, the last of which is an object. */
  function led(count: number): Capability {
    const peer = new RawPeer();
    const caps = [senderPromise(1)];
    peer.send(bootstrap(0), call(1, { question: 0 }, { caps, content: noteContent() }));
    for (let id = 1; id < count; id++) peer.send(resolves(id, senderPromise(id + 1)));
    peer.send(resolves(count, senderHosted(count + 1)));
    return peer.keeper.calls[0]?.note.cap as Capability;
  }

  it("come to an object where they are no more than 64", () => {
    expect(led(65).brokenReason).to.equal(undefined);
    expect(led(65).isPromise).to.equal(false);
    expect(led(66).brokenReason?.message).to.contain("led to 64 others, one after the other");
  });

  it("in a circle through three vats, none of which sees all of it, go round for a short while", () => {
    const vats = [0, 1, 2].map(() => {
      // The circle's maker is a peer of each of them, and gave it a promise.
      const peer = new RawPeer();
      peer.send(bootstrap(0), call(1, { question: 0 }, { caps: [senderPromise(1)], content: noteContent() }));
      const promise = peer.keeper.calls[0]?.note.cap?.addRef() as Capability;
      return { peer, promise };
    });
    const links = vats.map(() => new Pair());
    const settle = () => {
      let frames = 0;
      for (let moved = true; moved; ) {
        moved = false;
        for (const link of links) {
          for (const end of [() => link.toRight(), () => link.toLeft()]) {
            for (; end(); frames++) moved = true;
          }
        }
      }
      return frames;
    };
    // Each passes on what the next one was given, and that is what its own promise then turns out to be.
    const passed = vats.map(({ peer }, i) => {
      const link = links[i] as Pair;
      const { outcome } = start(link.left.bootstrap(), 0);
      settle();
      link.keeper.answer({ text: "", cap: vats[(i + 1) % 3]?.promise });
      settle();
      peer.keeper.answer({ text: "", cap: outcome.result?.cap });
      const [sent] = peer
        .receive()
        .filter(({ kind }) => kind === RETURN)
        .slice(-1);
      if (sent?.kind !== RETURN) throw new Error("nothing was passed on");
      return sent.results?.capTable[0]?.id as number;
    });
    for (const [i, { peer }] of vats.entries()) peer.send(resolves(1, receiverHosted(passed[i] as number)));
    expect(settle()).to.be.within(30, 400);
    for (const { promise } of vats) expect(promise.brokenReason?.message).to.contain("one after the other");
    for (const link of links) expect(link.left.closedReason ?? link.right.closedReason).to.equal(undefined);
  });
});
