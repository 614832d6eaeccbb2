import { expect } from "chai";
import fc from "fast-check";
import { describeMessage } from "../../../packages/wire/src/rpc/describe.ts";
import { encodeFlat } from "../support/flat.ts";
import {
  FOREIGN_CALL,
  FOREIGN_ECHO_OF_CALL,
  FOREIGN_ECHO_OF_RESOLVE,
  FOREIGN_EXCEPTION,
} from "../support/foreign-frames.ts";
import { anyMessage, decodeOne, type Plain } from "../support/plain.ts";
import { bytesOf, structAt } from "../support/words.ts";

const dump = (message: Plain) => describeMessage(decodeOne(encodeFlat(message)));

describe("describeMessage", () => {
  it("says what each kind of message is about", () => {
    const caps = "senderHosted import 1, receiverAnswer answer 4.2, thirdPartyHosted import 9";
    expect(describeMessage(decodeOne(FOREIGN_CALL))).to.equal(
      `call answer 7 on answer 3.1.0 JsRpcTarget.2 keep-results only-pipelining empty caps [${caps}] in 256 bytes`,
      `caps [${caps}] in 256 bytes`,
    );
    expect(describeMessage(decodeOne(FOREIGN_EXCEPTION))).to.equal(
      'return question 5 exception overloaded "jsg.TypeError: no" details 2 keep-params',
    );
    expect(describeMessage(decodeOne(FOREIGN_ECHO_OF_CALL))).to.equal("unimplemented call question 12");
    expect(describeMessage(decodeOne(FOREIGN_ECHO_OF_RESOLVE))).to.equal(
      "unimplemented resolve to senderHosted export 6",
    );
    const results = {
      content: "x",
      capTable: [
        { kind: 3, id: 2, transform: [] },
        { kind: 0, id: 0, transform: [] },
      ],
    } as const;
    const back = { kind: 3, answerId: 4, releaseParamCaps: true, noFinishNeeded: true } as const;
    const none = { results: undefined, exception: undefined, otherAnswer: undefined };
    expect(dump({ ...back, ...none, which: 0, results })).to.equal(
      "return question 4 results caps [receiverHosted export 2, none] in 88 bytes no-finish",
    );
    expect(dump({ ...back, ...none, noFinishNeeded: false, which: 4, otherAnswer: 8 })).to.equal(
      "return question 4 takeFromOtherQuestion answer 8",
    );
    const finish = { kind: 4, questionId: 3, requireEarlyCancellationWorkaround: false } as const;
    expect(dump({ ...finish, releaseResultCaps: true })).to.equal("finish answer 3 release-results");
    expect(dump({ kind: 6, id: 3, referenceCount: 2 })).to.equal("release export 3 by 2");
    expect(dump({ kind: 8, questionId: 3 })).to.equal("bootstrap answer 3");
    expect(dump({ kind: 5, promiseId: 3, cap: { kind: 2, id: 9, transform: [] }, exception: undefined })).to.equal(
      "resolve import 3 to senderPromise import 9",
    );
    const disembargo = { kind: 13, targetKind: 0, targetId: 3, transform: [], embargoId: 4 } as const;
    expect(dump({ ...disembargo, context: 1 })).to.equal("disembargo export 3 receiverLoopback 4");
    const exception = { type: 0, reason: "a\nb", trace: "", details: [] } as const;
    expect(dump({ kind: 1, exception })).to.equal('abort exception failed "a\\nb"');
    expect(describeMessage(decodeOne(bytesOf([[0, 2], structAt(0, 1, 0), [12, 0]])))).to.equal("unknown message 12");
  });

  it("names ids as the tables of the end do whose view is wanted", () => {
    const view = "sender";
    const sent = (message: Plain) => describeMessage(decodeOne(encodeFlat(message)), { view });
    expect(describeMessage(decodeOne(FOREIGN_CALL), { view, content: "add(1)" })).to.equal(
      "call question 7 on question 3.1.0 JsRpcTarget.2 keep-results only-pipelining add(1) " +
        "caps [senderHosted export 1, receiverAnswer question 4.2, thirdPartyHosted export 9]",
    );
    expect(describeMessage(decodeOne(FOREIGN_EXCEPTION), { view })).to.match(/^return answer 5 exception /);
    expect(describeMessage(decodeOne(FOREIGN_ECHO_OF_CALL), { view })).to.equal("unimplemented call answer 12");
    expect(describeMessage(decodeOne(FOREIGN_ECHO_OF_RESOLVE), { view })).to.equal(
      "unimplemented resolve to senderHosted import 6",
    );
    const finish = { kind: 4, questionId: 3, requireEarlyCancellationWorkaround: false } as const;
    expect(sent({ ...finish, releaseResultCaps: false })).to.equal("finish question 3");
    expect(sent({ kind: 6, id: 3, referenceCount: 2 })).to.equal("release import 3 by 2");
    expect(sent({ kind: 8, questionId: 3 })).to.equal("bootstrap question 3");
    expect(sent({ kind: 5, promiseId: 3, cap: { kind: 3, id: 9, transform: [] }, exception: undefined })).to.equal(
      "resolve export 3 to receiverHosted import 9",
    );
    const disembargo = { kind: 13, targetKind: 0, targetId: 3, transform: [], embargoId: 4 } as const;
    expect(sent({ ...disembargo, context: 0 })).to.equal("disembargo import 3 senderLoopback 4");
  });

  it("is one line, and not a long one, for any message", () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const line = dump(message);
        expect(line).to.not.match(/[\n\r]/);
        expect(line.length).to.be.lessThan(700);
      }),
    );
    const exception = { type: 0, reason: "long ".repeat(1000), trace: "", details: [] } as const;
    expect(dump({ kind: 1, exception }).length).to.be.lessThan(200);
  });
});
