import { once } from "node:events";
import { expect } from "chai";
import { WebSocket } from "ws";
import { connect } from "../../packages/client/src/index.ts";
import { type Host, RpcTarget, serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";

class Counter extends RpcTarget {
  #count = 0;
  increment(by: number): number {
    this.#count += by;
    return this.#count;
  }
}

let instances = 0;
let closed = 0;
let finishTask: () => void = () => {};

class Api extends WorkerEntrypoint {
  readonly id = ++instances;
  add(a: number, b: number): number {
    return a + b;
  }
  instance(): number {
    return this.id;
  }
  counter(): Counter {
    return new Counter();
  }
  profile(): object {
    return { user: { name: "Ada" } };
  }
  async twice(callback: (n: number) => Promise<number>): Promise<number> {
    return (await callback(1)) + (await callback(2));
  }
  fail(): void {
    throw Object.assign(new RangeError("out of range"), { code: 7 });
  }
  leak(callback: unknown): void {
    if (typeof callback === "function") (callback as unknown as { dup(): unknown }).dup();
  }
  closable(): object {
    return { open: true, [Symbol.dispose]: () => closed++ };
  }
  color(): unknown {
    return (this.ctx.props as { readonly color: string }).color;
  }
  async viaExports(color: string): Promise<unknown> {
    const own = this.ctx.exports.default as (options: object) => Remote;
    return own({ props: { color } }).color!();
  }
  async abortSelf(): Promise<void> {
    this.ctx.abort(new RangeError("given up"));
    await new Promise(() => {});
  }
  later(): string {
    this.ctx.waitUntil(new Promise<void>((done) => (finishTask = done)));
    return "answered";
  }
}

class Front extends WorkerEntrypoint<{ readonly B: Remote }> {
  async viaBinding(a: number, b: number): Promise<number> {
    return (await this.env.B.add!(a, b)) as number;
  }
  override async fetch(): Promise<Response> {
    return new Response(String(await this.env.B.add!(1, 2)));
  }
}

// Not typed further here: what a peer offers is what the test finds out.
interface Remote {
  readonly [method: string]: (...args: unknown[]) => Promise<unknown>;
}

async function failure(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error("the call did not fail");
}

/** Waits until `isDone`, for a second at most. */
async function settled(isDone: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !isDone(); tries++) await new Promise((done) => setTimeout(done, 5));
  expect(isDone()).to.equal(true);
}

