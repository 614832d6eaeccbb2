// Streams that outlive what they came with, that hold more than bytes, and that are too many or too much.
import { expect } from "chai";
import { RpcTarget, WebSocketPair, WorkerEntrypoint, WorkerResponse } from "../../packages/host/src/index.ts";
import { deferred, eventually, failure, item, onBothTransports, type Untyped } from "./support/transports.ts";

const WRITABLE_LOST =
  "WritableStream received over RPC was disconnected because the remote execution context has ended.";
const READABLE_LOST = "ReadableStream received over RPC disconnected prematurely.";

const log: unknown[] = [];
/** What an invocation leaked. */
let leaked: Untyped;
let gate = deferred();

class Api extends WorkerEntrypoint {
  echo(value: unknown): unknown {
    return value;
  }
  nested(): ReadableStream<unknown> {
    return chunks(
      chunks(Uint8Array.of(1), "a"),
      new Response("body", { status: 201 }),
      AbortSignal.abort(new RangeError("aborted there")),
      new WritableStream({ write: (chunk) => void log.push(chunk) }),
    );
  }
  async readAll(stream: ReadableStream<unknown>): Promise<unknown[]> {
    const seen = [];
    for await (const chunk of stream) {
      if (chunk instanceof ReadableStream) seen.push(await this.readAll(chunk));
      else if (chunk instanceof Response) seen.push(await chunk.text());
      else if (chunk instanceof AbortSignal)
        seen.push(await new Promise((done) => (chunk.onabort = done)).then(() => "aborted"));
      else seen.push(chunk);
    }
    return seen;
  }
  async writeStreams(stream: WritableStream<unknown>): Promise<void> {
    const writer = stream.getWriter();
    await writer.write(chunks("in a chunk"));
    await writer.write({ body: new Response("of a Response") });
    await writer.close();
  }
  async unread(stream: ReadableStream<Uint8Array>): Promise<number> {
    const reader = stream.getReader();
    await gate.promise;
    let size = 0;
    for (let next = await reader.read(); !next.done; next = await reader.read()) size += next.value.length;
    return size;
  }
  /** Notes where in which buffer the bytes of its chunks lie. */
  placing(): WritableStream<Uint8Array> {
    return new WritableStream({
      write: ({ byteOffset, buffer, length }) => void log.push([byteOffset, buffer.byteLength, length]),
    });
  }
  stuck(): WritableStream<unknown> {
    return new WritableStream({
      write: () => gate.promise,
      abort: (reason) => void log.push((reason as Error).message),
    });
  }
  /** Streams that note why they ended. */
  noting(): { readable: ReadableStream; writable: WritableStream } {
    const note = (reason: unknown): void => void log.push(reason);
    return { readable: new ReadableStream({ cancel: note }), writable: new WritableStream({ abort: note }) };
  }
  failing(kind: string): unknown {
    const source = new ReadableStream({ start: (controller) => controller.error(new RangeError("source broke")) });
    return kind === "Response" ? new Response(source) : source;
  }
  failingWith(reason: unknown): unknown {
    return {
      readable: new ReadableStream({ start: (controller) => controller.error(reason) }),
      writable: new WritableStream({ start: (controller) => controller.error(reason) }),
    };
  }
  aborting(): WritableStream<unknown> {
    return new WritableStream({ abort: (reason) => void log.push((reason as Error).message) });
  }
  holding(): unknown {
    const cancel = (reason: unknown): void => void log.push(`cancelled: ${(reason as Error).message}`);
    const abort = (): void => void log.push("aborted");
    const [client] = new WebSocketPair();
    return {
      readable: new ReadableStream({ cancel }),
      writable: new WritableStream({ abort }),
      response: new WorkerResponse(null, { status: 101, webSocket: client }),
      signal: new AbortController().signal,
    };
  }
  leak(stream: Untyped): void {
    leaked = stream;
  }
  leakWriter(stream: WritableStream<unknown>): void {
    leaked = stream.getWriter();
  }
  leakReader(stream: ReadableStream<unknown>): void {
    leaked = stream.getReader();
  }
}

