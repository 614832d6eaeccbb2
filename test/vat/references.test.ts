import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { BrokenCapability, type Capability, PromiseCapability, RpcError } from "../../packages/vat/src/index.ts";
import { resolveLimits } from "../../packages/wire/src/index.ts";
import { CAP, Keeper, local, start } from "../support/pair.ts";
import {
  bootstrap,
  finish,
  receiverAnswer,
  receiverHosted,
  release,
  senderHosted,
  senderPromise,
} from "../support/raw-messages.ts";
import { call, disembargo, RawPeer, resolves, returns, returnsException, unimplemented } from "../support/raw-peer.ts";

const ABORT = 1;
const CALL = 2;
const RESOLVE = 5;
const RELEASE = 6;
const DISEMBARGO = 13;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const promised = () => new PromiseCapability(resolveLimits());
const kinds = (sent: readonly { readonly kind: number }[]) => sent.map(({ kind }) => kind);
const nextTurn = () => new Promise((done) => setTimeout(done, 1));

/** A vat that has its bootstrap capability as export 0 with the peer. */
function introduced(): RawPeer {
  const peer = new RawPeer();
  peer.send(bootstrap(0), finish(0, false));
  return peer;
}

describe("vat: Resolve from a peer", () => {
  it("leads calls to the capability, and gives the promise back", () => {
    const peer = introduced();
    const promise = peer.offer(3, true);
    expect(peer.send(resolves(3, senderHosted(4)))).to.deep.equal([{ kind: RELEASE, id: 3, referenceCount: 1 }]);
    start(promise, 0);
    expect(peer.receive()[0]).to.include({ kind: CALL, targetId: 4 });
    promise.release();
    expect(peer.connection.tables.imports).to.equal(0);
  });

  it("to an exception breaks the promise", async () => {
    const peer = introduced();
    const promise = peer.offer(3, true);
    peer.send(resolves(3, "out of cheese"));
    const { outcome } = start(promise, 0);
    await nextTurn();
    expect(outcome.error?.message).to.equal("out of cheese");
    expect(peer.connection.tables.imports).to.equal(0);
  });

  it("to nothing breaks the promise", async () => {
    const peer = introduced();
    const promise = peer.offer(3, true);
    peer.send(resolves(3, { kind: 0, id: 0, transform: [] }));
    const { outcome } = start(promise, 0);
    await nextTurn();
    expect(outcome.error?.message).to.contain("null");
    expect(peer.connection.tables.imports).to.equal(0);
  });

  it("to another promise waits for that one's Resolve", () => {
    const peer = introduced();
    const promise = peer.offer(3, true);
    peer.send(resolves(3, senderPromise(4)));
    start(promise, 0);
    expect(peer.receive()[0]).to.include({ kind: CALL, targetId: 4 });
    peer.send(resolves(4, senderHosted(5)));
    start(promise, 0);
    expect(peer.receive().at(-1)).to.include({ kind: CALL, targetId: 5 });
    expect(peer.connection.tables).to.include({ imports: 1, embargoes: 0 });
  });

  it("to the vat's own object, not called yet, leads there at once", async () => {
    const peer = introduced();
    const promise = peer.offer(3, true);
    expect(kinds(peer.send(resolves(3, receiverHosted(0))))).to.deep.equal([RELEASE]);
    start(promise, 0, { text: "own" });
    await nextTurn();
    expect(peer.keeper.log).to.deep.equal(["own"]);
  });

  it("is an abort where the promise resolved before, or is no promise", () => {
    const hosted = introduced();
    hosted.offer(3);
    expect(kinds(hosted.send(resolves(3, senderHosted(4)))).at(-1)).to.equal(ABORT);
    // One that is still addressed, because what it leads to is pinned: the peer was told that its call answers with it.
    const twice = introduced();
    const promise = twice.offer(3, true);
    twice.send(call(1, 0, 0));
    twice.keeper.answer({ text: "", cap: promise });
    twice.send(resolves(3, senderHosted(4)));
    expect(twice.connection.tables.imports).to.equal(2);
    expect(kinds(twice.send(resolves(3, senderHosted(5)))).at(-1)).to.equal(ABORT);
    expect(Object.values(twice.connection.tables)).to.deep.equal([0, 0, 0, 0, 0]);
  });
});

