// Section a: entrypoints and invocations.
import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";
import { RpcTarget, serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import {
  deferred,
  eventually,
  expectTypeError,
  failure,
  item,
  onBothTransports,
  type Untyped,
} from "./support/transports.ts";

let made = 0;
let task = deferred();
let later: () => void = () => {};
const events: string[] = [];

class Counter extends RpcTarget {
  #count = 0;
  readonly #owner: Api;
  constructor(owner: Api) {
    super();
    this.#owner = owner;
  }
  increment(by = 1): number {
    this.#count += by;
    return this.#count;
  }
  instance(): number {
    return this.#owner.number;
  }
  startTask(): void {
    this.#owner.track(task.promise);
  }
}

class Api extends WorkerEntrypoint<{ readonly COLOR: string }> {
  readonly number = ++made;
  instance(): number {
    return this.number;
  }
  get current(): number {
    return this.number;
  }
  counter(): Counter {
    return new Counter(this);
  }
  pair(): object {
    return { first: new Counter(this), second: () => this.number };
  }
  settings(): object {
    return { theme: { name: "dark" } };
  }
  /** Answers, and goes on in the background until its caller is gone. */
  follow(): string {
    const { signal } = this.ctx;
    const gone = new Promise<void>((done) => signal.addEventListener("abort", () => done()));
    this.ctx.waitUntil(gone.then(() => events.push("caller gone")));
    return "following";
  }
  color(): string {
    return this.env.COLOR;
  }
  props(): unknown {
    return this.ctx.props;
  }
  fail(): void {
    throw new Error("failed");
  }
  async failAfter(): Promise<void> {
    await task.promise;
  }
  track(promise: Promise<unknown>): void {
    this.ctx.waitUntil(promise);
  }
  background(): string {
    this.ctx.waitUntil(task.promise.then(() => events.push("task done")));
    return "answered";
  }
  chained(): void {
    this.ctx.waitUntil(task.promise.then(() => this.ctx.waitUntil(new Promise<void>((done) => void (later = done)))));
  }
  leak(stub: Untyped): string {
    stub.dup();
    return "no stub";
  }
  keep(stub: Untyped): Counter {
    const kept = stub.dup();
    this.ctx.waitUntil(Promise.resolve());
    const counter = new Counter(this);
    Object.assign(Counter, { kept });
    return counter;
  }
  async withProps(props: unknown): Promise<unknown> {
    const own = this.ctx.exports.default as Untyped;
    return await own({ props }).props();
  }
  async named(): Promise<unknown> {
    return await (this.ctx.exports.Named as Untyped).hello();
  }
  async abort(): Promise<void> {
    this.ctx.abort(new RangeError("given up"));
    await new Promise(() => {});
  }
  abortable(): RpcTarget {
    const { ctx } = this;
    class Abortable extends RpcTarget {
      count = 0;
      increment(): number {
        return ++this.count;
      }
      abort(): void {
        ctx.abort(new RangeError("given up"));
      }
    }
    const target = new Abortable();
    return target;
  }
  async watch(): Promise<void> {
    this.ctx.signal.addEventListener("abort", () => events.push("cancelled"));
    events.push("watching");
    await new Promise(() => {});
  }
}

class Named extends WorkerEntrypoint {
  hello(): string {
    return "hello";
  }
}

class Throwing extends WorkerEntrypoint {
  constructor(ctx: never, env: never) {
    super(ctx, env);
    throw new RangeError("no instance today");
  }
  hello(): string {
    return "never";
  }
}

class Own extends WorkerEntrypoint {
  readonly #env: unknown;
  constructor(ctx: never, env: { readonly COLOR: string }) {
    super(ctx, env);
    this.#env = env;
  }
  same(): boolean {
    return this.#env === this.env;
  }
}

const handlers = {
  greet: (name: string, env: { readonly COLOR: string }) => `${name} likes ${env.COLOR}`,
  context: (_: unknown, _env: unknown, ctx: object) => ctx.constructor.name,
  four: (_a: unknown, _b: unknown, _c: unknown, _d: unknown) => "never",
};

const module = { default: Api, Named, Throwing, Own, handlers };

onBothTransports(
  "a. Entrypoints and invocations",
  module,
  (stage) => {
    beforeEach(() => {
      task = deferred();
      events.length = 0;
    });

    item("a.1", () => {
      it("makes a fresh instance for each call", async () => {
        const first = await stage.api.instance();
        expect(await stage.api.instance()).to.equal(first + 1);
      });

      it("makes a fresh instance for each property that is awaited", async () => {
        const first = await stage.api.current;
        expect(await stage.api.current).to.equal(first + 1);
      });

      it("keeps calls on returned stubs, and pipelined ones, in their invocation", async () => {
        using counter = await stage.api.counter();
        const instance = await counter.instance();
        expect(await counter.instance()).to.equal(instance);
        using pipelined = stage.api.counter();
        expect(await pipelined.increment(2)).to.equal(2);
        expect(await pipelined.increment(2)).to.equal(4);
        expect(await pipelined.instance()).to.equal(instance + 1);
      });
    });

    item("a.2", () => {
      it("serves named exports beside the default one", async () => {
        expect(await stage.env.Named.hello()).to.equal("hello");
      });

      it("names an entrypoint that does not exist", async () => {
        using link = connect(stage.host.url);
        const missing: Untyped = link.service("callee", { entrypoint: "Nowhere" });
        expect((await failure(missing.hello())).message).to.equal('No such entrypoint: "Nowhere"');
      });
    });

    item("a.3", () => {
      it("sets env and ctx without a constructor, and with one that passes them on", async () => {
        expect(await stage.api.color()).to.equal("green");
        expect(await stage.env.Own.same()).to.equal(true);
      });

      it("shows neither env nor ctx", async () => {
        for (const name of ["env", "ctx"]) {
          await expectTypeError(stage.api[name], `The RPC receiver does not implement the method "${name}".`);
        }
      });

      it("fails a call whose instance cannot be made", async () => {
        const error = await failure(stage.env.Throwing.hello());
        expect(error).to.be.instanceOf(RangeError);
        expect(error.message).to.equal("no instance today");
        await stage.idle();
      });
    });

    item("a.4", () => {
      it("hands env and ctx to a handler behind the client's argument", async () => {
        expect(await stage.env.handlers.greet("Ada")).to.equal("Ada likes green");
        expect(await stage.env.handlers.context(1)).to.equal("ExecutionContext");
      });

      it("refuses more or less than one argument", async () => {
        const text =
          'Attempted to call RPC function "greet" with the wrong number of arguments. When calling a top-level handler function that is not declared as part of a class, you must always send exactly one argument. In order to support variable numbers of arguments, the server must use class-based syntax (extending WorkerEntrypoint) instead.';
        await expectTypeError(stage.env.handlers.greet(), text);
        await expectTypeError(stage.env.handlers.greet(1, 2), text);
      });

      it("refuses handlers of more than three parameters", async () => {
        await expectTypeError(
          stage.env.handlers.four(1),
          'Cannot call handler function "four" over RPC because it has the wrong number of arguments. A simple function handler can only be called over RPC if it has exactly the arguments (arg, env, ctx), where only the first argument comes from the client. To support multi-argument RPC functions, use class-based syntax (extending WorkerEntrypoint) instead.',
        );
      });
    });

    item("a.5", () => {
      it("ends with a plain result", async () => {
        await stage.api.instance();
        await stage.idle();
      });

      it("ends with a failure", async () => {
        await failure(stage.api.fail());
        await stage.idle();
      });

      it("ends with an object that nobody disposes of, though calls were pipelined on it", async () => {
        const call = stage.api.settings();
        const theme = call.theme.name;
        expect(await theme).to.equal("dark");
        expect(await call).to.deep.equal({ theme: { name: "dark" } });
        expect(await call.theme.name).to.equal("dark");
        await stage.idle();
      });

      it("lasts while a stub is held, and each stub counts", async () => {
        const pair = await stage.api.pair();
        const first = pair.first.dup();
        pair[Symbol.dispose]();
        expect(stage.host.stats().liveInvocations).to.equal(1);
        expect(await first.increment()).to.equal(1);
        first[Symbol.dispose]();
        await stage.idle();
      });
    });

    item("a.6", () => {
      it("gives a leaked duplicate back when the call returned no stub", async () => {
        let disposed = 0;
        const target = Object.assign(() => {}, { [Symbol.dispose]: () => disposed++ });
        expect(await stage.api.leak(target)).to.equal("no stub");
        await eventually(() => disposed === 1);
        await stage.idle();
      });

      it("keeps it as long as the caller holds a returned stub", async () => {
        let disposed = 0;
        const target = Object.assign(() => {}, { [Symbol.dispose]: () => disposed++ });
        const counter = await stage.api.keep(target);
        expect(await counter.increment()).to.equal(1);
        expect(disposed).to.equal(0);
        counter[Symbol.dispose]();
        await eventually(() => disposed === 1);
        await stage.idle();
      });
    });

    item("a.7", () => {
      it("answers before its tasks are done, and lasts until they are", async () => {
        expect(await stage.api.background()).to.equal("answered");
        expect(events).to.deep.equal([]);
        expect(stage.host.stats().liveInvocations).to.equal(1);
        task.resolve();
        await stage.idle();
        expect(events).to.deep.equal(["task done"]);
      });

      it("takes tasks from tasks", async () => {
        await stage.api.chained();
        task.resolve();
        await new Promise((done) => setTimeout(done, 10));
        expect(stage.host.stats().liveInvocations).to.equal(1);
        later();
        await stage.idle();
      });

      it("takes tasks from the methods of stubs", async () => {
        using counter = await stage.api.counter();
        await counter.startTask();
        counter[Symbol.dispose]();
        await new Promise((done) => setTimeout(done, 10));
        expect(stage.host.stats().liveInvocations).to.equal(1);
        task.resolve();
        await stage.idle();
      });

      it("outlives a caller whose link is gone", async () => {
        const link = connect(stage.host.url);
        await (link.service("callee") as Untyped).background();
        link.close();
        await eventually(() => stage.host.stats().links <= 1);
        expect(stage.host.stats().liveInvocations).to.equal(1);
        task.resolve();
        await stage.idle();
        expect(events).to.deep.equal(["task done"]);
      });

      it("reports a task that fails, and leaves the result alone", async () => {
        expect(await stage.api.background()).to.equal("answered");
        task.reject(new Error("the task failed"));
        await stage.idle();
        expect(stage.reports.map((error) => (error as Error).message)).to.deep.equal(["the task failed"]);
      });

      it("gives tasks a limited time after the caller is done", async () => {
        const reports: Untyped[] = [];
        await using host = await serve({
          port: 0,
          limits: { waitUntilTimeoutMs: 20 },
          report: (error) => reports.push(error),
          workers: [{ name: "callee", module }],
        });
        using link = connect(host.url);
        await (link.service("callee") as Untyped).background();
        await eventually(() => host.stats().liveInvocations === 0);
        expect(reports[0].message).to.equal(
          "waitUntil() tasks did not complete within the allowed time after invocation end and have been cancelled.",
        );
      });
    });

    item("a.9", () => {
      it("takes props from the binding", async () => {
        expect(await stage.api.props()).to.deep.equal({ tenant: "acme" });
      });

      it("has empty props where the binding names none", async () => {
        using link = connect(stage.host.url);
        expect(await (link.service("callee") as Untyped).props()).to.deep.equal({});
      });

      it("is refused props by a caller that is not trusted", async () => {
        await using host = await serve({ port: 0, workers: [{ name: "callee", module }] });
        using link = connect(host.url);
        await expectTypeError(
          (link.service("callee", { props: { tenant: "evil" } }) as Untyped).props(),
          "This host takes no props from its callers: it must be served with acceptProps.",
        );
      });

      it("makes loopback bindings to its own entrypoints, with props", async () => {
        expect(await stage.api.named()).to.equal("hello");
        expect(await stage.api.withProps({ a: [1] })).to.deep.equal({ a: [1] });
        expect(await stage.api.withProps(undefined)).to.deep.equal({});
      });

      it("fails all calls in flight when it aborts itself", async () => {
        const error = await failure(stage.api.abort());
        expect(error).to.be.instanceOf(RangeError);
        expect(error.message).to.equal("given up");
      });

      it("fails its HTTP request when it aborts itself", async () => {
        const reports: unknown[] = [];
        const handler = {
          fetch(_request: Request, _env: unknown, ctx: Untyped): Response {
            ctx.abort(new RangeError("given up"));
            return new Response("went on");
          },
        };
        await using host = await serve({
          port: 0,
          workers: [{ name: "aborting", module: { default: handler } }],
          report: (error) => void reports.push(error),
        });
        expect((await fetch(host.url)).status).to.equal(500);
        expect(reports.map((error) => (error as Error).message)).to.deep.equal(["given up"]);
        expect(host.stats().liveInvocations).to.equal(0);
      });

      it("refuses calls that come after it aborted itself", async () => {
        using target = await stage.api.abortable();
        expect(await target.increment()).to.equal(1);
        for (const call of [target.abort(), target.increment(), target.increment()]) {
          expect((await failure(call)).message).to.equal("given up");
        }
      });
    });

    item("a.10", () => {
      it("fires when the caller disposes of the pending call", async () => {
        const call = stage.api.watch();
        await eventually(() => events.length === 1);
        call[Symbol.dispose]();
        await eventually(() => events.length === 2);
        expect(events).to.deep.equal(["watching", "cancelled"]);
      });

      it("fires when the link is lost while tasks go on after the answer", async () => {
        const link = connect(stage.host.url);
        expect(await (link.service("callee") as Untyped).follow()).to.equal("following");
        expect(events).to.deep.equal([]);
        link.close();
        await eventually(() => events.length === 1);
        expect(events).to.deep.equal(["caller gone"]);
        await stage.idle();
      });

      it("fires when the caller's link is lost", async () => {
        const link = connect(stage.host.url);
        const call = failure((link.service("callee") as Untyped).watch());
        await eventually(() => events.length === 1);
        link.close();
        expect((await call).retryable).to.equal(true);
        await eventually(() => events.length === 2);
      });
    });
  },
  { vars: { COLOR: "green" }, props: { tenant: "acme" } },
);
