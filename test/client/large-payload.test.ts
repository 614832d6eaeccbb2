import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";
import { serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { copiedBytes } from "../support/copied-bytes.ts";

const MIB = 1024 * 1024;

class Api extends WorkerEntrypoint {
  size(bytes: Uint8Array): number {
    return bytes.length;
  }
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
