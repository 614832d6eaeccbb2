// Messages that are well-formed and break the protocol. Each `describe` is a row of the table of what a hostile peer may
// send.
import { expect } from "chai";
import {
  type AnswerId,
  beginReturn,
  type EmbargoId,
  type ExportId,
  encodeDisembargo,
  encodeResolveCap,
  encodeReturnException,
  encodeReturnOther,
  finishPayload,
  MessageKind,
  resolveLimits,
  writeCallResults,
} from "../../packages/wire/src/index.ts";
import {
  bootstrap,
  call,
  finish,
  frame,
  receiverAnswer,
  receiverHosted,
  release,
  senderHosted,
  senderPromise,
  type Write,
} from "../support/raw-messages.ts";
import { attackedHost } from "./support/attacked-host.ts";
import { append, jsCall, StubAt } from "./support/js-calls.ts";
import type { RawPeer } from "./support/raw-peer.ts";

const LIMITS = resolveLimits();
/** The results of a call of a Worker: one stub, where there is one, is in `callPipeline`. */
const RESULT = [1];

const resolve =
  (id: number, cap: Parameters<typeof encodeResolveCap>[2]): Write =>
  (writer) =>
    encodeResolveCap(writer, id as ExportId, cap);

const returnOther =
  (id: number, which: 2 | 3 | 4, otherQuestion = 0): Write =>
  (writer) =>
    encodeReturnOther(writer, id as AnswerId, false, which, otherQuestion as never);

const failed =
  (id: number): Write =>
  (writer) =>
    encodeReturnException(writer, id as AnswerId, false, { type: 0, reason: "no", trace: "", details: [] });

const disembargo =
  (kind: 0 | 1, id: number, context: 0 | 1, embargo: number, transform: readonly number[] = []): Write =>
  (writer) =>
    encodeDisembargo(writer, kind, id, transform, context, embargo as EmbargoId);

/** Has the host call export 9 of ours, with `method` of the Worker, as question `id`. Returns the host's question. */
async function beCalled(peer: RawPeer, id: number, method: string, cap = senderHosted(9)): Promise<number> {
  const service = await peer.service();
  peer.send(jsCall(id, { exported: service }, method, [new StubAt(0)], { caps: [cap] }));
  const { questionId } = await peer.nextOf(MessageKind.call);
  return questionId;
}

describe("hostile peer: question id reused while open", () => {
  const host = attackedHost();

  for (const [what, first, second] of [
    ["a Bootstrap by a Bootstrap", "bootstrap", "bootstrap"],
    ["a Bootstrap by a Call", "bootstrap", "call"],
    ["a Call by a Bootstrap", "call", "bootstrap"],
    ["a Call by a Call", "call", "call"],
  ] as const) {
    it(`aborts the link where the question of ${what} is reused`, () =>
      host.attack(async (peer) => {
        const service = await peer.service();
        const ask = { bootstrap: bootstrap(5), call: jsCall(5, { exported: service }, "hang") };
        peer.send(ask[first]);
        peer.send(ask[second]);
        await peer.expectAbort(/reuses question id 5/);
      }));
  }
});

describe("hostile peer: Return for an unknown or answered question", () => {
  const host = attackedHost();

  it("aborts the link for an unknown question", () =>
    host.attack(async (peer) => {
      peer.send(failed(5));
      await peer.expectAbort(/question 5, which is not open/);
    }));

  it("aborts the link for a question that was answered", () =>
    host.attack(async (peer) => {
      const asked = await beCalled(peer, 1, "callBack");
      peer.send(failed(asked));
      await peer.expectException(1, /no/);
      peer.send(failed(asked));
      await peer.expectAbort(/which is not open/);
    }));

  it("aborts the link for results taken from a question that keeps none, and lets nothing wait on", () =>
    host.attack(async (peer) => {
      const asked = await beCalled(peer, 1, "callBack");
      peer.send(returnOther(asked, 4, 77));
      await peer.expectAbort(/takes its results from a question/);
    }));
});

describe("hostile peer: call to an unknown export", () => {
  const host = attackedHost();

  for (const id of [1, 77, 5000, 0xffff_ffff]) {
    it(`aborts the link for a call to export ${id}`, () =>
      host.attack(async (peer) => {
        peer.send(bootstrap(0), call(1, { exported: id }));
        await peer.expectAbort(/which does not exist/);
      }));
  }
});

