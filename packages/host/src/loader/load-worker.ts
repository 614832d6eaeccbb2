// From a Worker's configuration to its exports.
import { realpath, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import type { WorkerConfig } from "../config/worker-config.ts";
import { bundleWorker } from "./bundle.ts";
import { rememberBundle } from "./error-text.ts";
import { withPrivateFolder } from "./private-folder.ts";
import { sourcePosition } from "./source-position.ts";
import { WorkerLoadError } from "./worker-load-error.ts";

/** A Worker whose module has run. */
export interface LoadedWorker {
  /** As its configuration has it. */
  readonly name: string;
  /** All exports of its module, "default" among them, in an object without a prototype. */
  readonly exports: Readonly<Record<string, unknown>>;
  /** What the bundler found odd in the Worker's own files: `file:line:column: text`. For people. */
  readonly warnings: readonly string[];
}

/** How a Worker is loaded. */
export interface LoadOptions {
  /**
   * The platform's modules, e.g. `{ "cloudflare:workers": "file:///…" }`: the name that Workers import, and the file URL
   * of the module that they get. It is shared with the host and with all other Workers, not bundled.
   */
  readonly builtins: Readonly<Record<string, string>>;
  /** How long the module may take to run its top level, in milliseconds. Default 30,000. */
  readonly timeout?: number;
}

const DEFAULT_TIMEOUT = 30_000;

const SERVICE_WORKER =
  'addEventListener() is the syntax of service workers, which is not supported: use "export default { fetch(request, env, ctx) {} }"';

/**
 * Bundles the Worker's module and runs it. Each call makes an instance of its own: nothing at the module's top level is
 * shared with an earlier load.
 *
 * @throws WorkerLoadError, as a rejection. Nothing is left on the disk in any case.
 */
export async function loadWorker(config: WorkerConfig, options: LoadOptions): Promise<LoadedWorker> {
  const { code, warnings } = await bundleWorker(config, options.builtins);
  const namespace = await withPrivateFolder(async (folder) => {
    const file = join(folder, `${config.name}.mjs`);
    await writeFile(file, code, { mode: 0o600 });
    const url = pathToFileURL(file).href;
    rememberBundle(file, code, await realpath(dirname(config.file)));
    const forgetExit = reportExit(config.name);
    try {
      return await within(
        options.timeout ?? DEFAULT_TIMEOUT,
        config.name,
        import(url) as Promise<Record<string, unknown>>,
      );
    } catch (cause) {
      if (cause instanceof WorkerLoadError) throw cause;
      const position = sourcePosition(cause, file, code);
      const place = position === undefined ? "" : ` (${position})`;
      const problem = `threw while it was loaded: ${withNames(describe(cause), options.builtins)}${place}`;
      throw new WorkerLoadError(config.name, problem, { cause });
    } finally {
      forgetExit();
    }
  });
  const exports: Record<string, unknown> = Object.assign(Object.create(null), namespace);
  if (!Object.values(exports).some(canServe)) {
    throw new WorkerLoadError(
      config.name,
      "exports nothing that can be called: it needs a class that extends WorkerEntrypoint, or a default export with handlers",
    );
  }
  return { name: config.name, exports, warnings };
}

/** A top level that ends the process would do so without a word. */
function reportExit(worker: string): () => void {
  const report = (code: number): void => {
    console.error(`Worker "${worker}" ended the process (exit code ${code}) while it was loaded.`);
    if (code === 0) process.exitCode = 1;
  };
  process.on("exit", report);
  return () => process.off("exit", report);
}

function canServe(value: unknown): boolean {
  return typeof value === "function" || (typeof value === "object" && value !== null);
}

async function within<T>(timeout: number, worker: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const problem = `did not finish loading within ${timeout} ms: an await at its top level is still waiting`;
    timer = setTimeout(() => reject(new WorkerLoadError(worker, problem)), timeout);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return inspect(thrown);
  if (/^(globalThis\.)?addEventListener is not /.test(thrown.message)) return SERVICE_WORKER;
  return thrown.message === "" ? thrown.name : `${thrown.name}: ${thrown.message}`;
}

/** Node names a platform module by the URL that it got; its author knows it by the name that Workers import. */
function withNames(text: string, builtins: Readonly<Record<string, string>>): string {
  return Object.entries(builtins).reduce((result, [name, url]) => result.replaceAll(url, name), text);
}
