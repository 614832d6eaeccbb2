// A host in a child process under attack, with an honest second link that must not notice.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { connect } from "../../../packages/client/src/index.ts";
import type { LimitOptions } from "../../../packages/wire/src/index.ts";
import { RawPeer } from "./raw-peer.ts";

export type Command = "begin" | "look" | "end";

/** What the host's process says of itself. */
export interface Report {
  /** The longest processor time, in ms, that passed between two turns of its event loop since `begin`. */
  readonly longestMs: number;
  /** What is reachable, after garbage collection. */
  readonly heapBytes: number;
  readonly links: number;
  readonly liveInvocations: number;
}

/** The event loop must turn at least so often. */
const LONGEST_MS = 50;
/** What an attack may leave behind: caches, compiled code. Attacks send far more than this where they want memory. */
const LEFT_BYTES = 8 * 1024 * 1024;
/** A loaded machine may have the collector or the compiler run within a turn: one good try shows that it can be done. */
const TRIES = 6;

interface Api {
  add(a: number, b: number): number;
}

/** Declares hooks that start such a host before the tests of a suite, and end it after them. */
export function attackedHost(limits: LimitOptions = {}): AttackedHost {
  const host = new AttackedHost(limits);
  before(async function () {
    this.timeout(60_000);
    await host.start();
  });
  after(() => host.stop());
  return host;
}

export class AttackedHost {
  readonly #limits: LimitOptions;
  #child: ReturnType<typeof fork> | undefined;
  #url = "";
  #link: ReturnType<typeof connect> | undefined;

  constructor(limits: LimitOptions) {
    this.#limits = limits;
  }

  async start(): Promise<void> {
    const program = fileURLToPath(new URL("./host-program.ts", import.meta.url));
    this.#child = fork(program, [JSON.stringify(this.#limits)], {
      execArgv: ["--conditions=@capstan/source", "--import", "tsx", "--expose-gc"],
    });
    const [ready] = (await once(this.#child, "message")) as [{ readonly url: string }];
    this.#url = ready.url;
    this.#link = connect(this.#url);
    // What runs for the first time is not compiled yet.
    const neighbour = new Neighbour(this.#link.service<Api>());
    await neighbour.stop();
    const peer = await RawPeer.open(this.#url);
    await peer.expectAlive();
    await peer.close();
  }

  async stop(): Promise<void> {
    this.#link?.close();
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.disconnect();
    await ended;
  }

  /** The state of the host now, after garbage collection. */
  look(command: Command = "look"): Promise<Report> {
    return new Promise((resolve, reject) => {
      const child = this.#child;
      if (child === undefined || child.exitCode !== null) {
        reject(new Error("The host's process has ended."));
        return;
      }
      child.once("message", (report: Report) => resolve(report));
      child.send(command);
    });
  }

  /**
   * The state once it `isSo`, or what it still is after a while: links end, and the memory of buffers that were collected is
   * freed, a little later.
   */
  async lookUntil(isSo: (report: Report) => boolean): Promise<Report> {
    let report = await this.look();
    for (let waits = 0; waits < 200 && !isSo(report); waits++) {
      await new Promise((done) => setTimeout(done, 5));
      report = await this.look();
    }
    return report;
  }

  /**
   * Runs `attack` on a link of its own. Whatever it does: the host's event loop turns, its memory comes back, the other
   * link's calls are answered before, during and after.
   */
  async attack(attack: (peer: RawPeer, host: this) => Promise<void>): Promise<void> {
    const link = this.#link;
    if (link === undefined) throw new Error("The host was not started.");
    for (let tries = 1; ; tries++) {
      const peer = await RawPeer.open(this.#url);
      const before = await this.look("begin");
      const neighbour = new Neighbour(link.service<Api>());
      try {
        await attack(peer, this);
      } finally {
        await peer.close();
        await neighbour.stop();
      }
      const { longestMs } = await this.look("end");
      const after = await this.lookUntil(
        ({ links, heapBytes }) => links === 1 && heapBytes - before.heapBytes < LEFT_BYTES,
      );
      expect(after.links, "links").to.equal(1);
      expect(after.liveInvocations, "invocations that live on").to.equal(0);
      expect(after.heapBytes - before.heapBytes, "bytes left behind").to.be.lessThan(LEFT_BYTES);
      if (longestMs <= LONGEST_MS) return;
      if (tries === TRIES) expect(longestMs, "ms that the event loop was blocked").to.be.at.most(LONGEST_MS);
    }
  }
}

/** An honest client that goes on calling. */
class Neighbour {
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(api: { add(a: number, b: number): Promise<number> }) {
    this.#running = this.#run(api);
    this.#running.catch(() => {});
  }

  async #run(api: { add(a: number, b: number): Promise<number> }): Promise<void> {
    // One call is under way when the attack begins; one is made after it has ended.
    for (let i = 0, wasStopped = false; !wasStopped; i++) {
      wasStopped = this.#stopped;
      expect(await api.add(i, 1)).to.equal(i + 1);
      await new Promise((done) => setTimeout(done, 1));
    }
  }

  /** Fails where one of its calls did. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}
