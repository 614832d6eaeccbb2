// A peer that sends very much, or leaves very much behind, gets it in many turns of the event loop.
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import {
  BrokenCapability,
  Connection,
  type IncomingCall,
  PromiseCapability,
  RpcError,
  type Server,
  type Transport,
  type TransportReceiver,
} from "../../packages/vat/src/index.ts";
import { Keeper, local, start } from "../support/pair.ts";
import { bootstrap, call, finish, frame, senderHosted } from "../support/raw-messages.ts";

/** Far more than one turn takes, with calls that take this long each. */
const CALLS = 500;
const CALL_MS = 0.1;

/** A transport into which the test puts frames, and which it may hold back or not. */
class Fed implements Transport {
  readonly batched = true;
  readonly bufferedBytes = 0;
  readonly held: boolean[] = [];
  readonly hold: Transport["hold"];
  receiver: TransportReceiver | undefined;

  constructor(canHold: boolean) {
    this.hold = canHold ? (isHeld) => this.held.push(isHeld) : undefined;
  }
  start(receiver: TransportReceiver): void {
    this.receiver = receiver;
    receiver.handleOpen();
  }
  send(): void {}
  schedule(flush: () => void): void {
    queueMicrotask(flush);
  }
  close(): void {}
}

/** Takes its time, and notes in which order calls come. */
class Slow implements Server {
  readonly seen: number[] = [];
  released = 0;

  dispatch(incoming: IncomingCall): void {
    this.seen.push(incoming.methodId);
    const end = performance.now() + CALL_MS;
    while (performance.now() < end);
    incoming.returnException(RpcError.failed("seen"));
  }
  release(): void {
    this.released++;
  }
}

function serving(canHold: boolean) {
  const slow = new Slow();
  const transport = new Fed(canHold);
  const connection = new Connection(transport, { bootstrap: local(slow) });
  const feed = (...frames: Uint8Array[]): void => {
    for (const bytes of frames) transport.receiver?.handleFrame(bytes);
  };
  feed(frame(bootstrap(0)));
  return { slow, transport, connection, feed };
}

