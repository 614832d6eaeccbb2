// Section c, from peers that lie: each lie fails its call, and nothing else.
import { expect } from "chai";
import { type Host, serve } from "../../packages/host/src/index.ts";
import type { External, ExternalsWriter, ValueWriter } from "../../packages/wire/src/index.ts";
import { RawPeer } from "./support/raw-call.ts";
import { failure } from "./support/transports.ts";
import { Api } from "./support/values-worker.ts";

/** Stands for the object that the lie is about. */
class Lie {}

/** Writes a Lie with `write`, and claims `externals`. */
function liar(write: (out: ValueWriter) => void, externals: External[] = []): ExternalsWriter {
  return {
    externals,
    writeHostObject: (out) => {
      write(out);
      return true;
    },
  };
}

const missing: [string, number][] = [
  ["stub", 1],
  ["WritableStream", 2],
  ["ReadableStream", 3],
  ["AbortSignal", 9],
  ["promise", 64],
  ["stream of values", 66],
];

const NO_BODY = { value: null };

type Part = number | string | { readonly value: unknown } | { readonly double: number };

/** A host object with these parts: numbers, strings, values, and numbers of eight bytes. */
function object(tag: number, ...parts: Part[]): (out: ValueWriter) => void {
  return (out) => {
    out.writeHostTag(tag);
    for (const part of parts) {
      if (typeof part === "number") out.writeVarint(part);
      else if (typeof part === "string") out.writeString(part);
      else if ("double" in part) out.writeDouble(part.double);
      else out.writeValue(part.value);
    }
  };
}

const malformed: [string, (out: ValueWriter) => void][] = [
  ["Headers that have fewer fields than they say", object(4, 4_000_000_000)],
  ["Headers with a name that no header has", object(4, 1, "a b\n", "")],
  ["a Request to no URL", object(5, "GET", "nonsense", "follow", 0, NO_BODY)],
  ["a Request with an unknown way to follow redirects", object(5, "GET", "http://x.test", "sideways", 0, NO_BODY)],
  ["a Response with a body that is no stream", object(6, 200, "", "", 0, { value: "a body" })],
  ["a Response of an impossible status", object(6, 77_777, "", "", 0, NO_BODY)],
  ["a URL that is none", object(65, "nonsense")],
  ["a Blob of more bytes than there are", object(15, "", 1_000_000_000)],
  ["an encoded Response with a body that is no stream", object(69, 200, "", "", 0, { value: "a body" })],
  ["an encoded Response of an impossible status", object(69, 77_777, "", "", 0, NO_BODY)],
  ["an encoded Response of status 101 without a WebSocket", object(69, 101, "", "", 0, NO_BODY)],
  ["a File of more bytes than there are", object(70, "name", { double: 0 }, "", 1_000_000_000)],
  ["a File without the time of its last change", object(70, "name")],
];

describe("c. Values from a peer that lies", () => {
  let host: Host;
  let peer: RawPeer;

  before(async () => {
    host = await serve({ port: 0, workers: [{ name: "callee", module: { default: Api } }] });
    peer = await RawPeer.open(host.url);
  });

  after(async () => {
    peer.close();
    await host.close();
  });

  /** The lie fails its call with `text`, and the link goes on. */
  async function expectRefusal(lie: ExternalsWriter, text: RegExp): Promise<void> {
    const error = await failure(peer.call(["echo"], [new Lie()], lie));
    expect(error.message).to.match(text);
    expect(peer.closedReason).to.equal(undefined);
    (await peer.call(["echo"], [1])).release();
  }

  for (const [what, tag] of missing) {
    it(`refuses a ${what} that did not come with the message`, async () => {
      await expectRefusal(
        liar((out) => out.writeHostTag(tag)),
        /did not come with it/,
      );
    });

    it(`refuses a ${what} whose place in the cap table is empty, or another's`, async () => {
      for (const kind of [0, 1, 2, 3, 7, 12]) {
        await expectRefusal(
          liar((out) => out.writeHostTag(tag), [{ kind, capIndex: 7 }]),
          /did not come with it/,
        );
      }
    });
  }

  for (const [what, write] of malformed) {
    it(`refuses ${what}`, async () => {
      await expectRefusal(liar(write), /value: |a body that is no stream/);
    });
  }

  it("refuses a host object of unknown kind", async () => {
    await expectRefusal(liar(object(99)), /a value holds a host object of unknown kind 99/);
  });

  it("ends with no invocation alive", () => {
    expect(host.stats().liveInvocations).to.equal(0);
  });
});
