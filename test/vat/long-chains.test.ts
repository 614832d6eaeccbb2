import { expect } from "chai";
import { type Capability, PromiseCapability, WatchedCapability } from "../../packages/vat/src/index.ts";
import { type ExportId, encodeResolveCap, resolveLimits } from "../../packages/wire/src/index.ts";
import { Keeper, local } from "../support/pair.ts";
import { bootstrap, call, noteContent, senderPromise, type Write } from "../support/raw-messages.ts";
import { RawPeer } from "../support/raw-peer.ts";

const LIMITS = resolveLimits();

describe("vat: long chains that a peer makes", () => {
  const LONG = 20_000;

  it("of calls pipelined on one another are all failed when the first one fails, in order", () => {
    const victim = new RawPeer({ maxCallsInFlight: LONG + 1 });
    const calls = Array.from({ length: LONG }, (_, i) => call(i + 2, { question: i + 1, transform: [1] }));
    victim.send(bootstrap(0), call(1, { exported: 0 }), ...calls);
    victim.keeper.fail("no");
    const returns = victim.receive();
    expect(returns).to.have.length(LONG + 1);
    for (const [i, message] of returns.entries()) {
      expect(message).to.deep.include({ kind: 3, which: 1, answerId: i + 1 });
      expect(message).to.have.nested.property("exception.reason", "no");
    }
    expect(victim.connection.closedReason).to.equal(undefined);
  });

  it("of promises that resolve to the next one come to an end", () => {
    const victim = new RawPeer();
    victim.send(bootstrap(0), call(1, { exported: 0 }, { caps: [senderPromise(1)], content: noteContent() }));
    const resolves = Array.from(
      { length: LONG },
      (_, i): Write =>
        (writer) =>
          encodeResolveCap(writer, (i + 1) as ExportId, senderPromise(i + 2)),
    );
    victim.send(...resolves);
    expect(victim.keeper.calls[0]?.note.cap?.brokenReason?.message).to.contain("others, one after the other");
    victim.keeper.answer();
    expect(victim.connection.tables.imports).to.equal(0);
    expect(victim.connection.closedReason).to.equal(undefined);
  });

  it("of local promises are let go with the first", () => {
    const promises = Array.from({ length: LONG }, () => new PromiseCapability(LIMITS));
    const keeper = new Keeper();
    promises.at(-1)?.resolve(local(keeper));
    for (let i = LONG - 2; i >= 0; i--) promises[i]?.resolve((promises[i + 1] as PromiseCapability).addRef());
    for (const promise of promises.slice(1)) promise.release();
    expect(keeper.released).to.equal(0);
    promises[0]?.release();
    expect(keeper.released).to.equal(1);
  });

  it("of capabilities that are watched again and again take calls at once, and are let go with the last", () => {
    const keeper = new Keeper();
    let letGo = 0;
    let cap: Capability = local(keeper);
    for (let i = 0; i < LONG; i++) cap = new WatchedCapability(cap, () => void letGo++);
    const victim = new RawPeer();
    victim.send(bootstrap(0), call(1, { exported: 0 }));
    const passedOn = victim.keeper.calls.shift()?.call;
    if (passedOn !== undefined) cap.deliver(passedOn);
    expect(keeper.calls).to.have.length(1);
    keeper.answer();
    expect(letGo).to.equal(0);
    cap.release();
    expect([letGo, keeper.released]).to.deep.equal([LONG, 1]);
  });
});
