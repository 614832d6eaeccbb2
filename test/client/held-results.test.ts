import { setTimeout as wait } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";
import { RpcTarget, serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";

class Target extends RpcTarget {}

class Api extends WorkerEntrypoint {
  large(): { target: Target; bytes: Uint8Array } {
    return { target: new Target(), bytes: new Uint8Array(1024 * 1024) };
  }
}

describe("client: results that are held", () => {
  it("do not keep the messages that they came in, and neither do links and services", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const frames: WeakRef<ArrayBufferLike>[] = [];
    await using host = await serve({ port: 0, workers: [{ name: "api", module: { default: Api } }] });
    using link = connect(host.url, {
      record: () => ({
        handleOpen: () => {},
        handleSent: () => {},
        handleReceived: (frame) => void (frame.length > 1024 && frames.push(new WeakRef(frame.buffer))),
        handleClosed: () => {},
      }),
    });
    using api = link.service<Api>();
    using result = await api.large();
    const isKept = (): boolean => frames.some((frame) => frame.deref() !== undefined);
    for (let tries = 0; tries < 50 && isKept(); tries++) {
      // A WeakRef holds what it refers to until the turn ends.
      await wait(1);
      collect();
    }
    expect(frames.length).to.be.greaterThan(0);
    expect(isKept()).to.equal(false);
    expect(result.bytes).to.have.length(1024 * 1024);
  });
});
