// What a socket makes of a peer that does not keep to bytes.
import { expect } from "chai";
import { acceptSocket } from "../../packages/client/src/serving/index.ts";
import { failure } from "../workers/support/transports.ts";

describe("A socket", () => {
  it("fails its reader where a peer sends what is no bytes, and tells the peer", async () => {
    const text = "A socket takes bytes alone: an ArrayBuffer, or a view of one.";
    let cancelled: unknown;
    const source = new ReadableStream({
      start: (controller) => controller.enqueue("text"),
      cancel: (reason) => void (cancelled = reason),
    });
    const { socket } = acceptSocket(source, new WritableStream(), "h:1");
    expect(await failure(socket.readable.getReader().read()))
      .to.be.instanceOf(TypeError)
      .and.include({ message: text });
    expect((cancelled as Error).message).to.equal(text);
  });
});
