import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";
import { serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";

const MIB = 1024 * 1024;

class Api extends WorkerEntrypoint {
  size(bytes: Uint8Array): number {
    return bytes.length;
  }
}

/** How many bytes of JavaScript's memory `work` copied, in copies of at least 64 KiB. */
async function copiedBytes(work: () => void | Promise<void>): Promise<number> {
  let copied = 0;
  const count = (bytes: number): void => {
    if (bytes >= 64 * 1024) copied += bytes;
  };
  const { set, slice, copyWithin } = Uint8Array.prototype;
  const { concat } = Buffer;
  const { copy } = Buffer.prototype;
  Uint8Array.prototype.set = function (source, at) {
    count(source.length);
    set.call(this, source, at);
  };
  Uint8Array.prototype.slice = function (from, to) {
    const result = slice.call(this, from, to);
    count(result.length);
    return result as Uint8Array<ArrayBuffer>;
  };
  Uint8Array.prototype.copyWithin = function (at, from, to) {
    count((to ?? this.length) - from);
    return copyWithin.call(this, at, from, to);
  };
  Buffer.prototype.copy = function (target: Uint8Array, ...rest: number[]) {
    const bytes = copy.call(this, target, ...rest);
    count(bytes);
    return bytes;
  };
  Buffer.concat = (list, length) => {
    const result = concat(list as Buffer[], length);
    count(result.length);
    return result as Buffer<ArrayBuffer>;
  };
  try {
    await work();
  } finally {
    Object.assign(Uint8Array.prototype, { set, slice, copyWithin });
    Object.assign(Buffer, { concat });
    Object.assign(Buffer.prototype, { copy });
  }
  return copied;
}

describe("client: a large payload on its way out", () => {
  it("is copied once: into its message", async () => {
    await using host = await serve({ port: 0, workers: [{ name: "api", module: { default: Api } }] });
    using link = connect(host.url);
    using api = link.service<Api>();
    expect(await api.size(new Uint8Array(8))).to.equal(8);
    const payload = new Uint8Array(8 * MIB);
    let result: Promise<number> | undefined;
    const copied = await copiedBytes(async () => {
      result = Promise.resolve(api.size(payload));
      // Long enough for the frame to be handed to its socket; nothing is read of it before the next turn.
      await new Promise<void>((done) => process.nextTick(() => process.nextTick(done)));
    });
    expect(copied)
      .to.be.at.least(8 * MIB)
      .and.at.most(8 * MIB + 64 * 1024);
    expect(await result).to.equal(8 * MIB);
  });
});
