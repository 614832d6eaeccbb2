// Runs the benchmark: round by round, each with processes of its own, so that the spread of the rounds is the spread of
// repeated runs.

import { LinkProxy } from "./link-proxy.ts";
import type { RoundTripLink } from "./load/chains.ts";
import { addErrors, noneSucceeded, totalErrors } from "./load/errors.ts";
import type { Target } from "./load/session.ts";
import type { HostMachine } from "./machine.ts";
import { wireBytes } from "./metrics.ts";
import { COUNTED_CALLS, type PlanOptions, planProcesses, planRound, planWarmUp, type Step } from "./plan.ts";
import type { LoadReply, LoadRequest } from "./processes/load-requests.ts";
import { type ClientProcess, SLACK_MS, START_TIMEOUT_MS, startClient, startHost } from "./processes/start-process.ts";
import type { Progress } from "./progress.ts";
import { type PeerResult, type Reading, record } from "./results.ts";
import { measureProcesses } from "./several-processes.ts";
import { shownUrl } from "./shown-url.ts";

export interface BenchOptions extends PlanOptions {
  /** The host to measure; without one, the benchmark starts its own. */
  readonly url?: string | undefined;
  readonly target: Target;
  readonly rounds: number;
  readonly connections: number;
  /** Milliseconds until a call counts as lost. */
  readonly timeout: number;
  /** Bytes per second of the links that have a delay. */
  readonly bandwidth?: number | undefined;
  /** A directory for CPU profiles of all processes. */
  readonly cpuProf?: string | undefined;
  /** What is not measured though it was meant, a line each. */
  readonly leftOut: readonly string[];
}

/** What a run says while it lasts. */
export interface BenchEvents {
  /** A round is complete. */
  afterRound(): void;
  /** What the host runs on, where its Worker tells. */
  onHost(machine: HostMachine): void;
}

/** What is expected of one round, in milliseconds: its steps, warm-ups and starts. */
export function expectRound(options: BenchOptions): number {
  const steps = planRound(options);
  const start = steps.length > 0 ? options.warmup + 700 : 0;
  return [...steps, ...planProcesses(options)].reduce((sum, { expected }) => sum + expected, start);
}

/**
 * Runs all rounds, and adds what they give to `result`, step by step. Rejects with what ends it before its end; what was
 * measured until then stays.
 *
 * @param heard what it says meanwhile.
 */
export async function runBench(
  options: BenchOptions,
  result: PeerResult,
  progress: Progress,
  heard: BenchEvents,
): Promise<void> {
  for (let round = 1; round <= options.rounds; round++) {
    const say = (name: string, expected: number): void =>
      progress.next(`round ${round} of ${options.rounds}: ${name}`, expected);
    await runRound(options, result, say, heard);
    heard.afterRound();
  }
}

type Say = (name: string, expected: number) => void;

async function runRound(options: BenchOptions, result: PeerResult, say: Say, heard: BenchEvents): Promise<void> {
  const steps = planRound(options);
  if (steps.length > 0) await runOnOneHost(steps, options, result, say, heard);
  for (const step of planProcesses(options)) {
    say(step.name, step.expected);
    recordReply(result, step.name, await named(step.name, measureProcesses(step, options)));
  }
}

/** With a host and a client that are started for it, or a host that runs. */
async function runOnOneHost(
  steps: readonly Step[],
  options: BenchOptions,
  result: PeerResult,
  say: Say,
  heard: BenchEvents,
): Promise<void> {
  say("start", 700);
  const host = options.url === undefined ? startHost(1, options.cpuProf) : undefined;
  const load = startClient(options.cpuProf);
  const proxies: LinkProxy[] = [];
  try {
    const [started] = await Promise.all([host?.next(START_TIMEOUT_MS), load.next(START_TIMEOUT_MS)]);
    const url = options.url ?? (started as { readonly url: string }).url;
    const round = new Round(options, url, load, host?.gone, proxies);
    const connected = await round.connect();
    countCalls(result, connected);
    if (connected.host !== undefined) heard.onHost(connected.host);
    say("warm-up", options.warmup);
    await named("warm-up", round.warmUp());
    for (const step of steps) {
      say(step.name, step.expected);
      recordReply(result, step.name, await named(step.name, round.run(step)));
    }
  } finally {
    await load.stop();
    await host?.stop();
    await Promise.all(proxies.map((proxy) => proxy.stop()));
  }
}