describe("vat: Resolve to a peer", () => {
  /** The peer holds promise `promise` as export 1, `times` over. */
  function held(times = 1) {
    const peer = introduced();
    const promise = promised();
    for (let id = 1; id <= times; id++) {
      peer.send(call(id, 0, 0));
      peer.keeper.answer({ text: "", cap: promise });
      const [sent] = peer.receive();
      expect(sent).to.have.deep.nested.property("results.capTable", [senderPromise(1)]);
      peer.send(finish(id, false));
    }
    return { peer, promise };
  }

  it("is sent once, however often the promise was, and counts no reference", () => {
    const { peer, promise } = held(3);
    const target = local(new Keeper());
    promise.resolve(target);
    const sent = peer.receive();
    expect(kinds(sent)).to.deep.equal([RESOLVE]);
    expect(sent[0]).to.deep.include({ promiseId: 1, cap: senderHosted(2) });
    peer.send(release(1, 3), release(2, 1));
    expect(peer.connection.tables.exports).to.equal(1);
    expect(kinds(peer.send(release(1, 1)))).to.deep.equal([ABORT]);
  });

  it("is not sent for a promise that the peer gave back", () => {
    const { peer, promise } = held();
    peer.send(release(1, 1));
    promise.resolve(local(new Keeper()));
    expect(peer.receive()).to.deep.equal([]);
  });

  it("says why where the promise broke", () => {
    const { peer, promise } = held();
    promise.resolve(new BrokenCapability(RpcError.failed("out of cheese")));
    expect(peer.receive()[0]).to.have.nested.property("exception.reason", "out of cheese");
  });

  it("names the peer's own object as receiverHosted, and calls still go that way", () => {
    const { peer, promise } = held();
    peer.send(call(2, 0, 1, { text: "early" }));
    promise.resolve(peer.offer(7));
    const sent = peer.receive();
    expect(sent).to.deep.include({ kind: RESOLVE, promiseId: 1, cap: receiverHosted(7), exception: undefined });
    peer.send(call(3, 0, 1, { text: "late" }));
    expect(peer.connection.closedReason).to.equal(undefined);
  });

  it("to a promise of the peer's own has calls go exactly there, whatever that resolves to", () => {
    const { peer, promise } = held();
    promise.resolve(peer.offer(7, true));
    expect(peer.receive()[0]).to.deep.include({ kind: RESOLVE, promiseId: 1, cap: receiverHosted(7) });
    peer.send(resolves(7, receiverHosted(0)));
    expect(peer.send(call(9, 0, 1))[0]).to.include({ kind: CALL, targetKind: 0, targetId: 7 });
    expect(peer.keeper.log).to.have.length(1);
  });

  it("leaves nothing of the promise in the table, though the peer goes on calling it", () => {
    const { peer, promise } = held();
    const exported = new WeakRef(promise);
    promise.resolve(local(new Keeper()));
    promise.release();
    return nextTurn().then(() => {
      collect();
      expect(exported.deref()).to.equal(undefined);
      peer.send(call(9, 0, 1));
      expect(peer.connection.closedReason).to.equal(undefined);
    });
  });

  it("that comes back as unimplemented gives back what it carried", () => {
    const { peer, promise } = held();
    const target = new Keeper();
    promise.resolve(local(target));
    promise.release();
    peer.receive();
    expect(peer.send(unimplemented(resolves(1, senderHosted(2))))).to.deep.equal([]);
    // The promise itself, and the bootstrap capability.
    expect(peer.connection.tables.exports).to.equal(2);
    peer.send(release(1, 1));
    expect(target.released).to.equal(1);
  });
});