describe("hostile peer: pipeline on an errored, unknown or finished answer", () => {
  const host = attackedHost();

  it("fails the call that is pipelined on an error, with that error", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      peer.send(jsCall(1, { exported: service }, "fail"));
      await peer.returned(1);
      peer.send(jsCall(2, { question: 1, transform: RESULT }, "increment"));
      await peer.expectException(2, /out of range/);
    }));

  for (const id of [1, 4096, 0xffff_ffff]) {
    it(`fails the call that is pipelined on unknown answer ${id}`, () =>
      host.attack(async (peer) => {
        peer.send(jsCall(2, { question: id, transform: RESULT }, "increment"));
        await peer.expectException(2, /no capability/);
      }));
  }

  it("fails the call that is pipelined on a finished answer, and on itself", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      peer.send(jsCall(1, { exported: service }, "counter"));
      await peer.returned(1);
      peer.send(finish(1), jsCall(2, { question: 1, transform: RESULT }, "increment"));
      await peer.expectException(2, /no capability/);
      peer.send(jsCall(3, { question: 3, transform: RESULT }, "increment"));
      await peer.expectException(3, /no capability/);
    }));

  it("fails the call that names such an answer in its parameters, when it is used", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      peer.send(jsCall(2, { exported: service }, "callBack", [new StubAt(0)], { caps: [receiverAnswer(77, RESULT)] }));
      await peer.expectException(2, /answer 77, which does not exist/);
    }));
});

describe("hostile peer: unknown or late Finish", () => {
  const host = attackedHost();

  it("ignores a Finish of an unknown question", () =>
    host.attack(async (peer) => {
      for (const id of [0, 40, 4096, 0xffff_ffff]) peer.send(finish(id), finish(id, false));
      await peer.expectNothing();
    }));

  it("ignores a Finish that comes twice, or after a Return that needed none", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      peer.send(jsCall(1, { exported: service }, "add", [1, 2]));
      expect(await peer.returned(1)).to.include({ which: 0, noFinishNeeded: true });
      peer.send(bootstrap(2));
      await peer.returned(2);
      peer.send(finish(1), finish(2), finish(2), finish(2, false));
      await peer.expectNothing();
    }));
});

describe("hostile peer: Release of an unknown id or of more than was handed out", () => {
  const host = attackedHost();

  for (const id of [1, 77, 5000, 0xffff_ffff]) {
    it(`aborts the link for a Release of export ${id}, which was never sent`, () =>
      host.attack(async (peer) => {
        peer.send(bootstrap(0), release(id));
        await peer.expectAbort(/Release of export .*, which does not exist/);
      }));
  }

  it("aborts the link for a Release of more references than it has", () =>
    host.attack(async (peer) => {
      peer.send(bootstrap(0), release(0, 2));
      await peer.expectAbort(/Release of 2 references to export 0, which has 1/);
    }));

  it("aborts the link for a Release and a Finish that give back the same reference", () =>
    host.attack(async (peer) => {
      peer.send(bootstrap(0), release(0), finish(0));
      await peer.expectAbort(/Release of export 0/);
    }));

  it("aborts the link for a Return that gives back parameters' references which a Release gave back, and lets nothing wait on", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      // Our callback is called with its own argument: an object of the host's.
      const caps = [senderHosted(9), senderHosted(10)];
      peer.send(jsCall(1, { exported: service }, "handOver", [new StubAt(0)], { caps }));
      const { questionId, params } = await peer.nextOf(MessageKind.call);
      const given = params.capTable.find(({ kind }) => kind === 1)?.id ?? -1;
      const giveBack: Write = (writer) =>
        encodeReturnException(writer, questionId as number as AnswerId, true, {
          type: 0,
          reason: "no",
          trace: "",
          details: [],
        });
      peer.send(release(given), giveBack);
      await peer.expectAbort(/Release of export/);
    }));
});

describe("hostile peer: Resolve of an unknown import", () => {
  const host = attackedHost();

  it("gives back what it carries", () =>
    host.attack(async (peer) => {
      peer.send(resolve(4, senderHosted(12)));
      await peer.expectRelease(12);
      peer.send(resolve(4, senderPromise(13)));
      await peer.expectRelease(13);
      await peer.expectNothing();
    }));

  it("ignores one that carries nothing of the peer's", () =>
    host.attack(async (peer) => {
      for (const cap of [
        receiverHosted(0),
        receiverHosted(99),
        receiverAnswer(99),
        { kind: 0, id: 0, transform: [] } as const,
      ]) {
        peer.send(resolve(4, cap));
      }
      await peer.expectNothing();
    }));
});

