// Several processes behind one port, and the primary process that keeps them: it starts them, replaces those that end,
// and stops them in order. Node's cluster accepts connections here and gives them to the processes in turn.
//
// The group is starting until all serve, then serving, and stopping once it is told to or cannot start. Only while it is
// serving does another process take the place of one that ended.
import cluster, { type Worker as ClusterProcess } from "node:cluster";
import { fileURLToPath } from "node:url";
import type { Note, Order } from "./orders.ts";

/** A process that served so long did not end for what it serves: the next one starts at once. */
const STABLE_MS = 10_000;
/** Before the second start in a row of processes that end soon; twice as long before each one after. */
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;
/** So many starts in a row that fail are enough, where no process serves any more. */
const MAX_FAILED_STARTS = 5;
/** What processes may take to end, beyond the time that their calls get. */
const STOP_SLACK_MS = 5_000;

export interface GroupOptions<Task> {
  /** What each process runs: it calls `joinGroup`. */
  readonly module: URL;
  /** What each is told; goes to it as JSON. */
  readonly task: Task;
  /** How many processes, at least 1. */
  readonly count: number;
  /** 0 takes a free one, the same for all. */
  readonly port: number;
  /** How long calls and tasks get when the group stops, in milliseconds. */
  readonly graceMs: number;
}

/** One of the `count` processes, and those that take its place. */
interface Place {
  process: ClusterProcess | undefined;
  /** When its process began to serve, by `performance.now()`; undefined where it does not. */
  servesSince: number | undefined;
  /** How many of its processes in a row ended before they served. */
  failedStarts: number;
  /** How many in a row ended soon, failed starts among them. */
  soonEnded: number;
  /** Until the next one starts. */
  timer: NodeJS.Timeout | undefined;
}

/** There can be one in a process. */
export class ProcessGroup<Task> {
  readonly #options: GroupOptions<Task>;
  readonly #places: readonly Place[];
  #state: "starting" | "serving" | "stopping" = "starting";
  /** What processes are told: by it the cluster knows the port that they share, as long as one of them listens. */
  #toldPort: number;
  #port: number | undefined;
  #isAnnounced = false;
  #resolveStart: (url: string | undefined) => void = () => {};
  #resolveStop: () => void = () => {};
  #resolveHopeless: () => void = () => {};
  /** Resolves when no process serves any more and none can be started; it was told why. */
  readonly hopeless = new Promise<void>((resolve) => {
    this.#resolveHopeless = resolve;
  });

  /** Throws where this process belongs to somebody else's cluster. */
  constructor(options: GroupOptions<Task>) {
    if (cluster.isWorker) throw new Error("A process of a cluster cannot have several processes of its own.");
    this.#options = options;
    this.#toldPort = options.port;
    this.#places = Array.from({ length: options.count }, () => ({
      process: undefined,
      servesSince: undefined,
      failedStarts: 0,
      soonEnded: 0,
      timer: undefined,
    }));
    cluster.schedulingPolicy = cluster.SCHED_RR;
    cluster.setupPrimary({ exec: fileURLToPath(options.module), args: [] });
    // One that does not listen to anybody must not outlive this one.
    process.on("exit", () => this.#kill());
  }

  /**
   * Starts all processes: the first one alone, so that what is wrong with what they serve is told once. Resolves with
   * the URL when all accept connections; with undefined where one ended before, and it was told why.
   */
  start(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#resolveStart = resolve;
      this.#launch(this.#places[0] as Place);
    });
  }

  /** Gives standard output to the processes. */
  announce(): void {
    this.#isAnnounced = true;
    for (const { process } of this.#places) send(process, { kind: "announced" });
  }

  /** Lets calls and tasks finish. Resolves when all processes are gone. */
  async stop(): Promise<void> {
    this.#state = "stopping";
    for (const { process, timer } of this.#places) {
      clearTimeout(timer);
      send(process, { kind: "stop" });
    }
    const late = setTimeout(() => this.#kill(), this.#options.graceMs + STOP_SLACK_MS);
    await new Promise<void>((resolve) => {
      this.#resolveStop = resolve;
      this.#checkStopped();
    });
    clearTimeout(late);
  }

  #launch(place: Place): void {
    // A port that nobody listens on any more is had by its number alone.
    if (this.#port !== undefined && !this.#isServed) this.#toldPort = this.#port;
    const child = cluster.fork();
    place.process = child;
    const port = this.#toldPort;
    child.on("message", (note: Note) => {
      if (note.kind === "ready") this.#handleReady(place, child, note);
      else if (this.#state === "stopping") send(child, { kind: "stop" });
      else send(child, { kind: "serve", task: this.#options.task, port, serial: child.id });
    });
    child.once("exit", (code: number, signal: string | null) => {
      this.#handleEnd(place, child, signal ?? `code ${code}`, signal === null);
    });
    child.on("error", (error) => {
      if (child.process.pid === undefined) this.#handleEnd(place, child, error.message, false);
    });
  }

  #handleReady(place: Place, child: ClusterProcess, { url, port }: Note & { kind: "ready" }): void {
    if (this.#port !== undefined && port !== this.#port) {
      // Those it was to share a free port with ended meanwhile, so it took another one.
      child.process.kill("SIGKILL");
      return;
    }
    this.#port = port;
    place.servesSince = performance.now();
    place.failedStarts = 0;
    if (this.#isAnnounced) send(child, { kind: "announced" });
    if (this.#state !== "starting") return;
    if (place === this.#places[0]) for (const other of this.#places.slice(1)) this.#launch(other);
    if (this.#places.some(({ servesSince }) => servesSince === undefined)) return;
    this.#state = "serving";
    this.#resolveStart(url);
  }

  /** @param hasSpoken whether it could say itself why it did not start. */
  #handleEnd(place: Place, child: ClusterProcess, how: string, hasSpoken: boolean): void {
    const { servesSince } = place;
    place.process = undefined;
    place.servesSince = undefined;
    const name = child.process.pid === undefined ? "A process" : `Process ${child.process.pid}`;
    const what = `${name} ${servesSince === undefined ? "could not start" : "ended"} (${how})`;
    if (this.#state === "serving") this.#replace(place, servesSince, what);
    else if (this.#state === "starting") {
      if (servesSince !== undefined || !hasSpoken) console.error(`${what}.`);
      this.#giveUp();
      this.#resolveStart(undefined);
    } else this.#checkStopped();
  }

  #replace(place: Place, servesSince: number | undefined, what: string): void {
    if (servesSince === undefined) place.failedStarts++;
    const wasStable = servesSince !== undefined && performance.now() - servesSince >= STABLE_MS;
    place.soonEnded = wasStable ? 0 : place.soonEnded + 1;
    if (place.failedStarts >= MAX_FAILED_STARTS && !this.#isServed) {
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
    if (this.#places.every(({ process }) => process === undefined)) this.#resolveStop();
  }

  get #isServed(): boolean {
    return this.#places.some(({ servesSince }) => servesSince !== undefined);
  }

  #kill(): void {
    for (const { process } of this.#places) process?.process.kill("SIGKILL");
  }
}

/** A process that is gone hears nothing; its end is told by an event. */
function send(to: ClusterProcess | undefined, order: Order<unknown>): void {
  if (to?.isConnected()) to.send(order, () => {});
}
