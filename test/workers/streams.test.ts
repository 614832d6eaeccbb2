// Streams that outlive what they came with, that hold more than bytes, and that are too many or too much.
import { expect } from "chai";
import { WorkerEntrypoint } from "../../packages/host/src/index.ts";
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

  item("c.8", () => {
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

    it("fails a reader that outlives its invocation", async () => {
      const cancelled = deferred<unknown>();
      await stage.api.leakReader(new ReadableStream({ cancel: (reason) => cancelled.resolve(reason) }));
      expect((await failure(leaked.read())).message).to.equal(READABLE_LOST);
      expect(await cancelled.promise).to.be.instanceOf(Error);
      await stage.idle();
    });
  });
});
