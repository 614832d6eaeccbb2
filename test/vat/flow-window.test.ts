import { expect } from "chai";
import { AdaptiveWindow, FlowWindow, fixedWindow } from "../../packages/vat/src/index.ts";

describe("vat: a window of unanswered bytes", () => {
  it("has room until it is full, and again when enough was answered", async () => {
    const window = new FlowWindow(fixedWindow(100));
    const first = window.send(60);
    expect(window.whenRoom()).to.equal(undefined);
    window.send(60);
    let isRoom = false;
    const waiting = window.whenRoom()?.then(() => {
      isRoom = true;
    });
    await Promise.resolve();
    expect(isRoom).to.equal(false);
    first();
    await waiting;
    expect(isRoom).to.equal(true);
    expect(window.unanswered).to.equal(60);
  });

  it("tells everybody who waits, and who comes later, why it failed", async () => {
    const window = new FlowWindow(fixedWindow(1));
    window.send(1);
    const outcomes = [window.whenRoom(), window.whenRoom()];
    window.fail("gone");
    window.fail("later");
    outcomes.push(window.whenRoom());
    for (const outcome of outcomes) {
      let reason: unknown;
      await outcome?.catch((error: unknown) => {
        reason = error;
      });
      expect(reason).to.equal("gone");
    }
  });

  /** Sends as much as the window allows, over a way of `rate` bytes/ms and `delay` ms, for `rounds` answers. */
  function run(window: AdaptiveWindow, rate: number, delay: number, rounds: number): void {
    const size = 1000;
    const inFlight: { readonly at: number; readonly mark: unknown }[] = [];
    let now = 0;
    let free = 0;
    for (let i = 0; i < rounds; i++) {
      while (inFlight.length * size < window.bytes) {
        free = Math.max(free, now) + size / rate;
        inFlight.push({ at: free + delay, mark: window.sent(now) });
      }
      const next = inFlight.shift();
      now = next?.at ?? now;
      window.answered(size, next?.mark, now);
    }
  }

  it("grows to what a long fat way holds, and not without end", () => {
    const window = new AdaptiveWindow(10_000, 10_000_000);
    run(window, 1000, 100, 5000);
    // 1000 bytes/ms times 100 ms, and as much again.
    expect(window.bytes).to.be.within(150_000, 250_000);
  });

  it("stays small on a short way, and within its bounds", () => {
    const small = new AdaptiveWindow(10_000, 10_000_000);
    run(small, 1000, 1, 5000);
    expect(small.bytes).to.be.within(10_000, 30_000);
    const bounded = new AdaptiveWindow(10_000, 50_000);
    run(bounded, 1000, 1000, 5000);
    expect(bounded.bytes).to.equal(50_000);
  });
});
