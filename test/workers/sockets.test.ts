// Sockets that one end closes while somebody still holds their streams.
import { expect } from "chai";
import { WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { eventually, failure, item, onBothTransports, type Untyped } from "./support/transports.ts";

const log: unknown[] = [];

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

class Echo extends WorkerEntrypoint {
  async connect(socket: Untyped): Promise<void> {
    const writer = socket.writable.getWriter();
    for await (const chunk of socket.readable) await writer.write(chunk);
    await writer.close();
    log.push("handler done");
  }
}

class Closing extends WorkerEntrypoint {
  async connect(socket: Untyped): Promise<void> {
    const writer = socket.writable.getWriter();
    const reader = socket.readable.getReader();
    log.push(new TextDecoder().decode((await reader.read()).value));
    for (let i = 0; i < 10; i++) writer.write(encode(`${i}`)).catch(() => {});
    await socket.close();
    log.push((await reader.read()).done, (await failure(writer.write(encode("late")))).message);
  }
}

class Counting extends WorkerEntrypoint {
  async connect(socket: Untyped): Promise<void> {
    let text = "";
    for await (const chunk of socket.readable) text += new TextDecoder().decode(chunk);
    log.push(text);
  }
}

onBothTransports("g. Sockets", { default: Echo, Closing, Counting }, (stage) => {
  beforeEach(() => {
    log.length = 0;
  });
  afterEach(() => stage.idle());

  item("g.1", () => {
    it("closes while a writer and a reader are held", async () => {
      const socket = stage.api.connect("h:1");
      const writer = socket.writable.getWriter();
      const reader = socket.readable.getReader();
      await writer.write(encode("hello"));
      expect(new TextDecoder().decode((await reader.read()).value)).to.equal("hello");
      const pending = reader.read();
      await socket.close();
      await socket.closed;
      expect((await pending).done).to.equal(true);
      expect((await failure(writer.write(encode("late")))).message).to.equal("This socket was closed.");
      await eventually(() => log.length === 1);
      expect(log).to.deep.equal(["handler done"]);
    });

    it("delivers what was written before it was closed", async () => {
      const socket = stage.env.Counting.connect("h:1");
      const writer = socket.writable.getWriter();
      for (let i = 0; i < 10; i++) writer.write(encode(`${i}`)).catch(() => {});
      await socket.close();
      await eventually(() => log.length === 1);
      expect(log).to.deep.equal(["0123456789"]);
    });

    it("lets the handler close while both ends hold their streams", async () => {
      const socket = stage.env.Closing.connect("h:1");
      const writer = socket.writable.getWriter();
      const reader = socket.readable.getReader();
      await writer.write(encode("hello"));
      let text = "";
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        text += new TextDecoder().decode(next.value);
      }
      expect(text).to.equal("0123456789");
      await eventually(() => log.length === 3);
      expect(log).to.deep.equal(["hello", true, "This socket was closed."]);
    });

    it("has no TLS to start between Workers", async () => {
      const socket = stage.api.connect("h:1");
      expect([socket.secureTransport, socket.upgraded]).to.deep.equal(["off", false]);
      expect(() => socket.startTls()).to.throw(TypeError, "must be set to 'starttls'");
      await socket.close();
    });
  });
});