/** Calls of methods `from` to `to` - 1, in one frame. */
function calls(from: number, to: number): Uint8Array {
  const ids = Array.from({ length: to - from }, (_, i) => from + i);
  return Buffer.concat(ids.map((id) => frame(call(id + 1, { question: 0 }, { methodId: id }))));
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

async function until(isSo: () => boolean): Promise<void> {
  for (let turns = 0; turns < 100_000 && !isSo(); turns++) await turn();
}

describe("vat: long work in many turns", () => {
  it("leaves the rest of a long frame, and the frames behind it, to later turns, and keeps their order", async () => {
    const { slow, transport, feed } = serving(true);
    feed(calls(0, CALLS), calls(CALLS, CALLS + 10));
    expect(slow.seen.length).to.be.lessThan(CALLS);
    expect(transport.held).to.deep.equal([true]);
    await turn();
    feed(calls(CALLS + 10, CALLS + 11));
    await until(() => slow.seen.length === CALLS + 11);
    expect(slow.seen).to.deep.equal(upTo(CALLS + 11));
    expect(transport.held).to.deep.equal([true, false]);
    feed(calls(CALLS + 11, CALLS + 12));
    expect(slow.seen).to.have.length(CALLS + 12);
  });

  it("counts many frames of one turn as one", () => {
    const { slow, transport, feed } = serving(true);
    for (let id = 0; id < CALLS; id++) feed(calls(id, id + 1));
    expect(slow.seen.length).to.be.lessThan(CALLS);
    expect(transport.held).to.deep.equal([true]);
  });

  it("handles everything at once where a transport cannot be held back", () => {
    const { slow, feed } = serving(false);
    feed(calls(0, CALLS));
    expect(slow.seen).to.deep.equal(upTo(CALLS));
  });

  it("handles what came before the link ended", async () => {
    const { slow, transport, connection, feed } = serving(true);
    feed(calls(0, CALLS));
    transport.receiver?.handleClosed("gone");
    expect(connection.closedReason).to.equal(undefined);
    await until(() => connection.closedReason !== undefined);
    expect(slow.seen).to.deep.equal(upTo(CALLS));
    expect(connection.closedReason?.message).to.match(/gone/);
  });

  it("drops what waits, and holds nothing back any more, when this end closes", async () => {
    const { slow, transport, connection, feed } = serving(true);
    feed(calls(0, CALLS));
    const seen = slow.seen.length;
    connection.close();
    expect(transport.held).to.deep.equal([true, false]);
    await turn();
    await turn();
    expect(slow.seen).to.have.length(seen);
  });

  it("aborts for what is malformed in a later turn, too", async () => {
    const { slow, transport, connection, feed } = serving(true);
    feed(Buffer.concat([calls(0, CALLS), frame(finish(999))]), new Uint8Array(4));
    await until(() => connection.closedReason !== undefined);
    expect(slow.seen).to.deep.equal(upTo(CALLS));
    expect(transport.held).to.deep.equal([true, false]);
  });

  it("handles what came before what cannot be frames, and nothing behind it", async () => {
    const { slow, transport, connection, feed } = serving(true);
    feed(calls(0, CALLS), calls(CALLS, CALLS + 10));
    transport.receiver?.handleMalformed("no frame");
    feed(calls(CALLS + 10, CALLS + 20));
    expect(connection.closedReason).to.equal(undefined);
    await until(() => connection.closedReason !== undefined);
    expect(connection.closedReason?.message).to.equal("no frame");
    expect(slow.seen).to.deep.equal(upTo(CALLS + 10));
    expect(transport.held).to.deep.equal([true, false]);
  });

  it("ends tens of thousands of table entries in later turns, all of them", async () => {
    const pending = 20_000;
    const waiting: IncomingCall[] = [];
    const transport = new Fed(false);
    const server: Server = { dispatch: (incoming) => void waiting.push(incoming), release: () => {} };
    const connection = new Connection(transport, { bootstrap: local(server), limits: { maxCallsInFlight: pending } });
    let cancelled = 0;
    transport.receiver?.handleFrame(frame(bootstrap(0)));
    transport.receiver?.handleFrame(calls(0, pending));
    for (const incoming of waiting) incoming.onCancel = () => cancelled++;
    const closed = new Promise<void>((done) => connection.whenClosed(() => done()));
    connection.close();
    expect(connection.tables).to.deep.equal({ questions: 0, answers: 0, imports: 0, exports: 0, embargoes: 0 });
    expect(cancelled).to.be.greaterThan(0).and.lessThan(pending);
    await closed;
    expect(cancelled).to.equal(pending);
  });

  it("gives all links together no more than one of them gets", async () => {
    await turn();
    await turn();
    const links = Array.from({ length: 10 }, () => serving(true));
    for (const { feed } of links) feed(calls(0, CALLS));
    const seen = () => links.map(({ slow }) => slow.seen.length);
    const [first = 0, ...others] = seen();
    // Until they first look at the clock.
    for (const count of others) expect(count).to.be.lessThan(first);
    const before = seen().reduce((sum, count) => sum + count);
    await turn();
    // What one link alone gets in two turns: `turn` may come before the first of those.
    const most = 2 * (5 / CALL_MS + 128);
    expect(seen().reduce((sum, count) => sum + count) - before).to.be.lessThan(most);
    await until(() => Math.max(...seen()) >= CALLS / 2);
    expect(Math.min(...seen())).to.be.greaterThan(CALLS / 8);
    await until(() => seen().every((count) => count === CALLS));
    for (const { slow, transport } of links) {
      expect(slow.seen).to.deep.equal(upTo(CALLS));
      expect(transport.held).to.deep.equal([true, false]);
    }
  });

  it("counts what a call holds among what ends in one turn", async () => {
    const transport = new Fed(false);
    const waiting: IncomingCall[] = [];
    const server: Server = { dispatch: (incoming) => void waiting.push(incoming) };
    const connection = new Connection(transport, { bootstrap: local(server) });
    transport.receiver?.handleFrame(frame(bootstrap(0)));
    for (let id = 1; id <= 10; id++) {
      const caps = Array.from({ length: 2000 }, (_, i) => senderHosted(id * 2000 + i));
      transport.receiver?.handleFrame(frame(call(id, { question: 0 }, { caps })));
    }
    let cancelled = 0;
    for (const incoming of waiting) incoming.onCancel = () => cancelled++;
    const closed = new Promise<void>((done) => connection.whenClosed(() => done()));
    connection.close();
    expect(cancelled).to.be.greaterThan(0).and.lessThan(5);
    await closed;
    expect(cancelled).to.equal(10);
  });

  it("fails what waits for a promise that breaks in later turns, all of it", async () => {
    const promise = new PromiseCapability();
    const outcomes = upTo(10_000).map(() => start(promise, 0).outcome);
    promise.resolve(new BrokenCapability(RpcError.failed("lost")));
    const failed = () => outcomes.filter(({ error }) => error !== undefined).length;
    // A sink hears with the microtasks.
    await Promise.resolve();
    expect(failed()).to.be.greaterThan(0).and.lessThan(10_000);
    await until(() => failed() === 10_000);
    expect(outcomes.every(({ error }) => error?.message === "lost")).to.equal(true);
    promise.release();
  });

  it("keeps the order of calls on a promise, however many wait", async () => {
    const slow = new Keeper();
    const target = local(slow);
    const promise = new PromiseCapability();
    for (const id of upTo(10_000)) start(promise, 0, { text: String(id) });
    promise.resolve(target.addRef());
    start(promise, 0, { text: "10000" });
    start(target, 0, { text: "10001" });
    await until(() => slow.log.length === 10_002);
    expect(slow.log).to.deep.equal(upTo(10_002).map(String));
  });
});
