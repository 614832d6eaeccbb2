// Several processes behind one port, and the primary process that keeps them: it starts them, replaces those that end,
// and stops them in order.
//
// The group is starting until all have loaded what they serve, then serving, and stopping once it is told to or cannot
// serve. Only while it is serving does another process take the place of one that ended.
import { type ChildProcess, fork } from "node:child_process";
import type { AddressInfo } from "node:net";
import type { Note, Order } from "./messages.ts";
import { SharedPort } from "./port.ts";

/** A process that served so long did not end for what it serves: the next one starts at once. */
const STABLE_MS = 10_000;
/** Before the second start in a row of processes that end soon; twice as long before each one after. */
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;
/** So many starts in a row that fail are enough, where no process serves any more. */
const MAX_FAILED_STARTS = 5;
/** What processes may take to end, beyond the time that their calls get. */
const STOP_SLACK_MS = 5_000;

/** What runs, how often, and where. */
export interface GroupOptions<Task> {
  /** What each process runs: it calls `joinGroup`. */
  readonly module: URL;
  /** What each is told to serve; goes to it as JSON. */
  readonly task: Task;
  /** How many processes, at least 1. */
  readonly count: number;
  /** 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  /** How long calls and tasks get when the group stops, in milliseconds. */
  readonly graceMs: number;
}

/** One of the `count` processes, and those that take its place. */
interface Place {
  child: ChildProcess | undefined;
  isLoaded: boolean;
  /** When its process got its first connections, by `performance.now()`; undefined where it does not serve. */
  servesSince: number | undefined;
  /** How many of its processes in a row ended before they served. */
  failedStarts: number;
  /** How many in a row ended soon, failed starts among them. */
  soonEnded: number;
  /** Until the next one starts. */
  timer: NodeJS.Timeout | undefined;
}

/** Runs and watches the processes; there are none before `start`. */
export class ProcessGroup<Task> {
  readonly #options: GroupOptions<Task>;
  readonly #places: readonly Place[];
  readonly #port = new SharedPort();
  #state: "starting" | "serving" | "stopping" = "starting";
  #started = 0;
  /** Where it listens, once processes are given connections. */
  #address: AddressInfo | undefined;
  #resolveLoaded: (areLoaded: boolean) => void = () => {};
  #resolveStop: () => void = () => {};
  #resolveHopeless: () => void = () => {};
  /** Resolves when no process serves any more and none can be started; it was told why. */
  readonly hopeless = new Promise<void>((resolve) => {
    this.#resolveHopeless = resolve;
  });