/** A stream of these. */
function chunks(...values: unknown[]): ReadableStream<unknown> {
  return new ReadableStream({
    pull(controller) {
      if (values.length === 0) controller.close();
      else controller.enqueue(values.shift());
    },
  });
}

onBothTransports("c. Streams", { default: Api }, (stage) => {
  beforeEach(() => {
    log.length = 0;
    leaked = undefined;
    gate = deferred();
  });
  afterEach(async () => {
    gate.resolve();
    await stage.idle();
  });

  item("c.3", () => {
    it("returns streams whose chunks hold streams, Responses and signals", async () => {
      const reader = (await stage.api.nested()).getReader();
      const next = async (): Promise<Untyped> => (await reader.read()).value;
      const inner = (await next()).getReader();
      expect([(await inner.read()).value, (await inner.read()).value, (await inner.read()).done]).to.deep.equal([
        Uint8Array.of(1),
        "a",
        true,
      ]);
      const response = await next();
      expect([response.status, await response.text()]).to.deep.equal([201, "body"]);
      const signal = await next();
      await eventually(() => signal.aborted);
      expect(signal.reason.message).to.equal("aborted there");
      const writer = (await next()).getWriter();
      await writer.write("written");
      await writer.close();
      expect((await reader.read()).done).to.equal(true);
      expect(log).to.deep.equal(["written"]);
    });

    it("sends streams whose chunks hold streams, Responses and signals", async () => {
      const controller = new AbortController();
      const stream = chunks(chunks("a", chunks("b")), new Response("body"), controller.signal, "last");
      const seen = stage.api.readAll(stream);
      setTimeout(() => controller.abort(), 20);
      expect(await seen).to.deep.equal([["a", ["b"]], "body", "aborted", "last"]);
    });

    it("passes on streams whose chunks hold streams", async () => {
      const stream = await stage.api.echo(chunks(chunks("a"), chunks(chunks("b"))));
      expect(await stage.api.readAll(stream)).to.deep.equal([["a"], [["b"]]]);
    });

    it("lets the callee write streams into a stream of the caller's", async () => {
      const received: Untyped[] = [];
      await stage.api.writeStreams(new WritableStream({ write: (chunk) => void received.push(chunk) }));
      const reader = received[0].getReader();
      expect((await reader.read()).value).to.equal("in a chunk");
      expect((await reader.read()).done).to.equal(true);
      expect(await received[1].body.text()).to.equal("of a Response");
    });

    it("keeps empty chunks of streams of any values", async () => {
      const values = [new Uint8Array(0), "", new Uint8Array(0), undefined];
      expect(await stage.api.readAll(chunks(...values))).to.deep.equal(values);
      const received: unknown[] = [];
      const writable = new WritableStream({ write: (chunk) => void received.push(chunk) });
      const writer = (await stage.api.echo(writable)).getWriter();
      await writer.write(new Uint8Array(0));
      await writer.close();
      expect(received).to.deep.equal([new Uint8Array(0)]);
    });
  });

  item("e.2", () => {
    it("gives back the streams of a result that is disposed of", async () => {
      const result = await stage.api.holding();
      expect(stage.host.stats().liveInvocations).to.equal(1);
      result[Symbol.dispose]();
      await stage.idle();
      expect(log).to.have.members(["aborted", "cancelled: Nobody reads this stream."]);
      expect((await failure(result.readable.getReader().read())).message).to.equal(READABLE_LOST);
      expect((await failure(result.writable.getWriter().write("x"))).message).to.equal(WRITABLE_LOST);
    });

    it("leaves streams alone that somebody uses", async () => {
      const result = await stage.api.echo({ stream: chunks("a", "b") });
      const reader = result.stream.getReader();
      result[Symbol.dispose]();
      expect([(await reader.read()).value, (await reader.read()).value]).to.deep.equal(["a", "b"]);
      await reader.cancel();
    });
  });

  item("d.5", () => {
    for (const kind of ["stream", "Response"]) {
      it(`marks what a ${kind} of the callee's fails with remote`, async () => {
        const result = await stage.api.failing(kind);
        const reader = (kind === "Response" ? result.body : result).getReader();
        const error = await failure(reader.read());
        expect(error).to.be.instanceOf(RangeError).and.include({ message: "source broke", remote: true });
      });
    }

    it("marks reasons to cancel and to abort remote", async () => {
      const { readable, writable } = await stage.api.noting();
      readable.cancel(new RangeError("enough")).catch(() => {});
      await writable.abort(new RangeError("given up"));
      await eventually(() => log.length === 2);
      for (const reason of log) expect(reason).to.be.instanceOf(RangeError).and.include({ remote: true });
    });
  });

  item("c.8", () => {
    it("gives a sink chunks that fill a buffer of their own", async () => {
      const writer = (await stage.api.placing()).getWriter();
      const sizes = [1, 3000, 65_536];
      for (const size of sizes) await writer.write(new Uint8Array(new ArrayBuffer(size + 24), 8, size));
      await writer.close();
      expect(log).to.deep.equal(sizes.map((size) => [0, size, size]));
    });

    it("hands over reasons that are no errors as they are", async () => {
      for (const reason of ["enough", 7, null, false, 10n]) {
        const { readable, writable } = await stage.api.noting();
        await readable.cancel(reason);
        await writable.abort(reason);
        await eventually(() => log.length === 2);
        expect(log.splice(0)).to.deep.equal([reason, reason]);
        const failing = await stage.api.failingWith(reason);
        expect(await failure(failing.readable.getReader().read())).to.equal(reason);
        expect(await failure(failing.writable.getWriter().closed)).to.equal(reason);
      }
    });

    it("makes errors of reasons that cannot be sent", async () => {
      const { readable, writable } = await stage.api.noting();
      await readable.cancel(Symbol("q"));
      await writable.abort(Symbol("q"));
      await eventually(() => log.length === 2);
      expect(log.map((reason) => (reason as Error).message)).to.deep.equal(["Symbol(q)", "Symbol(q)"]);
    });

    it("counts small chunks for more than their bytes", async () => {
      let pulled = 0;
      const stream = new ReadableStream({
        type: "bytes",
        pull(controller) {
          if (pulled++ < 20_000) controller.enqueue(new Uint8Array(1));
          else controller.close();
        },
      });
      const size = stage.api.unread(stream);
      await eventually(() => pulled > 500);
      for (let i = 0; i < 20; i++) await stage.api.echo(i);
      expect(pulled).to.be.below(1100);
      gate.resolve();
      expect(await size).to.equal(20_000);
    });

    it("fails a writer that outlives its invocation, and nothing else", async () => {
      for (const method of ["leakWriter", "leak"]) {
        await stage.api[method](new WritableStream({ write: (chunk) => void log.push(chunk) }));
        await stage.idle();
        const writer = method === "leak" ? leaked.getWriter() : leaked;
        expect((await failure(writer.write("late"))).message).to.equal(WRITABLE_LOST);
        expect(await stage.api.echo("the link lives")).to.equal("the link lives");
      }
      expect(log).to.deep.equal([]);
    });

    it("aborts the other end with what a chunk that cannot be sent fails with", async () => {
      const text = "Symbol(q) could not be cloned.";
      const writer = (await stage.api.aborting()).getWriter();
      expect((await failure(writer.write(Symbol("q")))).message).to.equal(text);
      await eventually(() => log.length === 1);
      await stage.idle();
      const piped = chunks("a", Symbol("q")).pipeTo(await stage.api.aborting());
      expect((await failure(piped)).message).to.equal(text);
      await eventually(() => log.length === 2);
      expect(log).to.deep.equal([text, text]);
    });

    it("fails a reader that outlives its invocation", async () => {
      const cancelled = deferred<unknown>();
      await stage.api.leakReader(new ReadableStream({ cancel: (reason) => cancelled.resolve(reason) }));
      expect((await failure(leaked.read())).message).to.equal(READABLE_LOST);
      expect(await cancelled.promise).to.be.instanceOf(Error);
      await stage.idle();
    });
  });
});