describe("vat: Release", () => {
  it("counts what was sent several times, and frees the id with the last reference", () => {
    const peer = introduced();
    const held = new Keeper();
    const cap = local(held);
    for (const id of [1, 2, 3]) {
      peer.send(call(id, 0, 0));
      peer.keeper.answer({ text: "", cap });
      expect(peer.receive()[0]).to.have.deep.nested.property("results.capTable", [senderHosted(1)]);
      peer.send(finish(id, false));
    }
    cap.release();
    peer.send(release(1, 2));
    expect(held.released).to.equal(0);
    peer.send(release(1, 1));
    expect(held.released).to.equal(1);
  });

  it("gives back all that was received at once, when the last holder lets go", () => {
    const peer = introduced();
    for (const id of [1, 2, 3]) peer.send(call(id, 0, 0, { caps: [senderHosted(7), senderHosted(7)] }));
    peer.keeper.answer();
    peer.keeper.answer();
    expect(peer.receive().map(({ kind }) => kind)).to.not.include(RELEASE);
    peer.keeper.answer();
    expect(peer.receive()).to.deep.include({ kind: RELEASE, id: 7, referenceCount: 6 });
  });
});

describe("vat: releaseParamCaps", () => {
  function sent(promise = false) {
    const peer = introduced();
    const api = peer.offer(3);
    const held = new Keeper();
    const param = promised();
    const cap: Capability = promise ? param : local(held);
    const asked = start(api, 0, { text: "", cap });
    cap.release();
    peer.receive();
    return { peer, held, asked, param };
  }

  it("gives back each capability of the params", () => {
    for (const last of [returns(0, { releaseParamCaps: true }), returnsException(0, "no", true)]) {
      const { peer, held } = sent();
      peer.send(last);
      expect(held.released).to.equal(1);
      expect(kinds(peer.send(release(1, 1)))).to.deep.equal([ABORT]);
    }
  });

  it("leaves them to Release where it is false", () => {
    const { peer, held } = sent();
    peer.send(returns(0));
    expect(held.released).to.equal(0);
    peer.send(release(1, 1));
    expect(held.released).to.equal(1);
  });

  it("also counts for a call that we gave up", () => {
    const { peer, held, asked } = sent();
    asked.call.cancel();
    peer.receive();
    peer.send(returns(0, { releaseParamCaps: true }));
    expect(held.released).to.equal(1);
  });

  it("is true on our Returns exactly where the params held nothing", () => {
    const peer = introduced();
    peer.send(call(1, 0, 0), call(2, 0, 0, { caps: [senderHosted(7)] }));
    peer.keeper.answer();
    peer.keeper.answer();
    const [bare, carrying] = peer.receive().filter(({ kind }) => kind === 3);
    expect(bare).to.include({ answerId: 1, releaseParamCaps: true });
    expect(carrying).to.include({ answerId: 2, releaseParamCaps: false });
  });
});

