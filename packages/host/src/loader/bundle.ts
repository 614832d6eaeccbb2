// A Worker's files and packages as one ES module.
import { realpath } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { type BuildFailure, type BuildResult, build, type Message } from "esbuild";
import type { WorkerConfig } from "../config/worker-config.ts";
import { GLOBALS } from "../platform/modules.ts";
import { WorkerLoadError } from "./worker-load-error.ts";
import { workerModules } from "./worker-modules.ts";

/** A Worker's code, ready to be written to a file and imported. */
export interface Bundle {
  /** An ES module, with its source map inline. Both name files relative to the folder of the configuration. */
  readonly code: string;
  /** What the bundler found odd in the Worker's own files: `file:line:column: text`. */
  readonly warnings: readonly string[];
}

/**
 * Bundles `config.main` and all that it imports, for Node 20 and with a Worker's resolution of packages.
 *
 * @param builtins the modules that stay outside, by name, and the file URL of each.
 * @throws WorkerLoadError with one line per mistake.
 */
export async function bundleWorker(config: WorkerConfig, builtins: Readonly<Record<string, string>>): Promise<Bundle> {
  const result = await buildOne(config, builtins);
  // A style sheet that is imported becomes a file of its own, which a Worker has no use for.
  const code = result.outputFiles.find((file) => file.path.endsWith(".mjs"));
  if (code === undefined) throw new WorkerLoadError(config.name, "could not be bundled: there is no output");
  return { code: code.text, warnings: result.warnings.map(formatMessage) };
}

async function buildOne(
  config: WorkerConfig,
  builtins: Readonly<Record<string, string>>,
): Promise<BuildResult<{ write: false }>> {
  try {
    // The bundler takes symbolic links away, so relative names need a root without them.
    const root = await realpath(dirname(config.file));
    return await build({
      absWorkingDir: root,
      entryPoints: [relative(root, await realpath(config.main)).replace(/^(?!\.\.?[\\/])/, "./")],
      outfile: join(root, ".capstan-bundle.mjs"),
      write: false,
      bundle: true,
      format: "esm",
      // As wrangler resolves: a package's build for workers or browsers, and what it replaces for browsers.
      platform: "browser",
      conditions: ["workerd", "worker", "browser"],
      target: "node20",
      charset: "utf8",
      // Error texts name the callee's class.
      keepNames: true,
      sourcemap: "inline",
      define: {
        "process.env.NODE_ENV": '"production"',
        // Node has no `self`.
        self: "globalThis",
      },
      loader: { ".txt": "text", ".html": "text", ".sql": "text" },
      inject: Object.hasOwn(builtins, GLOBALS) ? [GLOBALS] : [],
      plugins: [workerModules(builtins, root)],
      logLevel: "silent",
    });
  } catch (cause) {
    const lines = isBuildFailure(cause) ? cause.errors.map((error) => `\n  ${formatMessage(error)}`).join("") : "";
    const problem = lines === "" ? ` ${cause instanceof Error ? cause.message : String(cause)}` : lines;
    throw new WorkerLoadError(config.name, `could not be bundled:${problem}`, { cause });
  }
}

function isBuildFailure(cause: unknown): cause is BuildFailure {
  return cause instanceof Error && "errors" in cause && Array.isArray(cause.errors) && cause.errors.length > 0;
}

function formatMessage({ text, location }: Message): string {
  if (location === null) return text;
  // The bundler counts columns from 0 and in bytes.
  const before = Buffer.from(location.lineText).subarray(0, location.column).toString();
  return `${location.file}:${location.line}:${before.length + 1}: ${text}`;
}
