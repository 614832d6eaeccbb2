import { expect } from "chai";
import { BrokenCapability, PromiseCapability, RpcError } from "../../packages/vat/src/index.ts";
import { ExceptionType } from "../../packages/wire/src/index.ts";
import { Keeper, local, type Note, noteEncoder, Pair, start } from "../support/pair.ts";

const KIB = 1024;
const LIMITS = { maxFrameBytes: 16 * KIB };

/** A failure with everything that one may have. */
function failure(reason: string, trace = "", blobs: readonly number[] = []): RpcError {
  const details = blobs.map((bytes, id) => ({ id: BigInt(id), data: new Uint8Array(bytes) }));
  return new RpcError(ExceptionType.overloaded, reason, { trace, details });
}

/** What a caller hears of `error`. */
function heard(error: RpcError): RpcError {
  const pair = new Pair({ limits: LIMITS });
  const { outcome } = start(pair.left.bootstrap(), 0);
  pair.settle();
  pair.keeper.calls.shift()?.call.returnException(error);
  pair.settle();
  expect(pair.left.closedReason).to.equal(undefined);
  expect(outcome.error?.type).to.equal(ExceptionType.overloaded);
  return outcome.error as RpcError;
}

describe("vat: an exception larger than a frame may be", () => {
  it("loses the end of its reason", () => {
    const { message } = heard(failure("x".repeat(100 * KIB)));
    expect(message).to.match(/^x{4000,6000}$/);
    // Three bytes each.
    expect(heard(failure("\ufffd".repeat(100 * KIB))).message).to.match(/^\ufffd{4000,6000}$/);
  });

  it("keeps what details fit whole, and then its trace as far as there is room", () => {
    const { message, details, trace } = heard(failure("why", "t".repeat(100 * KIB), [8 * KIB, 12 * KIB, 1 * KIB]));
    expect(message).to.equal("why");
    expect(details.map(({ id, data }) => [id, data.length])).to.deep.equal([
      [0n, 8 * KIB],
      [2n, 1 * KIB],
    ]);
    expect(trace).to.match(/^t{1000,3000}$/);
  });

  it("is left as it is where there is room for all of it", () => {
    const { message, details, trace } = heard(failure("é".repeat(1000), "t".repeat(1000), [8 * KIB]));
    expect(message).to.equal("é".repeat(1000));
    expect(trace).to.equal("t".repeat(1000));
    expect(details).to.have.length(1);
  });

  it("breaks a promise, and the link lives", () => {
    const pair = new Pair({ limits: LIMITS });
    const { outcome } = start(pair.left.bootstrap(), 0);
    const promise = new PromiseCapability();
    pair.settle();
    pair.keeper.answer({ text: "", cap: promise });
    pair.settle();
    promise.resolve(new BrokenCapability(failure("x".repeat(100 * KIB))));
    pair.settle();
    expect(outcome.result?.cap?.brokenReason?.message).to.match(/^x{4000,6000}$/);
    expect(pair.left.closedReason).to.equal(undefined);
  });

  it("tells why a link ends", () => {
    const pair = new Pair({ limits: LIMITS });
    pair.settle();
    pair.left.abort("x".repeat(100 * KIB));
    pair.settle();
    expect(pair.right.closedReason?.message).to.match(/aborted the link: x{4000,6000}$/);
  });
});

describe("vat: capabilities that make a message larger than a frame may be", () => {
  const caps = Array.from({ length: 300 }, () => local(new Keeper()));
  const many = {
    encode(out: Parameters<typeof noteEncoder.encode>[0], note: Note) {
      noteEncoder.encode(out, note);
      for (const cap of caps) out.addCapability(cap);
    },
  };

  it("fail the call alone, with nothing exported", () => {
    const pair = new Pair({ limits: LIMITS });
    const api = pair.left.bootstrap();
    pair.settle();
    const sink = { handleResults: () => {}, handleException: () => {} };
    expect(() => api.call(1, 2, 0, many, { text: "x".repeat(15 * KIB) }, sink)).to.throw("larger than a frame may be");
    expect(pair.left.tables).to.include({ questions: 0, exports: 0 });
    api.call(1, 2, 0, many, { text: "" }, sink);
    pair.settle();
    expect(pair.left.tables.exports).to.equal(300);
    expect(pair.right.closedReason).to.equal(undefined);
  });

  it("leave the call to be answered in another way", () => {
    const pair = new Pair({ limits: LIMITS });
    const { outcome } = start(pair.left.bootstrap(), 0);
    pair.settle();
    const { call } = pair.keeper.calls[0] as (typeof pair.keeper.calls)[0];
    expect(() => call.returnResults(many, { text: "x".repeat(15 * KIB) })).to.throw("larger than a frame may be");
    expect(pair.right.tables.exports).to.equal(1);
    pair.keeper.fail("too large");
    pair.settle();
    expect(outcome.error?.message).to.equal("too large");
  });
});
