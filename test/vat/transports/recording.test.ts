import { expect } from "chai";
import {
  Connection,
  MemoryTransport,
  RecordingTransport,
  type TrafficListener,
} from "../../../packages/vat/src/index.ts";
import { Keeper, local, start } from "../../support/pair.ts";

class Log implements TrafficListener {
  readonly lines: string[] = [];
  handleOpen(batched: boolean): void {
    this.lines.push(`open ${batched}`);
  }
  handleSent(frame: Uint8Array): void {
    this.lines.push(`sent ${frame.length}`);
  }
  handleReceived(frame: Uint8Array): void {
    this.lines.push(`received ${frame.length}`);
  }
  handleClosed(reason: string): void {
    this.lines.push(`closed ${reason}`);
  }
}

describe("vat: a recorded transport", () => {
  it("tells of everything that passes, each frame before it is handed on, and once of the end", async () => {
    const log = new Log();
    const [near, far] = MemoryTransport.pair({ manual: true, batched: false });
    const keeper = new Keeper();
    const left = new Connection(new RecordingTransport(near, log));
    const right = new Connection(far, { bootstrap: local(keeper) });
    const { outcome } = start(left.bootstrap(), 0, { text: "hello" });
    near.flush();
    expect(log.lines).to.deep.equal(["open false", "sent 40", `sent ${near.inFlight[1]?.length}`]);
    while (near.deliver());
    keeper.answer({ text: "bye" });
    far.flush();
    const sizes = far.inFlight.map((frame) => `received ${frame.length}`);
    while (far.deliver());
    expect(outcome.result?.text).to.equal("bye");
    expect(log.lines.slice(3)).to.deep.equal(sizes);
    left.close("enough");
    const count = log.lines.length;
    expect(log.lines.at(-1)).to.equal("closed enough");
    right.close("too");
    await new Promise((done) => setTimeout(done, 1));
    expect(log.lines).to.have.length(count);
  });

  it("tells why the other end closed", async () => {
    const log = new Log();
    const [near, far] = MemoryTransport.pair();
    new Connection(new RecordingTransport(near, log));
    new Connection(far).close("gone");
    await new Promise((done) => setTimeout(done, 1));
    expect(log.lines).to.deep.equal(["open true", "closed gone"]);
  });

  it("lets its connection know of what cannot be frames", () => {
    const log = new Log();
    const [near] = MemoryTransport.pair({ manual: true });
    const recording = new RecordingTransport(near, log);
    const connection = new Connection(recording);
    recording.handleMalformed("no frames");
    expect(connection.closedReason?.message).to.equal("no frames");
    expect(log.lines.at(-1)).to.equal("closed no frames");
  });
});