// The caller's window is larger than what the callee lets wait: a peer that does not hold itself back.
onBothTransports(
  "c. Streams of writers that do not wait",
  { default: Api },
  (stage) => {
    item("c.8", () => {
      it("breaks a stream into which more is written than may wait", async () => {
        log.length = 0;
        gate = deferred();
        const writer = (await stage.api.stuck()).getWriter();
        writer.closed.catch(() => {});
        const error = await failure(
          (async () => {
            for (let i = 0; i < 100; i++) await writer.write(new Uint8Array(1000));
            await writer.close();
          })(),
        );
        const text = "More than 65536 bytes of this stream wait unread.";
        expect([error.message, error.overloaded]).to.deep.equal([text, true]);
        gate.resolve();
        await eventually(() => log.length === 1);
        expect(log).to.deep.equal([text]);
        expect(await stage.api.echo("the link lives")).to.equal("the link lives");
      });
    });
  },
  { limits: { maxStreamBytes: 64 * 1024, streamWindowBytes: 1024 * 1024 } },
);

class Relay extends WorkerEntrypoint<Untyped> {
  sink(): unknown {
    return this.env.BEYOND.sink();
  }
}

class Slow extends WorkerEntrypoint {
  sink(): WritableStream<unknown> {
    return new WritableStream({
      write: async (chunk) => {
        await new Promise((done) => setTimeout(done, 10));
        log.push(chunk);
      },
      abort: (reason) => void log.push((reason as Error).message),
    });
  }
}

