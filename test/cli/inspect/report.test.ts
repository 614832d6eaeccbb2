import { expect } from "chai";
import fc from "fast-check";
import { Report } from "../../../packages/cli/src/inspect/report.ts";
import { connect, RpcTarget } from "../../../packages/client/src/index.ts";
import { serve, WorkerEntrypoint } from "../../../packages/host/src/index.ts";
import type { TrafficRecorder } from "../../../packages/vat/src/index.ts";
import type { LinkEvent } from "../../../packages/wire/src/index.ts";

class Thing extends RpcTarget {}

class Values extends WorkerEntrypoint {
  take(..._values: unknown[]): void {}
  back(): unknown {
    return { thing: new Thing(), list: [1, "two"] };
  }
  async read(stream: ReadableStream): Promise<number> {
    return (await new Response(stream).arrayBuffer()).byteLength;
  }
  fail(): void {
    throw new RangeError("too\nfar\u001b[31m");
  }
}

interface Said {
  readonly link: number;
  readonly event: LinkEvent;
}

/** A session of every kind of value, as both ends recorded it: link 1 is the client's, the host's come after. */
async function session(): Promise<{ near: Said[]; far: Said[] }> {
  const ends: { near: Said[]; far: Said[] } = { near: [], far: [] };
  const recorder = (said: Said[]): TrafficRecorder => {
    let links = 0;
    return (peer) => {
      const link = ++links;
      const say = (event: LinkEvent): void => {
        said.push({ link, event });
      };
      say({ kind: "made", peer });
      return {
        handleOpen: (batched, packed) => say({ kind: "opened", batched, packed }),
        handleSent: (frame) => say({ kind: "sent", frame: frame.slice() }),
        handleReceived: (frame) => say({ kind: "received", frame: frame.slice() }),
        handleClosed: (reason) => say({ kind: "closed", reason }),
      };
    };
  };
  const workers = [{ name: "values", module: { default: Values } }];
  const host = await serve({ port: 0, workers, record: recorder(ends.far) });
  const link = connect(host.url, { record: recorder(ends.near) });
  const api = link.service<Values>("values");
  await api.take("red \u001b[31m\u202e", new Error("odd\nnews"), { deep: { deeper: [null, -0] } });
  await api.take(() => 1, new Thing(), new Headers({ a: "b" }), new URL("http://a/b"), new Blob(["xy"]));
  await api.take(new Request("http://a/c", { method: "POST", body: "body" }), new Response("gone", { status: 404 }));
  await api.take("long ".repeat(30_000));
  await api.read(new Blob(["some bytes"]).stream());
  const back = await api.back();
  await api.fail().catch(() => {});
  (back as Disposable)[Symbol.dispose]?.();
  link.close();
  while (host.stats().links > 0) await new Promise((done) => setTimeout(done, 5));
  await host.close();
  return ends;
}

/** What a report says of these. */
function report(said: readonly Said[], options: { json?: boolean; color?: boolean } = {}): string[] {
  const lines: string[] = [];
  const made = new Report((line) => lines.push(line), { near: "near", far: "far", ...options });
  for (const { link, event } of said) made.handleEvent(1_500_000, link, event);
  made.end();
  return lines;
}

describe("cli: what inspect says", () => {
  let near: Said[];
  let far: Said[];
  let text: string;
  before(async () => {
    ({ near, far } = await session());
    text = report(near).join("\n");
  });

  it("shows arguments and results in a few words", () => {
    expect(text).to.contain("take('red \\x1B[31m\\u{202e}', ");
    expect(text).to.contain("{ deep: { deeper: [ null, -0 ] } })");
    expect(text).to.match(
      /take\(\[stub cap 0\], \[stub cap 1\], Headers \{ ?a: 'b' ?\}, \[URL http:\/\/a\/b\], \[Blob of 2 bytes\]\)/,
    );
    expect(text).to.match(/take\(\[Request POST http:\/\/a\/c, body ReadableStream cap \d\], \[Response 404, body /);
    expect(text).to.match(/take\(\[value of 150\d\d\d bytes\]\)/);
    expect(text).to.match(/results \{ thing: \[stub cap \d\], list: \[ 1, 'two' \] \}/);
    expect(text).to.contain('exception failed "jsg.RangeError: too\\nfar\\u001b[31m"');
    expect(text).to.contain("ExternalPusher.pushByteStream");
    expect(text).to.contain("ByteStream.write write(10 bytes)");
    expect(text).to.contain("ByteStream.end");
  });

  it("says the same of both ends, each in its own view", () => {
    const own = report(near);
    const theirs = report(far);
    const swapped = (line: string) =>
      line
        .replace(/→|←/, (arrow) => (arrow === "→" ? "←" : "→"))
        .replaceAll(/question|answer/g, (word) => (word === "question" ? "answer" : "question"))
        .replaceAll(/import|export/g, (word) => (word === "import" ? "export" : "import"));
    const messages = (lines: string[]) => lines.filter((line) => /→|←/.test(line) && !line.startsWith("in all"));
    expect(messages(theirs).map(swapped).sort()).to.deep.equal(messages(own).sort());
    expect(messages(own).length).to.be.greaterThan(30);
  });

  it("counts what passed, and colours only what is to be coloured", () => {
    expect(text).to.not.contain("\u001b");
    expect(report(near, { color: true }).join("\n")).to.contain("\u001b[32m→");
    const totals = JSON.parse(report(near, { json: true }).at(-1) ?? "") as {
      sent: { bytes: number; messages: object };
    };
    const bytes = near.reduce((sum, { event }) => sum + (event.kind === "sent" ? event.frame.length : 0), 0);
    expect(totals.sent.bytes).to.equal(bytes);
    expect(totals.sent.messages).to.include({ bootstrap: 1 });
    const sizes = [...text.matchAll(/ → .* \((\d+) bytes\)/g)].reduce((sum, match) => sum + Number(match[1]), 0);
    expect(sizes).to.equal(bytes);
  });

  it("is printable lines whatever the frames are", () => {
    const frames = near.filter(({ event }) => event.kind === "sent" || event.kind === "received");
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1 }), (which, changes) => {
        const broken = frames.map(({ link, event }, index) => {
          if (index !== which % frames.length || !("frame" in event) || event.frame.length > 4096)
            return { link, event };
          const frame = event.frame.slice();
          for (const [at, byte] of changes) frame[at % frame.length] = byte;
          return { link, event: { ...event, frame } };
        });
        for (const line of report(broken.slice(0, 20))) {
          expect(line).to.not.match(/[\p{Cc}\p{Cf}]/u);
          expect(line.length).to.be.lessThan(3000);
        }
      }),
      { numRuns: 300 },
    );
  });
});
