// One suite, two transports: the callee is a Worker of the same host, or of another one over a WebSocket link.
import { expect } from "chai";
import { type Host, type RemoteStats, serve, WorkerEntrypoint } from "../../../packages/host/src/index.ts";
import type { TableSizes } from "../../../packages/vat/src/index.ts";
import type { LimitOptions } from "../../../packages/wire/src/index.ts";
import { type ItemId, titleOf } from "./checklist.ts";

/** What a Worker offers is what the tests find out; types have tests of their own. */
// biome-ignore lint/suspicious/noExplicitAny: see above.
export type Untyped = any;

/** What a test has at hand. */
export interface Stage {
  /** Bindings of a calling Worker to the callee, by the name of the export; `default` is there as `api` too. */
  readonly env: { readonly [name: string]: Untyped };
  /** The callee's binding to its default export. */
  readonly api: Untyped;
  /** The host that runs the callee. */
  readonly host: Host;
  /** What the callee's host reported: failed tasks, throwing disposers. Emptied before each test. */
  readonly reports: unknown[];
  /** Waits until no invocation is alive at the callee; fails after two seconds. */
  idle(): Promise<void>;
}

export interface StageOptions {
  readonly limits?: LimitOptions;
  readonly vars?: { readonly [name: string]: unknown };
  /** `props` that the binding to the default export hands over. */
  readonly props?: { readonly [name: string]: string };
  /** A Worker that the callee has bindings to, by the names of its exports; `default` as BEYOND. */
  readonly beyond?: Module;
  /** Whether the tests leave stubs behind: invocations then live as long as the hosts. */
  readonly leaves?: boolean;
}

type Module = { readonly [name: string]: unknown };

/** Declares the suite `title` twice, once for each transport, with a callee that exports `module`. */
export function onBothTransports(
  title: string,
  module: Module,
  define: (stage: Stage) => void,
  options: StageOptions = {},
): void {
  for (const transport of ["in process", "over a link"] as const) {
    describe(`${title} ${transport}`, () => {
      const stage = new StagedHosts(transport === "over a link", module, options);
      before(() => stage.start());
      beforeEach(() => void stage.reports.splice(0));
      afterEach(() => stage.settle());
      after(() => stage.stop());
      define(stage);
    });
  }
}

/** Groups the tests that show one item of the checklist. */
export function item(id: ItemId, define: () => void): void {
  describe(`${id} ${titleOf(id)}`, define);
}

class StagedHosts implements Stage {
  env: { readonly [name: string]: Untyped } = {};
  readonly reports: unknown[] = [];
  readonly #remote: boolean;
  readonly #module: Module;
  readonly #options: StageOptions;
  readonly #hosts: Host[] = [];
  #tables: TableSizes | undefined;

  constructor(remote: boolean, module: Module, options: StageOptions) {
    this.#remote = remote;
    this.#module = module;
    this.#options = options;
  }

  get api(): Untyped {
    return this.env.api;
  }

  get host(): Host {
    const [host] = this.#hosts;
    if (host === undefined) throw new Error("The stage is not set yet.");
    return host;
  }

  async start(): Promise<void> {
    const { limits = {}, vars, props, leaves = false } = this.#options;
    let env: { readonly [name: string]: Untyped } = {};
    class Caller extends WorkerEntrypoint<{ readonly [name: string]: Untyped }> {
      override fetch(): Response {
        env = this.env;
        return new Response();
      }
    }
    const services = Object.keys(this.#module).map((name) => ({
      binding: name === "default" ? "api" : name,
      service: "callee",
      entrypoint: name,
      ...(name === "default" && props !== undefined ? { props } : {}),
    }));
    const beyond = Object.keys(this.#options.beyond ?? {}).map((name) => ({
      binding: name === "default" ? "BEYOND" : name,
      service: "beyond",
      entrypoint: name,
    }));
    const callee = { name: "callee", module: this.#module, vars, services: beyond };
    const others = this.#options.beyond === undefined ? [] : [{ name: "beyond", module: this.#options.beyond }];
    const caller = { name: "caller", module: { default: Caller }, services };
    const report = (error: unknown): void => void this.reports.push(error);
    const common = { port: 0, limits: { ...limits, ...(leaves ? { gracePeriodMs: 50 } : {}) }, report };
    if (this.#remote) {
      const host = await serve({ ...common, acceptProps: true, workers: [callee, ...others] });
      this.#hosts.push(host);
      this.#hosts.push(await serve({ ...common, workers: [caller], services: { callee: host.url } }));
    } else {
      this.#hosts.push(await serve({ ...common, workers: [caller, callee, ...others] }));
    }
    await fetch(this.#hosts.at(-1)?.url ?? "");
    this.env = env;
    // Each binding asks for its service once, which stays in the tables.
    for (const { binding } of services) env[binding].onRpcBroken(() => {})[Symbol.dispose]();
    await eventually(() => this.#link()?.tables?.questions === 0 || !this.#remote);
    this.#tables = this.#link()?.tables;
  }

  /** After each test: what it opened is closed again, and the link is the one that the suite began with. */
  async settle(): Promise<void> {
    if (this.#options.leaves !== true) await this.idle();
    const { linksOpened } = this.#link() ?? {};
    if (linksOpened !== undefined) expect(linksOpened, "links opened to the callee").to.equal(1);
    if (this.#options.leaves === true) return;
    const isAtBase = (): boolean => JSON.stringify(this.#link()?.tables) === JSON.stringify(this.#tables);
    await eventually(isAtBase).catch(() => expect(this.#link()?.tables).to.deep.equal(this.#tables));
  }

  /** The caller's link to the callee's host; undefined in process. */
  #link(): RemoteStats | undefined {
    return this.#remote ? this.#hosts.at(-1)?.stats().remotes[0] : undefined;
  }

  async stop(): Promise<void> {
    if (this.#options.leaves !== true) await this.idle();
    for (const host of this.#hosts.reverse()) await host.close();
  }

  async idle(): Promise<void> {
    await eventually(() => this.host.stats().liveInvocations === 0);
  }
}

/** Waits until `isDone`; fails after two seconds. */
export async function eventually(isDone: () => boolean): Promise<void> {
  const deadline = Date.now() + 2000;
  while (!isDone() && Date.now() < deadline) await new Promise((done) => setTimeout(done, 2));
  expect(isDone(), String(isDone)).to.equal(true);
}

/** What `promise` fails with. */
export async function failure(promise: PromiseLike<unknown>): Promise<Untyped> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("It did not fail.");
}

/** A promise, and the functions that settle it. */
export function deferred<T = void>(): {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
} {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** Fails with TypeError and exactly this text. */
export async function expectTypeError(promise: PromiseLike<unknown>, message: string): Promise<void> {
  const error = await failure(promise);
  expect(error).to.be.instanceOf(TypeError);
  expect(error.message).to.equal(message);
}
