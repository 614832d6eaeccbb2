// The main job: two hosts in two processes, one link between them. With --once it ends after its calls.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const capstan = fileURLToPath(new URL("../packages/cli/bin/capstan.js", import.meta.url));
const example = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const stayUp = !process.argv.includes("--once");
const children: ChildProcess[] = [];

/** Starts a host and returns its URL. */
async function startHost(name: string, ...flags: string[]): Promise<string> {
  const child = spawn(process.execPath, [capstan, "serve", example(name), "--port", "0", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  const failed = once(child, "exit").then(([code]) => {
    throw new Error(`${name} ended before it was up (exit ${String(code)})`);
  });
  const [line] = (await Promise.race([once(lines, "line"), failed])) as [string];
  failed.catch(() => {});
  const url = line.replace("listening on ", "");
  console.log(`${name}: process ${child.pid}, ${url}`);
  return url;
}

async function show(what: string, url: string): Promise<void> {
  const begun = performance.now();
  const response = await fetch(url);
  const text = (await response.text()).trim();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  console.log(`${what}: ${text}  (${(performance.now() - begun).toFixed(1)} ms)`);
}

/** Ends the hosts as a supervisor would, and waits until they have. */
async function stop(): Promise<void> {
  for (const child of children) child.kill("SIGTERM");
  await Promise.all(children.map((child) => (child.exitCode === null ? once(child, "exit") : undefined)));
}

try {
  const b = await startHost("worker-b");
  const a = await startHost("worker-a", "--service", `worker-b=${b}`);
  await show("worker-a calls worker-b over the link", `${a}/`);
  await show("one call, add(4, 5)", `${a}/add?a=4&b=5`);
  await show("a chain of four calls in one round trip", `${a}/count`);
  if (stayUp) {
    console.log(`\nserving until Ctrl-C; try\n  curl ${a}/\n  curl '${a}/add?a=4&b=5'\n  curl ${a}/count`);
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  }
} finally {
  await stop();
}
