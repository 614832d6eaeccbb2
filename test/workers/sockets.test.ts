// Sockets that one end closes while somebody still holds their streams.
import { expect } from "chai";
import { WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { eventually, failure, item, onBothTransports, type Untyped } from "./support/transports.ts";

const log: unknown[] = [];

const NO_BYTES = "A socket takes bytes alone: an ArrayBuffer, or a view of one.";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

class Echo extends WorkerEntrypoint {
  override async connect(socket: Untyped): Promise<void> {
    const writer = socket.writable.getWriter();
    for await (const chunk of socket.readable) await writer.write(chunk);
    await writer.close();
    log.push("handler done");
  }
}

class Closing extends WorkerEntrypoint {
  override async connect(socket: Untyped): Promise<void> {
    const writer = socket.writable.getWriter();
    const reader = socket.readable.getReader();
    log.push(new TextDecoder().decode((await reader.read()).value));
    for (let i = 0; i < 10; i++) writer.write(encode(`${i}`)).catch(() => {});
    await socket.close();
    log.push((await reader.read()).done, (await failure(writer.write(encode("late")))).message);
  }
}

class Counting extends WorkerEntrypoint {
  override async connect(socket: Untyped): Promise<void> {
    let text = "";
    for await (const chunk of socket.readable) text += new TextDecoder().decode(chunk);
    log.push(text);
  }
}

/** Notes what arrives, and answers with bytes of every kind. */
class Kinds extends WorkerEntrypoint {
  override async connect(socket: Untyped): Promise<void> {
    for await (const chunk of socket.readable) log.push(chunk);
    const writer = socket.writable.getWriter();
    for (const chunk of kinds) await writer.write(chunk);
    await writer.close();
  }
}

/** Writes what is no bytes. */
class Talking extends WorkerEntrypoint {
  override async connect(socket: Untyped): Promise<void> {
    await socket.writable.getWriter().write("text");
  }
}

/** Ends its direction, and goes on reading. */
class Finishing extends WorkerEntrypoint {
  override async connect(socket: Untyped): Promise<void> {
    await socket.writable.close();
    for await (const chunk of socket.readable) log.push(new TextDecoder().decode(chunk));
    log.push("handler done");
  }
}

class Failing extends WorkerEntrypoint {
  override connect(): never {
    throw new RangeError("not today");
  }
}

/** Echoes, and notes what it got up to the end. */
class Noting extends WorkerEntrypoint {
  override async connect(socket: Untyped): Promise<void> {
    let text = "";
    const writer = socket.writable.getWriter();
    for await (const chunk of socket.readable) {
      text += new TextDecoder().decode(chunk);
      await writer.write(chunk).catch(() => {});
    }
    log.push(text);
  }
}

/** Asks one question, and leaves its socket as it is. */
class Leaving extends WorkerEntrypoint<Untyped> {
  async ask(): Promise<string> {
    const socket = (this.ctx.exports as Untyped).default.connect("h:1");
    await socket.opened;
    await socket.writable.getWriter().write(encode("hello"));
    return new TextDecoder().decode((await socket.readable.getReader().read()).value);
  }
  /** Waits for nothing. */
  hurry(): void {
    const socket = this.env.BEYOND.connect("h:1");
    socket.writable.getWriter().write(encode("hurried"));
    socket.close();
  }
  async askOther(): Promise<string> {
    const socket = this.env.BEYOND.connect("h:1");
    await socket.writable.getWriter().write(encode("hello"));
    return new TextDecoder().decode((await socket.readable.getReader().read()).value);
  }
}

class Empty extends WorkerEntrypoint {}

const kinds = [Uint8Array.of(1, 2).buffer, Uint16Array.of(3), new DataView(Uint8Array.of(4, 5, 6).buffer, 1)];
const asBytes = [Uint8Array.of(1, 2), new Uint8Array(Uint16Array.of(3).buffer), Uint8Array.of(5, 6)];

onBothTransports(
  "g. Sockets",
  { default: Echo, Closing, Counting, Kinds, Talking, Finishing, Failing, Leaving, Empty },
  (stage) => {
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

      it("reads into buffers that the reader brings, to the end", async () => {
        const socket = stage.api.connect("h:1");
        const writer = socket.writable.getWriter();
        await writer.write(encode("hello"));
        await writer.close();
        const reader = socket.readable.getReader({ mode: "byob" });
        let text = "";
        for (;;) {
          const { done, value } = await reader.read(new Uint8Array(2));
          if (done) break;
          text += new TextDecoder().decode(value);
        }
        expect(text).to.equal("hello");
        await socket.closed;
      });

      it("ends a read into the reader's own buffer that waits while the other end closes", async () => {
        const socket = stage.api.connect("h:1");
        const writer = socket.writable.getWriter();
        const reader = socket.readable.getReader({ mode: "byob" });
        await writer.write(encode("hi"));
        expect(new TextDecoder().decode((await reader.read(new Uint8Array(2))).value)).to.equal("hi");
        const pending = reader.read(new Uint8Array(2));
        await writer.close();
        const { done, value } = await pending;
        expect([done, value.length]).to.deep.equal([true, 0]);
        await socket.closed;
      });

      it("passes over empty chunks", async () => {
        const socket = stage.api.connect("h:1");
        const writer = socket.writable.getWriter();
        for (const text of ["", "a", "", "b"]) await writer.write(encode(text));
        await writer.close();
        expect(await new Response(socket.readable).text()).to.equal("ab");
      });

      it("carries all kinds of buffers as bytes", async () => {
        const socket = stage.env.Kinds.connect("h:1");
        const writer = socket.writable.getWriter();
        for (const chunk of kinds) await writer.write(chunk);
        await writer.close();
        const received = [];
        for await (const chunk of socket.readable) received.push(chunk);
        expect([log, received]).to.deep.equal([asBytes, asBytes]);
        await socket.closed;
      });

      for (const chunk of ["text", 5, { a: 1 }, null]) {
        it(`breaks where ${JSON.stringify(chunk)} is written, which is no bytes`, async () => {
          const socket = stage.api.connect("h:1");
          const error = await failure(socket.writable.getWriter().write(chunk));
          expect(error).to.be.instanceOf(TypeError).and.include({ message: NO_BYTES });
          expect((await failure(socket.readable.getReader().read())).message).to.equal(NO_BYTES);
          expect((await failure(socket.closed)).message).to.equal(NO_BYTES);
          await eventually(() => stage.reports.length === 1);
          expect((stage.reports[0] as Error).message).to.equal(NO_BYTES);
        });
      }

      it("breaks where the handler writes what is no bytes", async () => {
        const socket = stage.env.Talking.connect("h:1");
        expect((await failure(socket.readable.getReader().read())).message).to.equal(NO_BYTES);
        expect((await failure(socket.closed)).message).to.equal(NO_BYTES);
        await eventually(() => stage.reports.length === 1);
      });

      it("is closed in order where the handler closes it", async () => {
        for (const hasData of [false, true]) {
          log.length = 0;
          const socket = stage.env.Closing.connect("h:1");
          const writer = socket.writable.getWriter();
          await writer.write(encode("hello"));
          if (hasData) for (let i = 0; i < 100; i++) writer.write(encode("more")).catch(() => {});
          expect(await new Response(socket.readable).text()).to.equal("0123456789");
          await socket.closed;
          expect((await failure(writer.write(encode("late")))).message).to.equal("This socket was closed.");
        }
      });

      it("is closed when the other end ends, unless it may stay half open", async () => {
        const whole = stage.env.Finishing.connect("h:1");
        expect(await new Response(whole.readable).text()).to.equal("");
        await whole.closed;
        await eventually(() => log.length === 1);
        const half = stage.env.Finishing.connect("h:1", { allowHalfOpen: true });
        expect(await new Response(half.readable).text()).to.equal("");
        const writer = half.writable.getWriter();
        await writer.write(encode("still here"));
        await writer.close();
        await half.closed;
        await eventually(() => log.length === 3);
        expect(log).to.deep.equal(["handler done", "still here", "handler done"]);
      });

      it("goes on writing where nothing is read any more", async () => {
        const socket = stage.env.Counting.connect("h:1");
        await socket.readable.cancel();
        const writer = socket.writable.getWriter();
        for (const text of ["a", "b"]) await writer.write(encode(text));
        await writer.close();
        await eventually(() => log.length === 1);
        expect(log).to.deep.equal(["ab"]);
      });

      for (const [name, text] of [
        ["Empty", "Handler does not export a connect() function."],
        ["Failing", "not today"],
      ]) {
        it(`fails in all its parts with what it was refused with: ${text}`, async () => {
          const socket = stage.env[name as string].connect("h:1");
          const reading = failure(socket.readable.getReader().read());
          const writing = failure(socket.writable.getWriter().closed);
          for (const part of [failure(socket.opened), failure(socket.closed), reading, writing]) {
            expect((await part).message).to.equal(text);
          }
        });
      }

      it("is broken where its invocation ends and has not closed it", async () => {
        expect(await stage.env.Leaving.ask()).to.equal("hello");
        expect(await stage.env.Leaving.askOther()).to.equal("hello");
        await stage.idle();
        await eventually(() => stage.reports.length === 2);
        for (const error of stage.reports) expect((error as Error).message).to.equal("Network connection lost.");
      });

      it("delivers what its invocation wrote before it closed it, and waited for neither", async () => {
        await stage.env.Leaving.hurry();
        await eventually(() => log.length > 0);
        expect(log).to.deep.equal(["hurried"]);
        await stage.idle();
        expect(stage.reports).to.deep.equal([]);
      });

      it("has no TLS to start between Workers", async () => {
        const socket = stage.api.connect("h:1");
        expect([socket.secureTransport, socket.upgraded]).to.deep.equal(["off", false]);
        expect(() => socket.startTls()).to.throw(TypeError, "must be set to 'starttls'");
        await socket.close();
      });
    });
  },
  { beyond: { default: Noting } },
);
