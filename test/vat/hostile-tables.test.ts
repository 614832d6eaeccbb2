import { expect } from "chai";
import { type Capability, PromiseCapability } from "../../packages/vat/src/index.ts";
import {
  type AnswerId,
  beginReturn,
  type CapDescriptor,
  type EmbargoId,
  type ExportId,
  encodeDisembargo,
  encodeResolveCap,
  encodeReturnException,
  encodeReturnOther,
  finishPayload,
  resolveLimits,
  type SegmentWriter,
} from "../../packages/wire/src/index.ts";
import { CAP, Keeper, local, start } from "../support/pair.ts";
import {
  bootstrap,
  call,
  echoed,
  finish,
  noteContent,
  receiverAnswer,
  receiverHosted,
  release,
  senderHosted,
  senderPromise,
  type Write,
} from "../support/raw-messages.ts";
import { RawPeer } from "../support/raw-peer.ts";

describe("vat: the tables of a peer that breaks the rules", () => {
  const aborted: Record<string, (writer: SegmentWriter) => void> = {
    "returns a question that is not open": (w) => encodeReturnOther(w, 5 as AnswerId, false, 2),
    "calls an export that does not exist": call(1, { exported: 77 }),
    "releases an export that does not exist": release(77),
    "releases more references than it was given": release(0, 9),
    "reuses a question id that is open": bootstrap(0),
    "sends back a Disembargo that it was never sent": (w) => encodeDisembargo(w, 0, 0, [], 1, 3 as EmbargoId),
    "asks to disembargo what does not lead back to it": (w) => encodeDisembargo(w, 0, 0, [], 0, 3 as EmbargoId),
    "asks to disembargo what does not exist": (w) => encodeDisembargo(w, 0, 99, [], 0, 3 as EmbargoId),
  };
  for (const [what, write] of Object.entries(aborted)) {
    it(`leaves nothing in any table when it ${what}`, () => {
      const victim = new RawPeer();
      victim.send(bootstrap(0));
      const [message] = victim.send(write);
      expect(message?.kind).to.equal(1);
      expect(victim.connection.closedReason).to.not.equal(undefined);
      expect(Object.values(victim.connection.tables)).to.deep.equal([0, 0, 0, 0, 0]);
    });
  }

  it("cannot make a promise resolve to itself, or in a circle", () => {
    const victim = new RawPeer();
    victim.send(
      bootstrap(0),
      call(1, { exported: 0 }, { caps: [senderPromise(1), senderPromise(2)], content: noteContent() }),
    );
    victim.send((w) => encodeResolveCap(w, 1 as ExportId, senderPromise(2)));
    victim.send((w) => encodeResolveCap(w, 2 as ExportId, senderPromise(1)));
    expect(victim.connection.closedReason).to.equal(undefined);
    victim.keeper.answer();
    expect(victim.connection.tables.imports).to.be.lessThan(3);
  });

  it("gets an exception for calls past the bound on calls in flight, and an abort where it never finishes", () => {
    const victim = new RawPeer({ maxCallsInFlight: 3, maxAnswers: 5 });
    victim.send(bootstrap(0));
    const calls = [1, 2, 3, 4].map((id) => call(id, { exported: 0 }));
    const [refused] = victim.send(...calls);
    expect(refused).to.include({ kind: 3, which: 1 });
    expect(victim.keeper.log).to.have.length(3);
    expect(victim.connection.closedReason).to.equal(undefined);
    victim.send(call(5, { exported: 0 }));
    expect(victim.connection.closedReason?.message).to.contain("not finished");
  });

  it("gets an exception for calls past the bound on their bytes, until some are answered", () => {
    const victim = new RawPeer({ maxCallBytesInFlight: 100 });
    victim.send(bootstrap(0));
    // One passes, whatever its size.
    expect(victim.send(call(1, { exported: 0 }))).to.deep.equal([]);
    expect(victim.send(call(2, { exported: 0 }))[0]).to.include({ kind: 3, which: 1 });
    victim.keeper.answer();
    const [answered] = victim.send(call(3, { exported: 0 }));
    expect(answered).to.include({ kind: 3, which: 0 });
    expect(victim.keeper.calls).to.have.length(1);
    expect(victim.connection.closedReason).to.equal(undefined);
  });

  it("has calls cancelled with the link that it finished before, though something was pipelined on them", () => {
    const victim = new RawPeer();
    victim.send(bootstrap(0), call(1, { exported: 0 }), call(2, { question: 1, transform: CAP }), finish(1));
    expect(victim.keeper.cancelled).to.equal(0);
    victim.connection.close();
    expect(victim.keeper.cancelled).to.equal(1);
  });

  it("has calls count as in flight that it finished, while something pipelined on them keeps them running", () => {
    const victim = new RawPeer({ maxCallsInFlight: 10 });
    victim.send(bootstrap(0));
    const refused: unknown[] = [];
    for (let i = 0; i < 20; i++) {
      const answers = victim.send(
        call(1, { exported: 0 }),
        call(2, { question: 1, transform: CAP }),
        finish(1),
        finish(2),
      );
      refused.push(...answers.filter((message) => message.kind === 3 && message.exception?.type === 1));
    }
    expect(victim.keeper.calls.length - victim.keeper.cancelled, "still running").to.be.lessThan(11);
    expect(refused.length).to.be.greaterThan(5);
    for (const _ of [...victim.keeper.calls]) victim.keeper.answer();
    victim.send(call(3, { exported: 0 }));
    expect(victim.keeper.calls).to.have.length(1);
  });

  describe("while a call of the vat's to it is open", () => {
    /** A vat that holds object 5 of its peer's, and has called it with an object of its own. */
    class Caller extends RawPeer {
      readonly cap: Capability;
      readonly param = new Keeper();
      readonly started;
      /** The question's id, and the param's. */
      readonly asked: number;
      readonly given: number;

      constructor(limits = {}) {
        super(limits);
        this.send(bootstrap(0), call(1, { exported: 0 }, { caps: [senderHosted(5)], content: noteContent() }));
        const held = this.keeper.calls[0]?.note.cap?.addRef();
        if (held === undefined) throw new Error("no capability came");
        this.cap = held;
        this.keeper.answer();
        this.receive();
        const own = local(this.param);
        this.started = start(this.cap, 0, { text: "", cap: own });
        own.release();
        const [asked] = this.receive();
        if (asked?.kind !== 2) throw new Error("no call came");
        this.asked = asked.questionId;
        this.given = asked.params.capTable[0]?.id ?? -1;
      }

      get error(): string | undefined {
        return this.started.outcome.error?.message;
      }
    }

    const failure = { type: 0, reason: "no", trace: "", details: [] } as const;

    it("leaves no call open when a Return gives back what a Release gave back", () => {
      const victim = new Caller();
      victim.send(release(victim.given), (w) => encodeReturnException(w, victim.asked as AnswerId, true, failure));
      expect(victim.connection.closedReason?.message).to.contain("Release of export");
      expect(victim.error).to.not.equal(undefined);
      expect(victim.param.released).to.equal(1);
    });

    it("leaves no call open, and holds nothing, when results bring more than the vat takes", () => {
      const victim = new Caller({ maxImports: 2 });
      victim.send(results(victim.asked, [receiverHosted(victim.given), senderHosted(6), senderHosted(7)]));
      expect(victim.connection.closedReason?.message).to.contain("imported capabilities");
      expect(victim.error).to.contain("imported capabilities");
      expect(victim.param.released).to.equal(1);
    });

    it("holds nothing when a call brings more than the vat takes", () => {
      const victim = new Caller({ maxImports: 2 });
      const caps = [receiverHosted(victim.given), senderHosted(6), senderHosted(7)];
      victim.send(call(1, { exported: 0 }, { caps, content: noteContent() }));
      expect(victim.connection.closedReason?.message).to.contain("imported capabilities");
      expect(victim.param.released).to.equal(1);
    });

    it("may give params back with the Return whose results they are", () => {
      const victim = new Caller();
      victim.send(results(victim.asked, [receiverHosted(victim.given)], true));
      const cap = victim.started.outcome.result?.cap as Capability;
      expect(cap.brokenReason).to.equal(undefined);
      expect(victim.param.released).to.equal(0);
      expect(victim.connection.tables.exports).to.equal(1);
      cap.release();
      expect(victim.param.released).to.equal(1);
    });

    it("takes no reference with a call that it sends back as unimplemented", () => {
      const victim = new Caller();
      victim.send(echoed(call(victim.asked, { exported: 5 })));
      expect(victim.error).to.contain("does not know");
      expect(victim.param.released).to.equal(1);
      expect(victim.connection.tables).to.include({ questions: 0, exports: 1 });
    });

    it("leaves no call open when it sends one back as unimplemented whose params a Release gave back", () => {
      const victim = new Caller();
      victim.send(release(victim.given), echoed(call(victim.asked, { exported: 5 })));
      expect(victim.connection.closedReason?.message).to.contain("Release of export");
      expect(victim.error).to.not.equal(undefined);
    });

    it("cannot make a pipelined capability resolve to itself", () => {
      const victim = new Caller();
      const pipelined = victim.started.call.pipeline(CAP);
      // A promise of the vat's, sent to the peer, turns out to be what the call will return.
      victim.send(
        call(1, { exported: 0 }),
        call(2, { exported: 0 }, { caps: [receiverAnswer(1, CAP)], content: noteContent() }),
      );
      const promise = victim.keeper.calls[1]?.note.cap as Capability;
      const second = start(victim.cap, 0, { text: "", cap: promise });
      const sent = victim.receive().find((message) => message.kind === 2);
      const id = sent?.params.capTable[0]?.id ?? -1;
      victim.keeper.answer({ text: "", cap: pipelined });
      victim.send(results(victim.asked, [receiverHosted(id)]));
      // It never comes back from here where capabilities lead to each other in a circle.
      expect(pipelined.brokenReason?.message).to.contain("resolved to itself");
      pipelined.release();
      second.call.cancel();
      victim.connection.close();
    });

    it("gets no more exports than it may have by way of promises that resolve", () => {
      const victim = new Caller({ maxExports: 3 });
      const promise = new PromiseCapability(resolveLimits());
      start(victim.cap, 0, { text: "", cap: promise });
      victim.receive();
      // The bootstrap, the param, the promise: there is no room for what it resolves to.
      expect(victim.connection.tables.exports).to.equal(3);
      promise.resolve(local(new Keeper()));
      const [resolve] = victim.receive();
      expect(resolve).to.have.nested.property("exception.reason").that.contains("no more can be sent");
      expect(victim.connection.closedReason).to.equal(undefined);
    });

    it("leaves no listener on a promise that it was given and gave back", () => {
      const victim = new Caller();
      victim.send(
        call(1, { exported: 0 }),
        call(2, { exported: 0 }, { caps: [receiverAnswer(1, CAP)], content: noteContent() }),
      );
      const promise = victim.keeper.calls[1]?.note.cap as Capability;
      let listeners = 0;
      const whenResolved = promise.whenResolved.bind(promise);
      promise.whenResolved = (listener) => {
        listeners++;
        const off = whenResolved(listener);
        return () => {
          listeners--;
          off();
        };
      };
      start(victim.cap, 0, { text: "", cap: promise });
      const sent = victim.receive().find((message) => message.kind === 2);
      expect(listeners).to.equal(1);
      victim.send(release(sent?.params.capTable[0]?.id ?? -1));
      expect(listeners).to.equal(0);
    });

    it("may take the outcome of one call of its own once, and gets it though it finished that call", () => {
      const victim = new Caller();
      victim.send(call(1, { exported: 0 }, { sendResultsTo: 1 }));
      victim.send((w) => encodeReturnOther(w, victim.asked as AnswerId, false, 4, 1 as never));
      expect(victim.error).to.equal(undefined);
      victim.send(finish(1));
      victim.keeper.answer({ text: "late" });
      expect(victim.started.outcome.result?.text).to.equal("late");
      expect(victim.connection.tables.questions).to.equal(0);
    });

    it("cannot have two calls answered by one of its own", () => {
      const victim = new Caller();
      start(victim.cap, 0, { text: "second" });
      const [second] = victim.receive();
      const other = second?.kind === 2 ? (second.questionId as number) : -1;
      victim.send(call(1, { exported: 0 }, { sendResultsTo: 1 }));
      victim.send((w) => encodeReturnOther(w, victim.asked as AnswerId, false, 4, 1 as never));
      victim.send((w) => encodeReturnOther(w, other as AnswerId, false, 4, 1 as never));
      expect(victim.connection.closedReason?.message).to.contain("taken already");
      expect(victim.error).to.not.equal(undefined);
    });
  });
});

/** A Return with a note that holds the last of `caps`. */
function results(id: number, caps: readonly CapDescriptor[], releaseParamCaps = false): Write {
  return (writer: SegmentWriter) => {
    const start = writer.length;
    const at = beginReturn(writer, id as AnswerId, releaseParamCaps);
    noteContent(caps.length - 1)(writer, at);
    finishPayload(writer, start, at, caps);
  };
}
