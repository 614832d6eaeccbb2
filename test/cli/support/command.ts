// The built command, in processes of its own.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const capstan = fileURLToPath(new URL("../../../packages/cli/bin/capstan.js", import.meta.url));
const run = promisify(execFile);
const hosts: ChildProcess[] = [];

/** How a command ended, and what it printed. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command to its end, with `variables` added to its environment. */
export async function commandWith(variables: { readonly [name: string]: string }, ...args: string[]): Promise<Ended> {
  try {
    const env = { ...process.env, ...variables };
    return { code: 0, ...(await run(process.execPath, [capstan, ...args], { cwd: root, timeout: 15_000, env })) };
  } catch (error) {
    return error as Ended;
  }
}

/** Runs the command to its end. */
export function command(...args: string[]): Promise<Ended> {
  return commandWith({}, ...args);
}

/** A host that has printed its first line. */
export interface StartedHost {
  readonly child: ChildProcess;
  readonly firstLine: string;
  readonly url: string;
  /** What it has printed so far. */
  stderr(): string;
}

/** Starts `capstan serve` on a free port. */
export async function startHost(...args: string[]): Promise<StartedHost> {
  const child = spawn(process.execPath, [capstan, "serve", ...args, "--port", "0"], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  hosts.push(child);
  let text = "";
  child.stderr.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [firstLine] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, firstLine, url: firstLine.replace("listening on ", ""), stderr: () => text };
}

/** Ends what `startHost` started. */
export async function endHosts(): Promise<void> {
  for (const child of hosts.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}
