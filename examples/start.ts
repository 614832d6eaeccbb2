// The main job: two hosts in two processes, one link between them. With --once it ends after its calls.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const capstan = fileURLToPath(new URL("../packages/cli/bin/capstan.js", import.meta.url));
const example = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const stayUp = !process.argv.includes("--once");

interface RunningHost {
  readonly name: string;
  readonly child: ChildProcess;
  /** How it ended, once it has: `exit 1`, `SIGKILL`. */
  readonly ended: Promise<string>;
}
const hosts: RunningHost[] = [];

/** Starts a host and returns its URL. */
async function startHost(name: string, ...flags: string[]): Promise<string> {
  const child = spawn(process.execPath, [capstan, "serve", example(name), "--port", "0", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
    // A group of its own: Ctrl-C reaches this process alone, which ends the hosts with one signal each.
    detached: true,
  });
  const ended = once(child, "exit").then(([code, signal]) => String(signal ?? `exit ${code}`));
  hosts.push({ name, child, ended });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, "line") as Promise<[string]>, deathOf(name, ended)]);
  const url = line.replace("listening on ", "");
  console.log(`${name}: process ${child.pid}, ${url}`);
  return url;
}

async function deathOf(name: string, ended: Promise<string>): Promise<never> {
  throw new Error(`${name} has ended (${await ended})`);
}

async function show(what: string, url: string): Promise<void> {
  const begun = performance.now();
  const response = await fetch(url);
  const text = (await response.text()).trim();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  console.log(`${what}: ${text}  (${(performance.now() - begun).toFixed(1)} ms)`);
}

/** Ends the hosts as a supervisor would, and waits until they have; a second signal ends them at once. */
async function stop(): Promise<void> {
  for (const { child } of hosts) child.kill("SIGTERM");
  const endAtOnce = (): void => {
    for (const { child } of hosts) child.kill("SIGKILL");
  };
  for (const signal of SIGNALS) process.on(signal, endAtOnce);
  for (const { name, ended } of hosts) {
    const how = await ended;
    if (how === "exit 0") continue;
    console.error(`${name} has ended (${how})`);
    process.exitCode = 1;
  }
  for (const signal of SIGNALS) process.off(signal, endAtOnce);
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
// From the start on: the hosts would outlive a process that a signal ends.
const signalled = Promise.race(SIGNALS.map((signal) => once(process, signal)));

async function main(): Promise<void> {
  const b = await startHost("worker-b");
  const a = await startHost("worker-a", "--service", `worker-b=${b}`);
  await show("worker-a calls worker-b over the link", `${a}/`);
  await show("one call, add(4, 5)", `${a}/add?a=4&b=5`);
  await show("a chain of four calls in one round trip", `${a}/count`);
  if (!stayUp) return;
  console.log(`\nserving until Ctrl-C; try\n  curl ${a}/\n  curl '${a}/add?a=4&b=5'\n  curl ${a}/count`);
  await Promise.race(hosts.map(({ name, ended }) => deathOf(name, ended)));
}

try {
  await Promise.race([main(), signalled]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await stop();
}