describe("vat: Disembargo with a raw peer", () => {
  it("on an export comes back behind the calls that went that way", () => {
    const peer = introduced();
    const promise = promised();
    peer.send(call(1, 0, 0));
    peer.keeper.answer({ text: "", cap: promise });
    peer.receive();
    promise.resolve(peer.offer(7));
    const sent = peer.send(call(2, 0, 1, { text: "early" }), disembargo(0, 1, 0, 55));
    expect(kinds(sent).slice(-3)).to.deep.equal([CALL, 3, DISEMBARGO]);
    expect(sent.at(-1)).to.deep.include({ targetKind: 0, targetId: 7, context: 1, embargoId: 55 });
  });

  it("on an answer comes back behind the calls that went that way", () => {
    const peer = introduced();
    peer.send(call(1, 0, 0, { caps: [senderHosted(7)] }), call(2, 1, 1, { transform: [1], text: "early" }));
    const own = peer.keeper.calls[0]?.note.cap?.addRef();
    peer.keeper.answer({ text: "", cap: own });
    own?.release();
    const sent = peer.send(disembargo(1, 1, 0, 55, [1]));
    expect(kinds(sent)).to.deep.equal([3, CALL, 3, DISEMBARGO]);
    expect(sent.at(-1)).to.deep.include({ targetKind: 0, targetId: 7, context: 1, embargoId: 55 });
  });

  it("is sent where a promise that was called leads back here, and later calls wait for it", async () => {
    const peer = introduced();
    const promise = peer.offer(3, true);
    start(promise, 0, { text: "one" });
    peer.receive();
    const sent = peer.send(resolves(3, receiverHosted(0)));
    expect(sent).to.deep.include({
      kind: DISEMBARGO,
      targetKind: 0,
      targetId: 3,
      transform: [],
      context: 0,
      embargoId: 0,
    });
    start(promise, 0, { text: "two" });
    await nextTurn();
    expect(peer.keeper.log).to.deep.equal([]);
    peer.send(call(1, 0, 0, { text: "one" }), disembargo(0, 0, 1, 0));
    await nextTurn();
    expect(peer.keeper.log).to.deep.equal(["one", "two"]);
    expect(peer.connection.tables.embargoes).to.equal(0);
  });

  it("is sent where an answer that was called leads back here, and later calls wait for it", async () => {
    const peer = introduced();
    const api = peer.offer(3);
    const got = start(api, 0);
    const pipelined = got.call.pipeline(CAP);
    start(pipelined, 0, { text: "one" });
    peer.receive();
    const sent = peer.send(returns(0, { caps: [receiverHosted(0)] }));
    expect(sent.map(({ kind }) => kind)).to.deep.equal([DISEMBARGO, 4]);
    expect(sent[0]).to.deep.include({ targetKind: 1, targetId: 0, transform: [1], context: 0 });
    start(pipelined, 0, { text: "two" });
    await nextTurn();
    expect(peer.keeper.log).to.deep.equal([]);
    peer.send(call(1, 0, 0, { text: "one" }), disembargo(0, 0, 1, 0));
    await nextTurn();
    expect(peer.keeper.log).to.deep.equal(["one", "two"]);
  });

  it("is not sent where what it leads to is the peer's own", () => {
    const peer = introduced();
    const promise = peer.offer(3, true);
    start(promise, 0);
    expect(kinds(peer.send(resolves(3, senderHosted(4))))).to.not.include(DISEMBARGO);
  });

  it("on a promise waits until that is known, and comes back then", () => {
    for (const leadsBack of [true, false]) {
      const peer = introduced();
      const promise = promised();
      peer.send(call(1, 0, 0));
      peer.keeper.answer({ text: "", cap: promise });
      peer.receive();
      expect(peer.send(disembargo(0, 1, 0, 55))).to.deep.equal([]);
      promise.resolve(leadsBack ? peer.offer(7) : local(new Keeper()));
      const sent = peer.receive();
      expect(kinds(sent).filter((kind) => kind === DISEMBARGO)).to.have.length(1);
      expect(peer.connection.closedReason).to.equal(undefined);
    }
  });

  it("is an abort on a place in results where nothing is", () => {
    const peer = introduced();
    peer.send(call(1, 0, 0, { caps: [senderHosted(7)] }));
    peer.keeper.answer({ text: "", cap: peer.keeper.calls[0]?.note.cap?.addRef() });
    peer.receive();
    expect(kinds(peer.send(disembargo(1, 1, 0, 55, [0]))).at(-1)).to.equal(ABORT);
  });

  it("is an abort in a context that level 1 has not", () => {
    for (const context of [2, 3, 9]) {
      const peer = introduced();
      expect(kinds(peer.send(disembargo(0, 0, context, 1)))).to.deep.equal([ABORT]);
    }
  });

  it("is an abort where it comes back twice, or as unimplemented", async () => {
    for (const writes of [[disembargo(0, 0, 1, 0), disembargo(0, 0, 1, 0)], [unimplemented(disembargo(0, 3, 0, 0))]]) {
      const peer = introduced();
      const promise = peer.offer(3, true);
      start(promise, 0);
      peer.send(resolves(3, receiverHosted(0)));
      const { outcome } = start(promise, 0);
      expect(peer.connection.tables.embargoes).to.equal(1);
      expect(kinds(peer.send(...writes)).at(-1)).to.equal(ABORT);
      await nextTurn();
      // Nothing waits any more: it has failed, or gone where the Disembargo let it.
      expect(outcome.error?.type === 2 || peer.keeper.log.length === 1).to.equal(true);
    }
  });
});