describe("host: serving Workers to a link", () => {
  let host: Host;
  let link: ReturnType<typeof connect>;
  let api: Remote;

  before(async () => {
    host = await serve({
      port: 0,
      workers: [
        { name: "front", module: { default: Front }, services: [{ binding: "B", service: "api" }] },
        { name: "api", module: { default: Api, simple: { echo: (text: string) => text } } },
      ],
    });
    link = connect(host.url);
    api = link.service<Remote>("api");
  });

  after(async () => {
    link.close();
    await host.close();
  });

  it("calls a method and returns its result", async () => {
    expect(await api.add!(1, 2)).to.equal(3);
  });

  it("makes a fresh instance for each call", async () => {
    const first = await api.instance!();
    expect(await api.instance!()).to.not.equal(first);
  });

  it("pipelines on an object that was not returned yet", async () => {
    using counter = api.counter!() as unknown as Remote & Disposable;
    expect(await counter.increment!(4)).to.equal(4);
    expect(await counter.increment!(3)).to.equal(7);
  });

  it("reads a property of a result that was not returned yet", async () => {
    using profile = api.profile!() as unknown as Disposable & { readonly user: { readonly name: Promise<string> } };
    expect(await profile.user.name).to.equal("Ada");
  });

  it("refuses a call on a result that is no object, before and after that has arrived", async () => {
    const sum = api.add!(1, 2) as unknown as Remote & Promise<number>;
    const early = await failure(sum.increment!(1));
    expect(early).to.be.instanceOf(TypeError);
    expect(early.message).to.equal('The RPC receiver does not implement the method "increment".');
    await sum;
    const late = await failure(sum.increment!(1));
    expect(late.message).to.equal("Can't pipeline on RPC that did not return an object.");
  });

  it("calls a function that the caller passed", async () => {
    expect(await api.twice!((n: number) => n * 10)).to.equal(30);
  });

  it("passes on the type, message and properties of an error", async () => {
    const error = await failure(api.fail!());
    expect(error).to.be.instanceOf(RangeError);
    expect(error.message).to.equal("out of range");
    expect(error.code).to.equal(7);
    expect(error.remote).to.equal(true);
  });

  it("refuses what an entrypoint does not show", async () => {
    for (const name of ["missing", "id", "env", "ctx"]) {
      const error = await failure(api[name]!());
      expect(error.message).to.equal(`The RPC receiver does not implement the method "${name}".`);
    }
    expect((await failure(api.alarm!())).message).to.equal(
      "'alarm' is a reserved method and cannot be called over RPC.",
    );
  });

  it("makes fetch on a service's stub an event, on its duplicates too", async () => {
    const service = link.service<{ fetch(request: Request): Response }>("api");
    const copy = (service as unknown as { dup(): typeof service }).dup();
    for (const stub of [service, copy]) {
      expect((await failure(stub.fetch("http://x.test/"))).message).to.equal(
        "Handler does not export a fetch() function.",
      );
    }
  });

  it("keeps an invocation alive until its waitUntil promises settle", async () => {
    expect(await api.later!()).to.equal("answered");
    expect(host.stats().liveInvocations).to.equal(1);
    finishTask();
    await settled(() => host.stats().liveInvocations === 0);
  });

  it("keeps an invocation open while somebody holds what it handed out", async () => {
    const counter = (await api.counter!()) as Remote & Disposable;
    expect(host.stats().liveInvocations).to.equal(1);
    expect(await counter.increment!(2)).to.equal(2);
    counter[Symbol.dispose]();
    await settled(() => host.stats().liveInvocations === 0);
  });

  it("ends the invocations of a client that is gone", async () => {
    const other = connect(host.url);
    await other.service<Remote>("api").counter!();
    expect(host.stats().liveInvocations).to.equal(1);
    other.close();
    await settled(() => host.stats().liveInvocations === 0);
  });

  it("gives back a duplicate of a parameter that the callee leaked", async () => {
    let disposed = 0;
    const target = Object.assign(() => 1, { [Symbol.dispose]: () => disposed++ });
    await api.leak!(target);
    await settled(() => disposed === 1);
  });

  it("duplicates a target that can be, for each time it is passed, and disposes of the duplicate", async () => {
    const events: string[] = [];
    class Shared extends RpcTarget {
      dup(): Shared {
        events.push("dup");
        return new Shared();
      }
      [Symbol.dispose](): void {
        events.push("dispose");
      }
    }
    const target = new Shared();
    await api.leak!({ dup: target });
    await api.leak!({ dup: target });
    await settled(() => events.length === 4);
    expect(events).to.have.members(["dup", "dispose", "dup", "dispose"]);
  });

  it("runs the disposer of a returned object when the client disposes of the result", async () => {
    const result = (await api.closable!()) as Disposable & { readonly open: boolean };
    expect(result.open).to.equal(true);
    expect(closed).to.equal(0);
    result[Symbol.dispose]();
    await settled(() => closed === 1);
  });

  it("fails the calls of an invocation that aborts itself", async () => {
    expect((await failure(api.abortSelf!())).message).to.equal("given up");
  });

  it("gives a loopback stub of the Worker's own entrypoint, with props", async () => {
    expect(await api.viaExports!("red")).to.equal("red");
  });

  it("calls a Worker of the same host through a binding, from RPC and from HTTP", async () => {
    const front = link.service<Remote>("front");
    expect(await front.viaBinding!(2, 3)).to.equal(5);
    expect(await (await fetch(host.url)).text()).to.equal("3");
  });

  it("calls a function of a plain-object export with its one argument", async () => {
    const simple = link.service<Remote>("api", { entrypoint: "simple" });
    expect(await simple.echo!("hello")).to.equal("hello");
    expect((await failure(simple.echo!("a", "b"))).message).to.match(/^Attempted to call RPC function "echo" with/);
  });

  it("names a service or entrypoint that does not exist", async () => {
    expect((await failure(link.service<Remote>("nobody").x!())).message).to.equal('No such service: "nobody"');
    const missing = link.service<Remote>("api", { entrypoint: "Nope" });
    expect((await failure(missing.x!())).message).to.equal('No such entrypoint: "Nope"');
  });

  it("fails the calls in flight when the link is closed, as retryable", async () => {
    const other = connect(host.url);
    const call = failure(other.service<Remote>("api").twice!(() => new Promise(() => {})));
    await new Promise((done) => setTimeout(done, 20));
    other.close();
    expect((await call).retryable).to.equal(true);
  });

  it("refuses to start with a binding that leads nowhere", async () => {
    const worker = { name: "a", module: { default: Api }, services: [{ binding: "X", service: "gone-away" }] };
    const error = await failure(serve({ port: 0, workers: [worker] }));
    expect(error.message).to.contain("CAPSTAN_SERVICE_GONE_AWAY");
  });

  it("lets calls wait past the bound on invocations, in order, and refuses those past the bound on waiting", async () => {
    const started: number[] = [];
    const finish: (() => void)[] = [];
    class Slow extends WorkerEntrypoint {
      async run(n: number): Promise<number> {
        started.push(n);
        await new Promise<void>((done) => finish.push(done));
        return n;
      }
    }
    const limits = { maxConcurrentInvocations: 2, maxWaitingInvocations: 2 };
    await using small = await serve({ port: 0, limits, workers: [{ name: "slow", module: { default: Slow } }] });
    using own = connect(small.url);
    const slow = own.service<Remote>("slow");
    const calls = [1, 2, 3, 4].map((n) => slow.run!(n));
    const refused = await failure(slow.run!(5));
    expect(refused.overloaded).to.equal(true);
    expect(started).to.deep.equal([1, 2]);
    for (let n = 1; n <= 4; n++) {
      await settled(() => finish.length > 0);
      finish.shift()!();
    }
    expect(await Promise.all(calls)).to.deep.equal([1, 2, 3, 4]);
    expect(started).to.deep.equal([1, 2, 3, 4]);
  });

  it("ends the link of a client that answers no pings, and keeps one that does", async () => {
    const limits = { heartbeatMs: 100 };
    await using quick = await serve({ port: 0, limits, workers: [{ name: "api", module: { default: Api } }] });
    using alive = connect(quick.url);
    await alive.service<Remote>("api").add!(1, 2);
    const url = `${quick.url.replace("http", "ws")}/_capstan`;
    const dead = new WebSocket(url, ["capstan.1"], { autoPong: false });
    await once(dead, "open");
    expect(quick.stats().links).to.equal(2);
    await once(dead, "close");
    await settled(() => quick.stats().links === 1);
    expect(await alive.service<Remote>("api").add!(3, 4)).to.equal(7);
  });
});
