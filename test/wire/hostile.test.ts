// Any bytes at all: messages or DecodeError, never another error, and never long.
import { expect } from "chai";
import fc from "fast-check";
import { DecodeError } from "../../packages/wire/src/errors.ts";
import { FrameReader } from "../../packages/wire/src/framing.ts";
import { readCallParams, writeCallParams } from "../../packages/wire/src/js-rpc/call-params.ts";
import { readCallResults, writeCallResults } from "../../packages/wire/src/js-rpc/call-results.ts";
import { type JsValueRef, readJsValue } from "../../packages/wire/src/js-rpc/js-value.ts";
import { resolveLimits } from "../../packages/wire/src/limits.ts";
import { readServiceParams, readServiceResults } from "../../packages/wire/src/link/service.ts";
import { describeMessage } from "../../packages/wire/src/rpc/describe.ts";
import { beginCall, beginReturn, encodeUnimplemented, finishPayload } from "../../packages/wire/src/rpc/encode.ts";
import type { AnswerId, QuestionId } from "../../packages/wire/src/rpc/ids.ts";
import type { Payload, RpcMessage } from "../../packages/wire/src/rpc/messages.ts";
import { copyPointer } from "../../packages/wire/src/segment/copy.ts";
import { SegmentWriter } from "../../packages/wire/src/segment/writer.ts";
import { dirtyWriter, encodeFlat } from "./support/flat.ts";
import { FOREIGN_CALL, FOREIGN_EXCEPTION } from "./support/foreign-frames.ts";
import { Target, targetWriter } from "./support/payloads.ts";
import { anyMessage, call } from "./support/plain.ts";
import { chooser, layOut, readTree } from "./support/tree.ts";

const limits = resolveLimits({ maxFrameBytes: 1 << 20, maxMessageWords: 1 << 16 });

/** Does with a frame whatever a vat and its user might. Only DecodeErrors come out, and are counted. */
function digest(frame: Uint8Array, batched: boolean): { messages: number; errors: number } {
  const counts = { messages: 0, errors: 0 };
  const attempt = (read: () => void): void => {
    try {
      read();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      counts.errors++;
    }
  };
  attempt(() => {
    const reader = new FrameReader(limits, { batched });
    reader.open(frame);
    for (let message = reader.next(); message !== undefined; message = reader.next()) {
      counts.messages++;
      digestMessage(message, attempt);
    }
  });
  return counts;
}

function digestMessage(message: RpcMessage, attempt: (read: () => void) => void): void {
  expect(describeMessage(message)).to.be.a("string");
  if (message.kind === 2) digestPayload(message.params, attempt);
  if (message.kind === 3 && message.results !== undefined) digestPayload(message.results, attempt);
  if (message.kind === -1) {
    const w = new SegmentWriter(64);
    encodeUnimplemented(w, message.reader, message.root);
    expect(w.length).to.be.at.most(message.reader.end - message.reader.start + 40);
  }
}

function digestPayload({ reader, content }: Payload, attempt: (read: () => void) => void): void {
  const size = reader.end - reader.start;
  attempt(() => digestValue(readCallParams(reader, content, limits).value));
  attempt(() => digestValue(readCallResults(reader, content, limits).value));
  attempt(() => readServiceParams(reader, content));
  attempt(() => readServiceResults(reader, content));
  attempt(() => {
    const w = new SegmentWriter(64);
    w.ensure(8);
    w.length = 8;
    copyPointer(reader, content, w, 0);
    expect(w.length).to.be.at.most(8 * size + 8 * 1024 + 16);
  });
  for (const way of [[], [0], [1], [0, 0], [1, 1, 1], [-1]]) {
    const at = reader.follow(content, way);
    expect(at === -1 || (at >= reader.start && at + 8 <= reader.end)).to.equal(true);
    reader.capabilityIndex(at);
  }
}

function digestValue(ref: JsValueRef | undefined): void {
  if (ref === undefined) return;
  expect(ref.start).to.be.at.most(ref.end);
  expect(ref.end).to.be.at.most(ref.reader.end);
  readJsValue(ref, { readHostObject: () => ({}) }, limits);
}

