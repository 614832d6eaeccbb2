// Section c: what can be sent, and as what it arrives.
import { expect } from "chai";
import { RpcStub } from "../../packages/client/src/index.ts";
import { eventually, failure, item, onBothTransports, type Untyped } from "./support/transports.ts";
import { Api, bytes, Foo, gate, log, progress, Target } from "./support/values-worker.ts";

onBothTransports("c. Values", { default: Api }, (stage) => {
  beforeEach(() => {
    log.length = 0;
    gate.renew();
  });
  afterEach(async () => {
    gate.resolve();
    await stage.idle();
  });

  item("c.1", () => {
    it("copies what structured clone copies", async () => {
      const value = {
        date: new Date(5),
        map: new Map<unknown, unknown>([[{ k: 1 }, new Set([1, "2"])]]),
        regexp: /a+/giu,
        bigint: -(2n ** 80n),
        negativeZero: -0,
        hole: [1, , 3],
        buffer: new Uint16Array([1, 2, 3]),
        nothing: undefined,
        nan: Number.NaN,
      };
      using result = await stage.api.echo(value);
      expect(result).to.deep.equal(value);
      expect(Object.is(result.negativeZero, -0)).to.equal(true);
      expect(1 in result.hole).to.equal(false);
    });

    it("keeps cycles and shared identity, also between arguments", async () => {
      const shared = { a: 1 };
      const cyclic: Untyped = { shared, again: shared };
      cyclic.self = cyclic;
      using result = await stage.api.echo(cyclic);
      expect(result.self).to.equal(result);
      expect(result.again).to.equal(result.shared);
      expect(await stage.api.same(shared, shared)).to.equal(true);
    });

    it("takes enumerable own string keys, and evaluates getters", async () => {
      const value = Object.defineProperty(
        {
          get computed() {
            return 7;
          },
          [Symbol("s")]: 1,
        },
        "hidden",
        { value: 1 },
      );
      using result = await stage.api.echo(value);
      expect(result).to.deep.equal({ computed: 7 });
    });

    it("makes of a subclass of Map or Array its base", async () => {
      class MyMap<K, V> extends Map<K, V> {}
      class MyArray extends Array {}
      using map = await stage.api.echo(new MyMap<unknown, unknown>([[1, 2]]));
      expect(Object.getPrototypeOf(map)).to.equal(Map.prototype);
      using array = await stage.api.echo(MyArray.of(1, 2));
      expect(Object.getPrototypeOf(array)).to.equal(Array.prototype);
    });
  });

  item("c.2", () => {
    it("makes stubs of functions, classes and targets", async () => {
      expect(await stage.api.call((a: number, b: number) => a * b, 6, 7)).to.equal(42);
      expect(await stage.api.callMethod(new Target())).to.equal("method");
      using made = await stage.api.echo(class Made {});
      expect(typeof made).to.equal("function");
    });

    it("makes one stub of the same target in one message", async () => {
      const target = new Target();
      expect(await stage.api.same(target, target)).to.equal(true);
    });
  });

  item("c.3", () => {
    it("sends Headers", async () => {
      const headers = new Headers({ "X-A": "1" });
      headers.append("set-cookie", "a=b");
      headers.append("set-cookie", "c=d");
      using result = await stage.api.echo(headers);
      expect(result).to.be.instanceOf(Headers);
      expect([...result]).to.deep.equal([...headers]);
    });

    it("sends a Request with its body", async () => {
      const request = new Request("http://x.test/p?q=1", { method: "PUT", headers: { "x-a": "b" }, body: "body" });
      expect(await stage.api.request(request.clone())).to.deep.equal([
        true,
        "PUT",
        "http://x.test/p?q=1",
        "b",
        "follow",
      ]);
      expect(await stage.api.bodyOf(request)).to.equal("body");
    });

    it("returns a Response with its body", async () => {
      const response: Response = await stage.api.response();
      expect(response).to.be.instanceOf(Response);
      expect([response.status, response.statusText]).to.deep.equal([201, "Made"]);
      expect(response.headers.getSetCookie()).to.deep.equal(["a=b"]);
      expect(await response.text()).to.equal("made there");
    });

    it("refuses a body that was used", async () => {
      const response = new Response("x");
      await response.text();
      expect((await failure(stage.api.echo(response))).message).to.match(/Body has already been used/);
    });

    it("sends a URL", async () => {
      using url = await stage.api.echo(new URL("https://x.test/a?b#c"));
      expect(url).to.be.instanceOf(URL);
      expect(url.href).to.equal("https://x.test/a?b#c");
    });

    it("sends Blobs, and keeps the order of the calls behind one", async () => {
      const blob = new Blob(["some ", "bytes"], { type: "text/x" });
      const order: string[] = [];
      const first = stage.api.echo({ blob, again: [new Blob(["more"])] }).then((value: unknown) => {
        order.push("first");
        return value;
      });
      const second = stage.api.note("second").then(() => order.push("second"));
      const result = (await first) as { blob: Blob; again: Blob[] };
      await second;
      expect(result.blob).to.be.instanceOf(Blob);
      expect([result.blob.type, await result.blob.text(), await result.again[0]!.text()]).to.deep.equal([
        "text/x",
        "some bytes",
        "more",
      ]);
      expect(log).to.deep.equal(["echo", "second"]);
    });

    it("fails what is pipelined on a call that is cancelled while its Blob is read", async () => {
      const call = stage.api.echo(new Blob(["x"]));
      const pipelined = failure(call.x());
      call[Symbol.dispose]();
      expect((await pipelined).message).to.equal("The call was cancelled.");
      expect(await stage.api.echo("next")).to.equal("next");
    });

    it("sends a DOMException", async () => {
      using exception = await stage.api.echo(new DOMException("gone", "NotFoundError"));
      expect(exception).to.be.instanceOf(DOMException);
      expect([exception.name, exception.code]).to.deep.equal(["NotFoundError", 8]);
    });

    it("sends a binding as a stub", async () => {
      expect(await stage.api.through(stage.api)).to.equal("through a binding");
    });

    it("sends an AbortSignal, aborted already, later, or never", async () => {
      expect(await stage.api.whenAborted({ nested: AbortSignal.abort(new Error("before")) })).to.deep.equal([
        true,
        true,
        "before",
      ]);
      const controller = new AbortController();
      const waiting = stage.api.whenAborted({ nested: controller.signal });
      setTimeout(() => controller.abort(new Error("after")), 10);
      expect(await waiting).to.deep.equal([true, true, "after"]);
      using never = await stage.api.echo(new AbortController().signal);
      expect(never.aborted).to.equal(false);
    });

    it("returns an AbortSignal", async () => {
      const signal: AbortSignal = await stage.api.signal();
      await eventually(() => signal.aborted);
      expect((signal.reason as Error).message).to.equal("aborted there");
    });

    it("sends streams of bytes as arguments", async () => {
      expect(await stage.api.textOf(bytes("one ", "two ", "three"))).to.equal("one two three");
      expect(await stage.api.textOf(bytes())).to.equal("");
      expect(await stage.api.byob(bytes("abcdef"))).to.equal("abc");
    });

    it("returns streams of bytes", async () => {
      const stream: ReadableStream<Uint8Array> = await stage.api.bytes(5);
      let size = 0;
      for await (const chunk of stream) size += chunk.length;
      expect(size).to.equal(5000);
    });

    it("sends and returns streams of any values", async () => {
      const values = new ReadableStream({
        start(controller) {
          for (const value of ["a", { b: 1 }, null, new Uint8Array([1])]) controller.enqueue(value);
          controller.close();
        },
      });
      expect(await stage.api.chunksOf(values)).to.deep.equal(["a", { b: 1 }, null, new Uint8Array([1])]);
      const chunks: Untyped[] = [];
      for await (const chunk of await stage.api.values()) chunks.push(chunk);
      expect(chunks.slice(0, 4)).to.deep.equal(["text", 1, { a: new Date(0) }, [1, 2]]);
      expect(await chunks[4]()).to.equal("called");
      chunks[4][Symbol.dispose]();
    });

    it("lets the callee write into a stream of the caller's", async () => {
      const chunks: unknown[] = [];
      let closed = false;
      const sink = new WritableStream({ write: (chunk) => void chunks.push(chunk), close: () => void (closed = true) });
      expect(await stage.api.writeInto(sink)).to.equal("written");
      expect(chunks).to.deep.equal([new TextEncoder().encode("hello "), "world"]);
      expect(closed).to.equal(true);
    });

    it("lets the caller write into a stream that the callee returned", async () => {
      const sink: WritableStream<unknown> = await stage.api.sink();
      const writer = sink.getWriter();
      await writer.write({ a: 1 });
      await writer.close();
      expect(log).to.deep.equal([{ a: 1 }, "closed"]);
    });

    it("moves a stream: the sender's is locked", async () => {
      const stream = bytes("x");
      const call = stage.api.textOf(stream);
      expect(stream.locked).to.equal(true);
      await call;
    });

    it("passes a stream on through the callee", async () => {
      const back: ReadableStream<Uint8Array> = await stage.api.echo(bytes("there ", "and back"));
      expect(await new Response(back).text()).to.equal("there and back");
    });
  });

  item("c.4", () => {
    const refused: [string, () => unknown, string][] = [
      [
        "an instance of a class",
        () => new Foo(),
        'Could not serialize object of type "Foo". This type does not support serialization.',
      ],
      [
        "an object without a prototype",
        () => Object.create(null),
        'Could not serialize object of type "Object". This type does not support serialization.',
      ],
      [
        "URLSearchParams",
        () => new URLSearchParams(),
        'Could not serialize object of type "URLSearchParams". This type does not support serialization.',
      ],
      [
        "FormData",
        () => new FormData(),
        'Could not serialize object of type "FormData". This type does not support serialization.',
      ],
      [
        "TransformStream",
        () => new TransformStream(),
        'Could not serialize object of type "TransformStream". This type does not support serialization.',
      ],
      ["a promise", () => Promise.resolve(), "#<Promise> could not be cloned."],
      ["a WeakMap", () => new WeakMap(), "#<WeakMap> could not be cloned."],
      ["a symbol", () => Symbol("q"), "Symbol(q) could not be cloned."],
      ["a detached ArrayBuffer", detached, "An ArrayBuffer is detached and could not be cloned."],
    ];
    for (const [what, make, text] of refused) {
      it(`refuses ${what} as argument and as part of one`, async () => {
        for (const value of [make(), { deep: [make()] }]) {
          const error = await failure(stage.api.echo(value));
          expect(error).to.be.instanceOf(DOMException);
          expect([error.name, error.code, error.message]).to.deep.equal(["DataCloneError", 25, text]);
        }
      });
    }

    it("sends nothing, and locks no stream, where a part of the arguments cannot be sent", async () => {
      const stream = bytes("x");
      await failure(stage.api.echo({ stream, bad: new Foo() }));
      expect(stream.locked).to.equal(false);
      expect(await stage.api.textOf(stream)).to.equal("x");
    });
  });

  item("c.5", () => {
    it("makes stubs of Proxies of plain objects, functions and targets", async () => {
      const plain = new Proxy({ method: () => "plain" }, {});
      expect(await stage.api.callMethod(plain)).to.equal("plain");
      expect(await stage.api.call(new Proxy((n: number) => n + 1, {}), 1)).to.equal(2);
      const target = new Proxy(new Target(), { get: (_, key) => (key === "method" ? () => "trapped" : undefined) });
      expect(await stage.api.callMethod(target)).to.equal("trapped");
    });

    it("refuses other Proxies", async () => {
      const error = await failure(stage.api.echo(new Proxy(new Foo(), {})));
      expect(error.message).to.equal(
        "Proxy could not be serialized because it is not a valid RPC receiver type. The Proxy must emulate either a plain object or an RpcTarget, as indicated by the Proxy's prototype chain.",
      );
    });
  });

  item("c.7", () => {
    it("wraps plain objects, functions, targets and stubs", async () => {
      using object = new RpcStub({ method: () => "of an object" }) as Untyped;
      expect(await stage.api.callMethod(object)).to.equal("of an object");
      using target = new RpcStub(new Target()) as Untyped;
      using again = new RpcStub(target) as Untyped;
      expect(await stage.api.callMethod(again)).to.equal("method");
    });

    it("refuses everything else", () => {
      for (const value of [new Foo(), [], new Map(), 1, null]) {
        expect(() => new RpcStub(value as never)).to.throw(
          TypeError,
          "RpcStubs can only wrap plain objects, functions, and RpcTarget derivatives.",
        );
      }
    });
  });

  item("c.8", () => {
    it("refuses locked streams", async () => {
      const readable = bytes("x");
      readable.getReader();
      expect((await failure(stage.api.echo(readable))).message).to.equal(
        "The ReadableStream has been locked to a reader.",
      );
      const writable = new WritableStream();
      writable.getWriter();
      expect((await failure(stage.api.echo(writable))).message).to.equal(
        "The WritableStream has been locked to a writer.",
      );
    });

    it("tells the source when the reader cancels, though it waits for nothing", async () => {
      let cancelled: Untyped;
      const source = new ReadableStream({
        start: (controller) => controller.enqueue("first"),
        cancel: (reason) => void (cancelled = reason),
      });
      const call = stage.api.hold(source);
      await eventually(() => log.length === 1);
      gate.resolve();
      await call;
      await eventually(() => cancelled !== undefined);
      expect(cancelled).to.be.instanceOf(RangeError);
      expect(cancelled.message).to.equal("enough");
    });

    it("tells the callee's source when the caller cancels", async () => {
      const stream: ReadableStream<Uint8Array> = await stage.api.bytes(1000);
      const reader = stream.getReader();
      await reader.read();
      await reader.cancel(new Error("had enough"));
      await eventually(() => log.length === 1);
      expect(log).to.deep.equal([["cancelled", "had enough"]]);
    });

    it("fails the reader with what broke the source", async () => {
      const reader = (await stage.api.failing()).getReader();
      expect((await reader.read()).value).to.deep.equal(new Uint8Array([1]));
      const error = await failure(reader.read());
      expect(error).to.be.instanceOf(RangeError);
      expect(error.message).to.equal("source broke");
    });

    it("hands an abort of the writer to the sink, and a failure of the sink to the writer", async () => {
      let aborted: Untyped;
      await stage.api.abortInto(new WritableStream({ abort: (reason) => void (aborted = reason) }));
      await eventually(() => aborted !== undefined);
      expect(aborted.message).to.equal("given up");
      let room = 3;
      const failing = new WritableStream({
        write: () => {
          if (room-- === 0) throw new RangeError("disk full");
        },
      });
      expect(await stage.api.writeUntilFailure(failing)).to.equal("disk full");
    });

    it("has no more than the window on its way while 1 GiB is pushed", async function () {
      // A gibibyte takes a loaded machine its time.
      this.timeout(180_000);
      const total = 1024 * 1024 * 1024;
      let pulled = 0;
      let most = 0;
      progress.consumed = 0;
      const source = new ReadableStream({
        type: "bytes",
        pull(controller) {
          if (pulled === total) return controller.close();
          pulled += 64 * 1024;
          controller.enqueue(new Uint8Array(64 * 1024));
          most = Math.max(most, pulled - progress.consumed);
        },
      });
      expect(await stage.api.consume(source)).to.equal(total);
      expect(most).to.be.within(64 * 1024, 512 * 1024);
    });

    it("holds a fast writer to a slow reader, within the window", async () => {
      let pulled = 0;
      const source = new ReadableStream({
        type: "bytes",
        pull(controller) {
          if (pulled === 64) return controller.close();
          pulled++;
          controller.enqueue(new Uint8Array(64 * 1024));
        },
      });
      const call = stage.api.slowly(source);
      await new Promise((done) => setTimeout(done, 50));
      // The window of 256 KiB is four chunks; one more waits for room, and the source reads one ahead.
      expect(pulled).to.be.within(4, 7);
      gate.resolve();
      expect(await call).to.equal(64 * 64 * 1024);
    });
  });

  item("e.9", () => {
    it("cancels the invocation when a signal among the arguments aborts, which aborts there too", async () => {
      const controller = new AbortController();
      const call = stage.api.watch(controller.signal);
      await eventually(() => log.length === 1);
      const outcome = failure(call);
      controller.abort(new RangeError("given up"));
      expect((await outcome).message).to.equal("given up");
      await eventually(() => log.length === 3);
      expect(log).to.deep.equal([false, "ctx aborted", "given up"]);
    });

    it("takes a signal among options, and one that has aborted, and no other", async () => {
      const controller = new AbortController();
      const outcome = failure(stage.api.watchOptions({ signal: controller.signal }, new Blob(["x"])));
      await eventually(() => log.length === 1);
      controller.abort(new RangeError("given up"));
      expect((await outcome).message).to.equal("given up");
      await eventually(() => log.length === 2);
      const aborted = AbortSignal.abort(new RangeError("given up before"));
      expect((await failure(stage.api.watch(aborted))).message).to.equal("given up before");
      // It went out all the same.
      await stage.api.echo("a round trip");
      await stage.idle();
      log.length = 0;
      const deep = new AbortController();
      const call = stage.api.watchOptions({ deep: { signal: deep.signal } });
      await eventually(() => log.length === 1);
      deep.abort();
      await stage.api.echo("a round trip");
      gate.resolve();
      await call;
      expect(log).to.deep.equal(["options"]);
    });
  });
});

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

onBothTransports("c. Values of any size", { default: Api }, (stage) => {
  item("c.6", () => {
    it("refuses arguments and results over the limit with their size", async () => {
      const size = 33 * 1024 * 1024;
      const error = await failure(stage.api.echo(new Uint8Array(size)));
      expect(error.message).to.match(
        /^Serialized RPC arguments or return values are limited to 32MiB, but the size of this value was: 346\d{5} bytes\.$/,
      );
    });
  });
});