/** Throws where no call of the step succeeded. */
function recordReply(result: PeerResult, name: string, { readings, curves, errors, calls }: LoadReply): void {
  countCalls(result, { errors, calls });
  if (calls === 0) throw new Error(`${name}: ${noneSucceeded(errors)}`);
  record(result, readings, curves);
}

function countCalls(result: PeerResult, { errors, calls }: Pick<LoadReply, "errors" | "calls">): void {
  addErrors(result.errors, errors);
  if (calls !== undefined) result.calls = (result.calls ?? 0) + calls + totalErrors(errors);
}

/** Errors of a step say which it was. */
async function named<T>(step: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw new Error(`${step}: ${(error as Error).message}`);
  }
}

/** One round over running processes. */
class Round {
  private readonly options: BenchOptions;
  private readonly url: string;
  private readonly load: ClientProcess;
  private readonly hostGone: Promise<never> | undefined;
  private readonly proxies: LinkProxy[];

  constructor(
    options: BenchOptions,
    url: string,
    load: ClientProcess,
    hostGone: Promise<never> | undefined,
    proxies: LinkProxy[],
  ) {
    this.options = options;
    this.url = url;
    this.load = load;
    this.hostGone = hostGone;
    this.proxies = proxies;
  }

  async connect(): Promise<LoadReply> {
    const { target, connections, timeout } = this.options;
    try {
      return await this.ask({ kind: "connect", url: this.url, target, connections, timeout }, timeout);
    } catch (error) {
      throw new Error(`cannot measure ${shownUrl(this.url)}: ${(error as Error).message}`);
    }
  }

  async warmUp(): Promise<void> {
    for (const request of planWarmUp(this.options, this.options.target.method !== undefined)) {
      const { calls, errors } = await this.ask(request, request.duration);
      if (calls === 0) throw new Error(noneSucceeded(errors));
    }
  }

  run({ request, expected }: Step): Promise<LoadReply> {
    if (request.kind === "wire") return this.countBytes(request.inFlight);
    if (request.kind === "chains") return this.runChains(request, expected);
    return this.ask(request, expected);
  }

  private async runChains(request: LoadRequest & { kind: "chains" }, expected: number): Promise<LoadReply> {
    const links: RoundTripLink[] = [];
    for (const roundTrip of this.options.roundTrips) {
      // Without a delay there is no need of a proxy, which would cost some time itself.
      const direct = roundTrip === 0 && this.options.bandwidth === undefined;
      links.push({ roundTrip, url: direct ? this.url : await this.through(roundTrip / 2, this.options.bandwidth) });
    }
    return this.ask({ ...request, links }, expected);
  }

  /** Bytes that a proxy sees: of the WebSocket, with its frame headers, without those of TCP and IP. */
  private async countBytes(inFlight: number): Promise<LoadReply> {
    const url = await this.through(0);
    const proxy = this.proxies.at(-1) as LinkProxy;
    const opened = await this.ask({ kind: "open-counted", url }, 0);
    const before = proxy.passed;
    const { calls = 0, errors } = await this.ask({ kind: "counted", calls: COUNTED_CALLS, inFlight }, 0);
    const after = proxy.passed;
    const made = calls + totalErrors(errors);
    const readings: Reading[] = [
      { metric: wireBytes("to host", inFlight), value: (after.toHost - before.toHost) / made },
      { metric: wireBytes("to client", inFlight), value: (after.toClient - before.toClient) / made },
    ];
    addErrors(errors, opened.errors);
    return { readings, curves: [], errors, calls: calls === 0 ? 0 : calls + (opened.calls ?? 0) };
  }

  /** The host's URL behind a proxy of its own. */
  private async through(delay: number, bandwidth?: number): Promise<string> {
    const url = new URL(this.url);
    const port = Number(url.port || 80);
    const proxy = await LinkProxy.start({ host: url.hostname.replace(/^\[|\]$/g, ""), port, delay, bandwidth });
    this.proxies.push(proxy);
    url.hostname = "127.0.0.1";
    url.port = String(proxy.port);
    return url.href;
  }

  private ask(request: LoadRequest, expected: number): Promise<LoadReply> {
    const own = "duration" in request ? request.duration : 0;
    const reply = this.load.ask(request, 3 * expected + own + 2 * this.options.timeout + SLACK_MS);
    if (this.hostGone === undefined) return reply;
    reply.catch(() => {});
    return Promise.race([reply, this.hostGone]);
  }
}
