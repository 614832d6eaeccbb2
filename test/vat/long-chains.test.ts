import { expect } from "chai";
import { type Capability, PromiseCapability, WatchedCapability } from "../../packages/vat/src/index.ts";
import { type ExportId, encodeResolveCap, resolveLimits } from "../../packages/wire/src/index.ts";
import { CAP, Keeper, local } from "../support/pair.ts";
import { bootstrap, call, noteContent, receiverAnswer, senderPromise, type Write } from "../support/raw-messages.ts";
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

  it("of answers that lead to the one before are shortened: the way to the end is not gone whole each time", async () => {
    const steps = countSteps();
    const victim = new RawPeer({ maxCallsInFlight: LONG + 1 });
    const { keeper } = victim;
    victim.send(bootstrap(0), call(1, { exported: 0 }));
    const before = (i: number) => ({ caps: [receiverAnswer(i, CAP)], content: noteContent() });
    victim.send(...Array.from({ length: LONG - 1 }, (_, i) => call(i + 2, { exported: 0 }, before(i + 1))));
    const end = new Keeper();
    const target = local(end);
    keeper.answer({ text: "", cap: target });
    target.release();
    for (let next = keeper.calls[0]; next !== undefined; next = keeper.calls[0]) {
      const cap = next.note.cap?.addRef();
      keeper.answer({ text: "", cap });
      cap?.release();
    }
    for (let i = 0; i < 100; i++) victim.send(call(LONG + 1 + i, { question: LONG, transform: CAP }));
    expect(end.log).to.have.length(100);
    expect(steps.end()).to.be.below(100 * LONG);
    const ended = new Promise((resolve) => victim.connection.whenClosed(resolve));
    victim.connection.close();
    await ended;
    expect(end.released).to.equal(1);
  });

  it("of local promises are shortened by those who go them, and each promise is let go once", () => {
    const promises = Array.from({ length: LONG }, () => new PromiseCapability(LIMITS));
    const keeper = new Keeper();
    const target = local(keeper);
    for (let i = LONG - 2; i >= 0; i--) promises[i]?.resolve((promises[i + 1] as PromiseCapability).addRef());
    promises.at(-1)?.resolve(target);
    const steps = countSteps();
    for (let i = 0; i < 100; i++) expect(promises[0]?.resolved === target).to.equal(true);
    expect(steps.end()).to.be.below(10 * LONG);
    // Those on the way lead there too, held by others as they are.
    for (const promise of promises) expect(promise.resolved === target).to.equal(true);
    for (const promise of promises.slice(0, -1)) promise.release();
    expect(keeper.released).to.equal(0);
    promises.at(-1)?.release();
    expect(keeper.released).to.equal(1);
  });
});

/** Counts how often a promise is asked where it leads, until `end`. */
function countSteps() {
  const { prototype } = PromiseCapability;
  const own = Object.getOwnPropertyDescriptor(prototype, "next") as PropertyDescriptor & { get(): unknown };
  let steps = 0;
  const get = function (this: PromiseCapability): unknown {
    steps++;
    return own.get.call(this);
  };
  Object.defineProperty(prototype, "next", { ...own, get });
  return {
    end(): number {
      Object.defineProperty(prototype, "next", own);
      return steps;
    },
  };
}