describe("hostile peer: a promise that resolves to itself, or in a circle", () => {
  const host = attackedHost();

  it("rejects a promise that resolves to itself", () =>
    host.attack(async (peer) => {
      const asked = await beCalled(peer, 1, "callBackTwice", senderPromise(9));
      peer.send(resolve(9, senderPromise(9)), failed(asked));
      await peer.expectException(1, /resolved to itself/);
    }));

  it("rejects a promise where promises resolve to each other, over and over", () =>
    host.attack(async (peer) => {
      const asked = await beCalled(peer, 1, "callBackTwice", senderPromise(9));
      for (let i = 0; i < 10_000; i++) peer.send(frame(resolve(9, senderPromise(10)), resolve(10, senderPromise(9))));
      peer.send(failed(asked));
      await peer.expectException(1, /one after the other/);
    }));

  it("rejects a promise that resolves to the promise that it was sent as", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      // What the pending call leads to is passed to the callee of another call, and so comes to us as a promise ...
      peer.send(
        jsCall(1, { exported: service }, "callBack", [new StubAt(0)], { caps: [senderHosted(9)] }),
        jsCall(2, { exported: service }, "passOn", [new StubAt(0), new StubAt(1)], {
          caps: [senderHosted(10), receiverAnswer(1, RESULT)],
        }),
      );
      const [first, second] = [await peer.nextOf(MessageKind.call), await peer.nextOf(MessageKind.call)];
      const promise = second.params.capTable.find(({ kind }) => kind === 2)?.id ?? -1;
      expect(promise).to.not.equal(-1);
      // ... which we return as the result that it stands for.
      peer.send((writer) => returnCap(writer, first.questionId, receiverHosted(promise)));
      peer.send(failed(second.questionId));
      await peer.expectAlive();
      peer.send(finish(1), finish(2));
      await peer.expectAlive();
    }));
});

/** Returns one capability as the result of a call of an object. */
function returnCap(writer: Parameters<Write>[0], id: number, cap: Parameters<typeof encodeResolveCap>[2]): void {
  const start = writer.length;
  const at = beginReturn(writer, id as AnswerId, false);
  writeCallResults(writer, at, undefined, { externals: [], writeHostObject: () => false }, LIMITS, { callPipeline: 0 });
  finishPayload(writer, start, at, [cap]);
}

describe("hostile peer: Disembargo with a bad id or target", () => {
  const host = attackedHost();

  const bad: [string, Write][] = [
    ["that comes back without having been sent", disembargo(0, 0, 1, 3)],
    ["of an object that does not lead back to its sender", disembargo(0, 0, 0, 3)],
    ["of an export that does not exist", disembargo(0, 99, 0, 3)],
    ["of an answer that does not exist", disembargo(1, 99, 0, 3, RESULT)],
    ["of an answer that does not lead back to its sender", disembargo(1, 0, 0, 3)],
    ["of a place in an answer where nothing is", disembargo(1, 0, 0, 3, [9, 9])],
  ];
  for (const [what, write] of bad) {
    it(`aborts the link for a Disembargo ${what}`, () =>
      host.attack(async (peer) => {
        peer.send(bootstrap(0), write);
        await peer.expectAbort(/Disembargo/);
      }));
  }

  for (const context of [2, 3, 500]) {
    it(`aborts the link for a Disembargo in context ${context}`, () =>
      host.attack(async (peer) => {
        peer.send(bootstrap(0), disembargo(0, 0, context as 0, 3));
        await peer.expectAbort(/Disembargo in unknown context/);
      }));
  }
});

describe("hostile peer: unknown message kind", () => {
  const host = attackedHost();

  /** A message of this kind with a body of `size` words. */
  function ofKind(kind: number, size = 1): Uint8Array {
    return frame((writer) => {
      const at = append(writer, 32 + 8 * size);
      const words = [0, 3 + size, 0, 0x1_0001, kind, 0, 0, size];
      words.forEach((half, i) => writer.view.setUint32(at + 4 * i, half, true));
    });
  }

  for (const kind of [7, 9, 10, 11, 12, 14, 99, 0xffff]) {
    it(`answers kind ${kind} with Unimplemented`, () =>
      host.attack(async (peer) => {
        peer.send(ofKind(kind));
        expect(await peer.next()).to.deep.include({ kind: MessageKind.unimplemented });
        await peer.expectNothing();
      }));
  }

  it("answers no Unimplemented, whatever is in it", () =>
    host.attack(async (peer) => {
      for (const size of [0, 1, 100]) peer.send(ofKind(MessageKind.unimplemented, size));
      await peer.expectNothing();
    }));

  it("answers a large message of unknown kind with no more than that", () =>
    host.attack(async (peer) => {
      peer.send(ofKind(99, 60_000));
      expect(await peer.next()).to.deep.include({ kind: MessageKind.unimplemented });
      await peer.expectNothing();
    }));
});

describe("hostile peer: transform over 64 long", () => {
  const host = attackedHost();

  for (const length of [65, 1000, 100_000]) {
    it(`fails the call whose target is ${length} steps away`, () =>
      host.attack(async (peer) => {
        const transform = Array.from({ length }, () => 0);
        peer.send(bootstrap(0), call(1, { question: 0, transform }));
        await peer.expectException(1, /no capability/);
      }));

    it(`fails the call whose parameter is ${length} steps away, when it is used`, () =>
      host.attack(async (peer) => {
        const service = await peer.service();
        const caps = [
          receiverAnswer(
            50,
            Array.from({ length }, () => 0),
          ),
        ];
        peer.send(bootstrap(50), jsCall(1, { exported: service }, "callBack", [new StubAt(0)], { caps }));
        await peer.expectException(1, /is not a function/);
      }));
  }
});
