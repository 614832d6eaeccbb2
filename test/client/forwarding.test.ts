// Peers that forward a pushed stream or signal to itself: the stream fails, and nothing else.
import { expect } from "chai";
import { PusherServer } from "../../packages/client/src/serving/index.ts";
import {
  type Capability,
  LocalCapability,
  type PayloadEncoder,
  PromiseCapability,
  type ReceivedPayload,
} from "../../packages/vat/src/index.ts";
import * as wire from "../../packages/wire/src/index.ts";

const limits = wire.resolveLimits();

const nothing: PayloadEncoder<undefined> = { encode: (out) => wire.writeNothing(out.writer, out.at) };
const push: PayloadEncoder<undefined> = { encode: (out) => wire.writePushParams(out.writer, out.at, undefined) };
const forward: PayloadEncoder<Capability> = {
  encode: (out, cap) => wire.writeCapabilityParams(out.writer, out.at, out.addCapability(cap)),
};
const bytes: PayloadEncoder<Uint8Array> = { encode: (out, chunk) => wire.writeBytesParams(out.writer, out.at, chunk) };

/** Makes a call; resolves to its results, which are not released, or rejects. */
function ask<T>(
  cap: Capability,
  [high, low, method]: readonly [number, number, number],
  encoder: PayloadEncoder<T>,
  content: T,
): Promise<ReceivedPayload> {
  return new Promise((handleResults, handleException) => {
    cap.call(high, low, method, encoder, content, { handleResults, handleException });
  });
}

const FORWARD = [wire.SOURCE_ID_HIGH, wire.SOURCE_ID_LOW, wire.SOURCE_FORWARD_TO_METHOD] as const;
const WRITE = [wire.BYTE_STREAM_ID_HIGH, wire.BYTE_STREAM_ID_LOW, wire.BYTE_STREAM_WRITE_METHOD] as const;
const WATCH = [wire.WATCHED_ID_HIGH, wire.WATCHED_ID_LOW, wire.WATCHED_CLOSED_METHOD] as const;
const RELEASE = [wire.ABORT_TRIGGER_ID_HIGH, wire.ABORT_TRIGGER_ID_LOW, wire.ABORT_TRIGGER_RELEASE_METHOD] as const;

describe("Forwarding a pushed stream or signal", () => {
  const pusher = new LocalCapability(new PusherServer(limits), limits);

  /** Pushes; returns what is mentioned, and what is written into. */
  async function pushed(method: number, encoder: PayloadEncoder<undefined>): Promise<[Capability, Capability]> {
    const ids = [wire.EXTERNAL_PUSHER_ID_HIGH, wire.EXTERNAL_PUSHER_ID_LOW, method] as const;
    const results = await ask(pusher, ids, encoder, undefined);
    return [results.cap(0) as Capability, results.cap(1) as Capability];
  }

  const pushStream = (): Promise<[Capability, Capability]> =>
    pushed(wire.EXTERNAL_PUSHER_PUSH_BYTE_STREAM_METHOD, push);
  const pushSignal = (): Promise<[Capability, Capability]> =>
    pushed(wire.EXTERNAL_PUSHER_PUSH_ABORT_SIGNAL_METHOD, nothing);

  async function expectCircle(asked: Promise<unknown>, text = /in a circle/): Promise<void> {
    const error = await asked.then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.message).to.match(text);
  }

  it("refuses a stream's own end", async () => {
    const [source, sink] = await pushStream();
    (await ask(source, FORWARD, forward, sink)).release();
    await expectCircle(ask(sink, WRITE, bytes, new Uint8Array(1)));
  });

  it("breaks a stream whose end turns out to be its own", async () => {
    const [source, sink] = await pushStream();
    const promise = new PromiseCapability(limits);
    (await ask(source, FORWARD, forward, promise)).release();
    const watched = ask(sink, WATCH, nothing, undefined);
    const written = ask(sink, WRITE, bytes, new Uint8Array(1));
    promise.resolve(sink.addRef());
    await expectCircle(Promise.race([watched.then(() => written), written]));
    await expectCircle(ask(sink, WRITE, bytes, new Uint8Array(1)));
  });

  it("breaks two streams that lead to each other", async () => {
    const [one, intoOne] = await pushStream();
    const [two, intoTwo] = await pushStream();
    (await ask(one, FORWARD, forward, intoTwo)).release();
    (await ask(two, FORWARD, forward, intoOne)).release();
    await expectCircle(ask(intoOne, WRITE, bytes, new Uint8Array(1)));
  });

  it("breaks signals that lead to themselves", async () => {
    const [one, intoOne] = await pushSignal();
    (await ask(one, FORWARD, forward, intoOne)).release();
    (await ask(intoOne, RELEASE, nothing, undefined)).release();
    const [two, intoTwo] = await pushSignal();
    const [three, intoThree] = await pushSignal();
    (await ask(two, FORWARD, forward, intoThree)).release();
    (await ask(three, FORWARD, forward, intoTwo)).release();
    await expectCircle(ask(intoTwo, RELEASE, nothing, undefined));
  });
});