describe("vat: cap tables with a raw peer", () => {
  it("name the vat's own as receiverHosted and receiverAnswer, which come back as what they are", () => {
    const peer = introduced();
    const held = new Keeper();
    peer.send(call(1, 0, 0));
    peer.keeper.answer({ text: "", cap: local(held) });
    peer.send(call(2, 0, 0, { caps: [receiverHosted(0)] }), call(3, 0, 0, { caps: [receiverAnswer(1, [1])] }));
    const [hosted, answered] = peer.keeper.calls.map(({ note }) => note.cap);
    start(hosted as Capability, 0, { text: "hosted" });
    start(answered as Capability, 0, { text: "answered" });
    return nextTurn().then(() => {
      expect(peer.keeper.log).to.include("hosted");
      expect(held.log).to.deep.equal(["answered"]);
      expect(peer.connection.tables.imports).to.equal(0);
    });
  });

  it("break what names nothing, and the link lives", async () => {
    const peer = introduced();
    for (const [id, cap] of [
      receiverHosted(70),
      receiverAnswer(70),
      { kind: 9 as 0, id: 0, transform: [] },
    ].entries()) {
      peer.send(call(id + 1, 0, 0, { caps: [cap] }));
      const { outcome } = start(peer.keeper.calls[id]?.note.cap as Capability, 0);
      await nextTurn();
      expect(outcome.error?.type).to.equal(0);
    }
    expect(peer.connection.closedReason).to.equal(undefined);
  });

  it("may hold a null, which is no capability", () => {
    const peer = introduced();
    peer.send(call(1, 0, 0, { caps: [{ kind: 0, id: 0, transform: [] }] }));
    expect(peer.keeper.calls[0]?.note.cap).to.equal(undefined);
  });

  it("name what is broken like anything else: calls on it fail with the reason", () => {
    const peer = introduced();
    peer.send(call(1, 0, 0));
    peer.keeper.answer({ text: "", cap: new BrokenCapability(RpcError.failed("out of cheese")) });
    const sent = peer.receive();
    expect(sent).to.have.length(1);
    expect(sent[0]).to.have.deep.nested.property("results.capTable", [senderHosted(1)]);
    expect(peer.send(call(2, 0, 1))[0]).to.have.nested.property("exception.reason", "out of cheese");
  });

  it("take what is hosted by a third party by its vine", () => {
    const peer = introduced();
    peer.send((writer) => {
      const before = writer.length;
      call(1, 0, 0, { caps: [receiverAnswer(9)] })(writer);
      // Laid out alike: a number, and a pointer. Only the kind differs, in the last descriptor but its place.
      for (let at = before; at < writer.length; at += 8) {
        if (writer.view.getUint32(at, true) === 4 && writer.view.getUint32(at + 4, true) === 0) {
          writer.view.setUint16(at, 5, true);
          break;
        }
      }
    });
    start(peer.keeper.calls[0]?.note.cap as Capability, 0);
    expect(peer.receive()[0]).to.include({ kind: CALL, targetKind: 0, targetId: 9 });
  });
});