/** Frames with calls and results such as clients and hosts write. */
function realistic(): Uint8Array[] {
  const target = new Target({ kind: 1, capIndex: 0 });
  const w = dirtyWriter();
  let start = 0;
  let at = beginCall(w, 5 as QuestionId, 1, 4, [1, 2], 0xa1a96525, 0x142a9d98, 0, 1, 3);
  writeCallParams(w, at, ["a", "b"], [1, "two", { three: [target] }], 0, targetWriter(), limits, 1);
  finishPayload(w, start, at, [
    { kind: 1, id: 4, transform: [] },
    { kind: 4, id: 3, transform: [1] },
  ]);
  start = w.length;
  at = beginReturn(w, 5 as AnswerId, false);
  writeCallResults(w, at, new Map([["key", target]]), targetWriter(), limits, { callPipeline: 1, hasDisposer: true });
  finishPayload(w, start, at, [{ kind: 2, id: 4, transform: [] }]);
  const batch = w.take();
  return [batch, batch.slice(0, start), batch.slice(start), FOREIGN_CALL, FOREIGN_EXCEPTION];
}

const seeds = realistic();
const seed = fc.oneof(
  fc.constantFrom(...seeds),
  anyMessage.map(encodeFlat),
  fc
    .tuple(call, fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(), { maxLength: 10 }))
    .map(([message, count, picks]) => layOut(readTree(encodeFlat(message), 8), count, chooser(picks))),
);

/** Values that tend to hurt. */
const evil = fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 0x7f, 0x80, 0xfc, 0xfd, 0xfe, 0xff);

describe("hostile frames", () => {
  it("of which nothing was changed are read without an error", () => {
    // A content is params to one reader and results to another, so some of the attempts are bound to fail.
    for (const frame of seeds) expect(digest(frame, true).messages).to.be.greaterThan(0);
    expect(digest(seeds[0] as Uint8Array, true).messages).to.equal(2);
  });

  it("with some bytes changed give messages or DecodeErrors", () => {
    let errors = 0;
    let messages = 0;
    const changes = fc.array(fc.tuple(fc.nat(), fc.oneof(evil, fc.nat(255))), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(seed, changes, fc.boolean(), (original, changes, batched) => {
        const frame = original.slice();
        for (const [at, byte] of changes) frame[at % frame.length] = byte;
        const counts = digest(frame, batched);
        errors += counts.errors;
        messages += counts.messages;
      }),
      { numRuns: 3000 },
    );
    expect(errors).to.be.greaterThan(100);
    expect(messages).to.be.greaterThan(100);
  });

  it("with words exchanged give messages or DecodeErrors", () => {
    fc.assert(
      fc.property(seed, fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 4 }), (original, swaps) => {
        const frame = original.slice();
        const words = frame.length / 8;
        for (const [from, to] of swaps) frame.copyWithin(8 * (to % words), 8 * (from % words), 8 * (from % words) + 8);
        digest(frame, true);
      }),
      { numRuns: 2000 },
    );
  });

  it("cut off anywhere give messages or DecodeErrors", () => {
    for (const whole of seeds) {
      for (let length = 0; length <= whole.length; length++) {
        for (const batched of [true, false]) digest(whole.slice(0, length), batched);
      }
    }
  });

  it("with every byte set to each of the worst values give messages or DecodeErrors", () => {
    for (const whole of seeds.slice(1)) {
      for (let at = 0; at < whole.length; at++) {
        for (const byte of [0, 1, 7, 0x80, 0xff]) {
          const frame = whole.slice();
          frame[at] = byte;
          digest(frame, false);
        }
      }
    }
  });

  it("of nothing but noise give messages or DecodeErrors", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, batched) => {
        digest(noise, batched);
      }),
      { numRuns: 1000 },
    );
    const words = fc.array(fc.tuple(evil, evil, evil), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(words, (words) => {
        // Small halves, so that pointers lead somewhere.
        const frame = new Uint8Array(8 + 8 * words.length);
        frame[4] = words.length;
        words.forEach(([a, b, c], i) => frame.set([a, 0, b, 0, c, 0, i & 1, 0], 8 + 8 * i));
        digest(frame, true);
      }),
      { numRuns: 2000 },
    );
  });
});