onBothTransports(
  "c. Streams that are passed on",
  { default: Relay },
  (stage) => {
    item("c.8", () => {
      it("abort with the writer's reason, also while a chunk is being written", async () => {
        log.length = 0;
        const writer = (await stage.api.sink()).getWriter();
        for (const chunk of ["a", "b"]) await writer.write(chunk);
        await writer.abort(new RangeError("why"));
        await eventually(() => log.includes("why"));
      });
    });
  },
  { beyond: { default: Slow } },
);

class Aborted extends WorkerEntrypoint {
  streams(): unknown {
    const { ctx } = this;
    class Ending extends RpcTarget {
      abort(): void {
        ctx.abort(new RangeError("given up"));
      }
    }
    return {
      sink: new WritableStream({ abort: (reason) => void log.push(`sink: ${reason.message}`) }),
      source: new ReadableStream({ cancel: (reason) => void log.push(`source: ${reason.message}`) }),
      ending: new Ending(),
    };
  }
  stuck(): WritableStream<unknown> {
    return new WritableStream({ write: () => new Promise(() => {}) });
  }
}

onBothTransports(
  "c. Streams that end before their time",
  { default: Aborted },
  (stage) => {
    item("a.9", () => {
      it("break with their invocation's reason where it aborts itself", async () => {
        log.length = 0;
        const { sink, source, ending } = await stage.api.streams();
        const writer = sink.getWriter();
        const reading = failure(source.getReader().read());
        expect((await failure(ending.abort())).message).to.equal("given up");
        expect((await reading).message).to.equal("given up");
        expect((await failure(writer.closed)).message).to.equal("given up");
        await eventually(() => log.length === 2);
        expect(log).to.have.members(["sink: given up", "source: given up"]);
        ending[Symbol.dispose]();
      });
    });

    item("c.8", () => {
      it("do not keep an invocation for longer than its tasks may take, where their sink never settles", async () => {
        const writer = (await stage.api.stuck()).getWriter();
        await writer.write("a");
        writer.abort().catch(() => {});
        await stage.idle();
      });
    });
  },
  { limits: { waitUntilTimeoutMs: 50 } },
);