  constructor(options: GroupOptions<Task>) {
    this.#options = options;
    this.#places = Array.from({ length: options.count }, () => ({
      child: undefined,
      isLoaded: false,
      servesSince: undefined,
      failedStarts: 0,
      soonEnded: 0,
      timer: undefined,
    }));
    // One that listens to nobody must not outlive this one.
    process.on("exit", () => this.#kill());
  }

  /**
   * Starts all processes: the first one alone, so that what is wrong with what they serve is told once. Then it listens,
   * calls `announce` with the URL, and leaves standard output and the connections to the processes. Resolves with whether
   * that came about: not where a process ended before, which was told, or where it was stopped. Rejects with the system's
   * error for a port that cannot be had.
   */
  async start(announce: (url: string) => void): Promise<boolean> {
    const areLoaded = await new Promise<boolean>((resolve) => {
      this.#resolveLoaded = resolve;
      this.#launch(this.#places[0] as Place);
    });
    if (!areLoaded) return false;
    const address = await this.#port.listen(this.#options.port, this.#options.host);
    if (this.#state === "stopping") return false;
    this.#address = address;
    announce(`http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`);
    for (const place of this.#places) if (place.isLoaded) this.#open(place, address);
    return true;
  }

  /** Takes no more connections, and lets calls and tasks finish. Resolves when all processes are gone. */
  async stop(): Promise<void> {
    this.#state = "stopping";
    this.#port.close();
    for (const { child, timer } of this.#places) {
      clearTimeout(timer);
      send(child, { kind: "stop" });
    }
    const late = setTimeout(() => this.#kill(), this.#options.graceMs + STOP_SLACK_MS);
    await new Promise<void>((resolve) => {
      this.#resolveStop = resolve;
      this.#checkStopped();
    });
    clearTimeout(late);
  }

  #launch(place: Place): void {
    const child = fork(this.#options.module, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    place.child = child;
    child.on("message", ({ kind }: Note) => {
      if (kind === "taken") this.#port.handleTaken(child);
      else if (kind === "closed") this.#port.handleClosed(child);
      else this.#handleLoaded(place);
    });
    child.once("exit", (code, signal) => this.#handleEnd(place, child, signal ?? `code ${code}`, signal === null));
    child.on("error", (error) => {
      if (child.pid === undefined) this.#handleEnd(place, child, error.message, false);
    });
    send(child, { kind: "load", task: this.#options.task, serial: ++this.#started });
  }

  #handleLoaded(place: Place): void {
    place.isLoaded = true;
    if (this.#state === "starting") {
      if (place === this.#places[0]) for (const other of this.#places.slice(1)) this.#launch(other);
      if (this.#places.some(({ isLoaded }) => !isLoaded)) return;
      this.#state = "serving";
      this.#resolveLoaded(true);
    } else if (this.#state === "serving" && this.#address !== undefined) this.#open(place, this.#address);
  }

  #open(place: Place, address: AddressInfo): void {
    place.servesSince = performance.now();
    place.failedStarts = 0;
    send(place.child, { kind: "open", address });
    this.#port.add(place.child as ChildProcess);
  }

  /** @param hasSpoken whether it could say itself why it did not start. */
  #handleEnd(place: Place, child: ChildProcess, how: string, hasSpoken: boolean): void {
    const { isLoaded, servesSince } = place;
    place.child = undefined;
    place.isLoaded = false;
    place.servesSince = undefined;
    this.#port.remove(child);
    const name = child.pid === undefined ? "A process" : `Process ${child.pid}`;
    const what = `${name} ${isLoaded ? "ended" : "could not start"} (${how})`;
    if (this.#state === "serving") this.#replace(place, what, isLoaded, servesSince);
    else if (this.#state === "starting") {
      if (isLoaded || !hasSpoken) console.error(`${what}.`);
      this.#giveUp();
      this.#resolveLoaded(false);
    } else this.#checkStopped();
  }

  #replace(place: Place, what: string, wasLoaded: boolean, servedSince: number | undefined): void {
    if (!wasLoaded) place.failedStarts++;
    const wasStable = servedSince !== undefined && performance.now() - servedSince >= STABLE_MS;
    place.soonEnded = wasStable ? 0 : place.soonEnded + 1;
    if (place.failedStarts >= MAX_FAILED_STARTS && this.#places.every(({ servesSince }) => servesSince === undefined)) {
      console.error(`${what}, as ${MAX_FAILED_STARTS} in a row did. None serves any more: that is the end.`);
      this.#giveUp();
      this.#resolveHopeless();
      return;
    }
    console.error(`${what}; another one takes its place.`);
    const delay = place.soonEnded < 2 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (place.soonEnded - 2), MAX_DELAY_MS);
    place.timer = setTimeout(() => this.#launch(place), delay);
  }

  #giveUp(): void {
    this.#state = "stopping";
    for (const { timer } of this.#places) clearTimeout(timer);
    this.#kill();
  }

  #checkStopped(): void {
    if (this.#places.every(({ child }) => child === undefined)) this.#resolveStop();
  }

  #kill(): void {
    for (const { child } of this.#places) child?.kill("SIGKILL");
  }
}

/** A process that is gone hears nothing; its end is told by an event. */
function send(to: ChildProcess | undefined, order: Order<unknown>): void {
  if (to?.connected) to.send(order, () => {});
}
