// What a Worker may import besides its own files: the platform's modules, Node's, and data.
import { readFile } from "node:fs/promises";
import { builtinModules, isBuiltin } from "node:module";
import { relative } from "node:path";
import type { OnResolveArgs, OnResolveResult, Plugin } from "esbuild";

/** Imported by the module that stands in for a data file; resolves to that file's bytes. */
const BYTES = "capstan-bytes";
/** Where the texts of platform modules are. */
const PLATFORM = "capstan-platform";
/** Stands between a CommonJS `require()` and a module that stays outside of the bundle. */
const REQUIRED = "capstan-required";

const BARE_NODE_MODULES = new RegExp(`^(?:${builtinModules.filter((name) => !name.startsWith("_")).join("|")})$`);

/** What a data file exports as default, given its bytes. As wrangler's default rules have it. */
const DATA_MODULES: Readonly<Record<string, string>> = {
  ".bin": "bytes.buffer",
  ".wasm": "new WebAssembly.Module(bytes)",
};

/**
 * The esbuild plugin for a Worker's imports.
 *
 * @param builtins the platform's modules, e.g. "cloudflare:workers", and the file URL of each, or its text: that
 * is bundled, and what it imports by file URL is not. Other `cloudflare:` modules are errors of the bundle.
 * @param root absolute; data files are named relative to it.
 */
export function workerModules(builtins: Readonly<Record<string, string>>, root: string): Plugin {
  return {
    name: "capstan",
    setup(build) {
      build.onResolve({ filter: /^(?:cloudflare|capstan):/ }, (args) => {
        const given = Object.hasOwn(builtins, args.path) ? builtins[args.path] : undefined;
        if (given === undefined)
          return noSuchModule(
            args.path,
            Object.keys(builtins).filter((name) => name.startsWith("cloudflare:")),
          );
        if (!given.startsWith("file:")) return { path: args.path, namespace: PLATFORM };
        return outside(args, args.path, given);
      });
      build.onLoad({ filter: /.*/, namespace: PLATFORM }, ({ path }) => ({
        contents: builtins[path] ?? "",
        loader: "js",
      }));
      // What a platform module passes on is evaluated only where the Worker uses it.
      build.onResolve({ filter: /^file:/ }, ({ path, namespace }) =>
        namespace === PLATFORM ? { path, external: true, sideEffects: false } : undefined,
      );
      build.onResolve({ filter: /^node:/ }, (args) =>
        isBuiltin(args.path) ? outside(args, args.path) : noSuchModule(args.path),
      );
      build.onResolve({ filter: BARE_NODE_MODULES }, async (args) => {
        if (args.pluginData === BARE_NODE_MODULES) return undefined;
        // A package of that name, or a package's own replacement for browsers, goes first.
        const { path, kind, importer, namespace, resolveDir } = args;
        const found = await build.resolve(path, {
          kind,
          importer,
          namespace,
          resolveDir,
          pluginData: BARE_NODE_MODULES,
        });
        return found.errors.length === 0 ? undefined : outside(args, `node:${path}`);
      });
      build.onLoad({ filter: /.*/, namespace: REQUIRED }, ({ path }) => {
        // `module.exports` beside an import makes it CommonJS, whose export is what `require()` returns.
        const what = path.startsWith("node:") ? "module_" : "* as module_";
        return { contents: `import ${what} from ${JSON.stringify(path)};\nmodule.exports = module_;`, loader: "js" };
      });

      build.onLoad({ filter: /\.(?:bin|wasm)$/, namespace: "file" }, ({ path }) => {
        const value = DATA_MODULES[path.slice(path.lastIndexOf("."))];
        const contents = `import bytes from "${BYTES}";\nexport default ${value};`;
        return { contents, loader: "js", pluginData: { bytesOf: path } };
      });
      build.onResolve({ filter: new RegExp(`^${BYTES}$`) }, ({ pluginData }) => {
        const file = (pluginData as { bytesOf?: string } | undefined)?.bytesOf;
        return file === undefined ? undefined : { path: relative(root, file), namespace: BYTES, pluginData: file };
      });
      build.onLoad({ filter: /.*/, namespace: BYTES }, async ({ pluginData }) => ({
        contents: await readFile(pluginData as string),
        loader: "binary",
      }));
    },
  };
}

/** `args` imports the module `name`, which is not bundled but imported from `specifier` when the bundle is. */
function outside(args: OnResolveArgs, name: string, specifier = name): OnResolveResult {
  // A bundle is an ES module and has no `require`.
  if (args.kind === "require-call") return { path: name, namespace: REQUIRED };
  return { path: specifier, external: true };
}

function noSuchModule(name: string, others: readonly string[] = []): OnResolveResult {
  const offer = others.length === 0 ? "" : ` (there is ${others.join(", ")})`;
  return { errors: [{ text: `There is no module "${name}"${offer}` }] };
}
