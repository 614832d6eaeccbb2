// What waits for a peer that does not read, and what a peer may have of this vat, is bounded.
import { expect } from "chai";
import { Connection, type Transport, type TransportReceiver } from "../../packages/vat/src/index.ts";
import {
  ExceptionType,
  FrameReader,
  type LimitOptions,
  MessageKind,
  type RpcMessage,
  resolveLimits,
} from "../../packages/wire/src/index.ts";
import { Keeper, local, type noteEncoder, Outcome, Pair, start } from "../support/pair.ts";
import { bootstrap, call, finish, frame } from "../support/raw-messages.ts";
import { RawPeer } from "../support/raw-peer.ts";

const LIMITS = resolveLimits();

/** A transport of which nobody takes anything, until the test does. */
class Clogged implements Transport {
  readonly batched = true;
  readonly frames: Uint8Array[] = [];
  readonly #opens: boolean;
  receiver: TransportReceiver | undefined;

  constructor(opens: boolean) {
    this.#opens = opens;
  }
  get bufferedBytes(): number {
    return this.frames.reduce((sum, bytes) => sum + bytes.length, 0);
  }
  start(receiver: TransportReceiver): void {
    this.receiver = receiver;
    if (this.#opens) receiver.handleOpen();
  }
  send(bytes: Uint8Array): void {
    this.frames.push(bytes);
  }
  schedule(flush: () => void): void {
    queueMicrotask(flush);
  }
  close(): void {}
}

/** A vat whose peer reads only what the test takes. */
function unread(limits: LimitOptions, opens = true) {
  const transport = new Clogged(opens);
  const keeper = new Keeper();
  const connection = new Connection(transport, { bootstrap: local(keeper), limits });
  /** What was sent since, all of it. */
  const read = (): RpcMessage[] => {
    const messages: RpcMessage[] = [];
    const reader = new FrameReader(LIMITS, { batched: true });
    for (const bytes of transport.frames.splice(0)) {
      reader.open(bytes);
      for (let next = reader.next(); next !== undefined; next = reader.next()) messages.push(next);
    }
    return messages;
  };
  const feed = (bytes: Uint8Array): void => transport.receiver?.handleFrame(bytes);
  return { transport, keeper, connection, read, feed };
}

const KIB = 1024;
const text = "x".repeat(10 * KIB);
const flushed = (): Promise<void> => new Promise((done) => setImmediate(done));

describe("vat: quotas", () => {
  it("refuse calls of a peer that does not read its answers, until it does", async () => {
    const { keeper, read, feed, connection } = unread({ maxBufferedBytes: 15 * KIB });
    feed(frame(bootstrap(0), call(1, { question: 0 }), call(2, { question: 0 })));
    keeper.answer({ text });
    keeper.answer({ text });
    await flushed();
    feed(frame(call(3, { question: 0 })));
    await flushed();
    const refused = read().find((message) => message.kind === MessageKind.return && message.answerId === 3);
    expect(refused?.kind === MessageKind.return && refused.exception?.type).to.equal(ExceptionType.overloaded);
    feed(frame(finish(3), call(4, { question: 0 })));
    expect(keeper.calls).to.have.length(1);
    expect(connection.closedReason).to.equal(undefined);
  });

  it("end the link to a peer that sends on and on and does not read", async () => {
    const { keeper, feed, connection } = unread({ maxBufferedBytes: 15 * KIB });
    feed(frame(bootstrap(0), ...[1, 2, 3, 4].map((id) => call(id, { question: 0 }))));
    for (let i = 0; i < 4; i++) keeper.answer({ text });
    feed(frame(finish(0)));
    expect(connection.closedReason?.message).to.match(/sends, and does not read/);
  });

  it("end the link to a peer that reads none of the answers that it is given one after the other", async () => {
    const { transport, keeper, feed, connection } = unread({ maxBufferedBytes: 15 * KIB });
    feed(frame(bootstrap(0), ...Array.from({ length: 100 }, (_, i) => call(i + 1, { question: 0 }))));
    for (let i = 0; i < 100; i++) {
      keeper.answer({ text });
      await flushed();
    }
    expect(connection.closedReason?.message).to.equal("The peer does not read what is sent to it.");
    expect(transport.bufferedBytes).to.be.lessThan(60 * KIB);
    expect(Object.values(connection.tables)).to.deep.equal([0, 0, 0, 0, 0]);
  });

  it("refuse own calls over what waits for the link to open, or for the network", async () => {
    for (const opens of [true, false]) {
      const { connection, transport } = unread({ maxBufferedBytes: 15 * KIB, maxQueuedBytes: 15 * KIB }, opens);
      const api = connection.bootstrap();
      const outcomes = [0, 0, 0].map(() => start(api, 0, { text }).outcome);
      await flushed();
      expect(outcomes.map((outcome) => outcome.error?.type)).to.deep.equal([
        undefined,
        undefined,
        ExceptionType.overloaded,
      ]);
      transport.frames.length = 0;
      transport.receiver?.handleOpen();
      await flushed();
      transport.frames.length = 0;
      const { outcome } = start(api, 0, { text });
      await flushed();
      expect(outcome.error).to.equal(undefined);
    }
  });

  it("let a single call pass, however large", () => {
    const pair = new Pair({ limits: { maxCallBytesInFlight: 1000 } });
    const api = pair.left.bootstrap();
    const large = start(api, 0, { text });
    const second = start(api, 0);
    pair.settle();
    expect(pair.keeper.log).to.deep.equal([text]);
    expect(second.outcome.error?.type).to.equal(ExceptionType.overloaded);
    pair.keeper.answer({ text: "done" });
    pair.settle();
    expect(large.outcome.result?.text).to.equal("done");
  });

  it("count what is asked for by Bootstrap like calls", () => {
    const victim = new RawPeer({ maxAnswers: 3 });
    victim.send(bootstrap(0), bootstrap(1), bootstrap(2));
    expect(victim.connection.closedReason).to.equal(undefined);
    victim.send(bootstrap(3));
    expect(victim.connection.closedReason?.message).to.contain("3 calls on this link were not finished");
  });

  it("of exports count nothing of a message that is over them", () => {
    const pair = new Pair({ limits: { maxExports: 3 } });
    const api = pair.left.bootstrap();
    const objects = [1, 2, 3, 4].map(() => new Keeper());
    const caps = objects.map(local);
    const encode = (count: number): void => {
      const encoder: typeof noteEncoder = {
        encode: (out) => {
          for (const cap of caps.slice(0, count)) out.addCapability(cap);
        },
      };
      api.call(1, 2, 0, encoder, { text: "" }, new Outcome());
    };
    encode(1);
    expect(() => encode(4)).to.throw("holds 3 exported capabilities");
    expect(pair.left.tables.exports).to.equal(1);
    encode(3);
    expect(pair.left.tables.exports).to.equal(3);
    for (const cap of caps) cap.release();
    expect(objects.map((object) => object.released)).to.deep.equal([0, 0, 0, 1]);
  });
});
