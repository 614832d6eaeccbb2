// Blobs beside what is passed by reference: it is passed once, and stays with its owner where nothing was sent.
import { expect } from "chai";
import { RpcTarget, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { eventually, failure, item, onBothTransports, type Untyped } from "./support/transports.ts";

const log: unknown[] = [];

class Target extends RpcTarget {
  readonly #name: string;
  constructor(name: string) {
    super();
    this.#name = name;
  }
  name(): string {
    return this.#name;
  }
  [Symbol.dispose](): void {
    log.push(`${this.#name} disposed`);
  }
}

class Api extends WorkerEntrypoint {
  async use({ target }: Untyped): Promise<string> {
    return await target.name();
  }
  give(): unknown {
    return { target: new Target("given"), blob: new Blob(["abc"]), [Symbol.dispose]: () => void log.push("result") };
  }
  giveNothing(): unknown {
    return { target: new Target("kept"), bad: Symbol("q"), [Symbol.dispose]: () => void log.push("result") };
  }
  file(file: Untyped): unknown[] {
    return [file instanceof File, file.name, file.lastModified, file.type, file];
  }
  async relay(callback: Untyped): Promise<unknown> {
    return { answer: callback(), blob: new Blob(["abc"]) };
  }
  get counted(): number {
    log.push("read");
    return 1;
  }
  async await(value: Untyped): Promise<unknown> {
    return [await value.promise, await value.blob.text(), value.got];
  }
  async textOf(value: Untyped): Promise<unknown> {
    return [await new Response(value.stream).text(), await value.error.blob.text(), value.error.bad];
  }
  async chunks(stream: ReadableStream<Untyped>): Promise<unknown[]> {
    const chunks = [];
    for await (const chunk of stream) chunks.push([await chunk.blob.text(), await chunk.target.name()]);
    return chunks;
  }
}

onBothTransports("c. Blobs", { default: Api }, (stage) => {
  beforeEach(() => {
    log.length = 0;
  });
  afterEach(() => stage.idle());

  item("c.3", () => {
    it("passes Files with their names and times", async () => {
      const file = new File(["abc"], "ä.txt", { type: "text/plain", lastModified: 1.7e12 });
      const [isFile, name, time, type, back] = await stage.api.file(file);
      expect([isFile, name, time, type]).to.deep.equal([true, "ä.txt", 1.7e12, "text/plain"]);
      expect(back).to.be.instanceOf(File).and.include({ name: "ä.txt", size: 3 });
      expect(await back.text()).to.equal("abc");
      const [wasFile] = await stage.api.file(new Blob(["abc"]));
      expect(wasFile).to.equal(false);
    });

    it("passes a target beside a Blob once, as an argument", async () => {
      const target = new Target("lent");
      expect(await stage.api.use({ target, blobs: [new Blob(["x"]), new Blob(["y"])] })).to.equal("lent");
      await eventually(() => log.length > 0);
      expect(log).to.deep.equal(["lent disposed"]);
    });

    it("passes a target beside a Blob once, in a result", async () => {
      const result = await stage.api.give();
      expect([await result.target.name(), await result.blob.text()]).to.deep.equal(["given", "abc"]);
      expect(log).to.deep.equal([]);
      result[Symbol.dispose]();
      await eventually(() => log.length === 2);
      expect([...log].sort()).to.deep.equal(["given disposed", "result"]);
    });

    it("passes a promise beside a Blob in a result", async () => {
      using result = await stage.api.relay(() => "called");
      expect([await result.answer, await result.blob.text()]).to.deep.equal(["called", "abc"]);
    });

    it("reads getters and properties beside a Blob once", async () => {
      let reads = 0;
      const value = {
        promise: stage.api.counted,
        blob: new Blob(["abc"]),
        get got(): number {
          return ++reads;
        },
      };
      expect(await stage.api.await(value)).to.deep.equal([1, "abc", 1]);
      expect([reads, log]).to.deep.equal([1, ["read"]]);
    });

    it("sends Blobs of any size beside streams, and in errors", async () => {
      const text = "x".repeat(100_000);
      const error = Object.assign(new Error("with a Blob"), { blob: new Blob([text]), bad: Symbol("q") });
      const stream = new Blob(["streamed"]).stream();
      expect(await stage.api.textOf({ stream, error, late: "\u{1F600}" })).to.deep.equal(["streamed", text, undefined]);
    });

    it("sends Blobs and targets as chunks", async () => {
      const chunks = [1, 2].map((n) => ({ blob: new Blob([`${n}`]), target: new Target(`t${n}`) }));
      const stream = new ReadableStream({
        pull(controller) {
          const next = chunks.shift();
          if (next === undefined) controller.close();
          else controller.enqueue(next);
        },
      });
      expect(await stage.api.chunks(stream)).to.deep.equal([
        ["1", "t1"],
        ["2", "t2"],
      ]);
    });
  });

  item("c.4", () => {
    it("disposes of nothing where nothing could be sent", async () => {
      await failure(stage.api.use({ target: new Target("mine"), bad: Symbol("q") }));
      await failure(stage.api.giveNothing());
      const huge = new Blob([new Uint8Array(33 * 1024 * 1024)]);
      const error = await failure(stage.api.use({ target: new Target("mine"), huge }));
      expect(error.message).to.match(/^Serialized RPC arguments or return values are limited to 32MiB/);
      expect(log).to.deep.equal([]);
    });
  });
});
