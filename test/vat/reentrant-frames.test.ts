import { expect } from "chai";
import {
  type Capability,
  Connection,
  type Server,
  type Transport,
  type TransportReceiver,
} from "../../packages/vat/src/index.ts";
import { local, noteEncoder, readNote } from "../support/pair.ts";

/** One end of a pair that hands every frame over within `send`, and tells of the end within `close`. */
class PromptTransport implements Transport {
  readonly batched = true;
  readonly bufferedBytes = 0;
  other: PromptTransport | undefined;
  receiver: TransportReceiver | undefined;
  #isOver = false;

  start(receiver: TransportReceiver): void {
    this.receiver = receiver;
    receiver.handleOpen();
  }

  send(frame: Uint8Array): void {
    this.other?.receiver?.handleFrame(frame.slice());
  }

  schedule(flush: () => void): void {
    queueMicrotask(flush);
  }

  close(_code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.other?.close(1000, reason);
    this.receiver?.handleClosed(reason);
  }
}

describe("vat: a transport that delivers within send", () => {
  const echo: Server = {
    dispatch: (call) => call.returnResults(noteEncoder, { text: readNote(call.params).text }),
  };
  /** Much enough that it goes out at once. */
  const LARGE = "x".repeat(6000);

  function joined() {
    const [a, b] = [new PromptTransport(), new PromptTransport()];
    [a.other, b.other] = [b, a];
    const right = new Connection(b, { bootstrap: local(echo) });
    const left = new Connection(a);
    return { left, right, api: left.bootstrap() };
  }

  /** Calls `api`, and calls it again from within the answer. */
  function callTwice(api: Capability, answered: string[]): Promise<void> {
    return new Promise((done, fail) => {
      const call = (text: string, then: () => void): void => {
        const handleResults = (results: Parameters<typeof readNote>[0]) => {
          answered.push(readNote(results).text);
          results.release();
          then();
        };
        api.call(1, 2, 0, noteEncoder, { text }, { handleResults, handleException: fail });
      };
      call("small", () => call(LARGE, done));
    });
  }

  it("loses no message that came in the middle of others", async () => {
    const { left, api } = joined();
    const answered: string[] = [];
    await Promise.all(Array.from({ length: 20 }, () => callTwice(api, answered)));
    expect(answered.filter((text) => text === "small")).to.have.length(20);
    expect(answered.filter((text) => text === LARGE)).to.have.length(20);
    expect(left.tables.questions).to.equal(0);
  });

  it("tells of the end once what came before is handled", async () => {
    const { left, right, api } = joined();
    let answered = 0;
    const ended = new Promise<void>((resolve) => left.whenClosed(() => resolve()));
    const handleResults = () => {
      // In the middle of the frame that answers all of them.
      if (++answered === 1) right.close();
    };
    for (let i = 0; i < 5; i++)
      api.call(1, 2, 0, noteEncoder, { text: "" }, { handleResults, handleException: () => {} });
    await ended;
    expect(answered).to.equal(5);
  });
});
