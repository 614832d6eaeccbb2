// Reading a Worker's configuration: the same files that wrangler reads.
import { readFile, stat } from "node:fs/promises";
import { dirname, extname, join, resolve } from "node:path";
import { ConfigError } from "./config-error.ts";
import {
  HARMLESS_KEYS,
  IGNORED_KEYS,
  IGNORED_SERVICE_KEYS,
  READ_KEYS,
  UNSUPPORTED_BINDINGS,
  unsupportedBindingNames,
} from "./known-keys.ts";
import { parseConfigText, type Syntax } from "./parse.ts";
import { checkConfig, formatPath, type JsonValue, type RawConfig } from "./schema.ts";
import { didYouMean, suggest } from "./suggest.ts";

export type { JsonValue } from "./schema.ts";

/** What a Worker's configuration says. */
export interface WorkerConfig {
  /** The service's name: lower-case letters, digits, `-`, `_`. */
  readonly name: string;
  /** Absolute path of the module that the Worker starts with, JavaScript or TypeScript. It existed when it was read. */
  readonly main: string;
  /** Absolute path of the configuration file. */
  readonly file: string;
  /** Become `env.NAME`, as they are. */
  readonly vars: Readonly<Record<string, JsonValue>>;
  /** In the order of the file. No two have the same name, and none has that of a var. */
  readonly services: readonly ServiceBinding[];
  /** `YYYY-MM-DD`. */
  readonly compatibilityDate?: string;
  readonly compatibilityFlags: readonly string[];
  /** What the file asks for and won't get, one line each, each with the file in front. For people. */
  readonly warnings: readonly string[];
}

/** `env[binding]` calls an entrypoint of another Worker. */
export interface ServiceBinding {
  /** An identifier. */
  readonly binding: string;
  /** The name of the Worker that is called. */
  readonly service: string;
  /** The export that is called; the default export where it is missing. */
  readonly entrypoint?: string;
  /** The callee's `ctx.props`. */
  readonly props?: Readonly<Record<string, JsonValue>>;
}

/** In a folder the first of them that exists is read. wrangler looks in the same order. */
const FILE_NAMES = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"] as const;

const SYNTAX: Readonly<Record<string, Syntax>> = { ".toml": "toml", ".json": "json", ".jsonc": "json" };

const MAIN_EXTENSIONS: ReadonlySet<string> = new Set([".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"]);

const TOP_LEVEL_KEYS = [...READ_KEYS, ...HARMLESS_KEYS, ...IGNORED_KEYS, ...UNSUPPORTED_BINDINGS.keys(), "env"];

/**
 * Reads the configuration at `path`: a `.toml`, `.json` or `.jsonc` file, or a folder that holds a `wrangler.json`,
 * `wrangler.jsonc` or `wrangler.toml`. `[env.NAME]` sections are not read.
 *
 * @throws ConfigError (as a rejection) where there is no such file, or it can't be used. Its messages name the file
 * the way `path` does, and all problems of the first kind found at once.
 */
export async function readWorkerConfig(path: string): Promise<WorkerConfig> {
  const file = await findConfigFile(path === "" ? "." : path);
  const syntax = SYNTAX[extname(file)];
  if (syntax === undefined) throw new ConfigError(file, ["a configuration must be a .toml, .json or .jsonc file"]);

  const checked = checkConfig(parseConfigText(await readText(file), syntax, file));
  if ("problems" in checked) throw new ConfigError(file, checked.problems);
  const raw = checked.config;

  const services = (raw.services ?? []).map(toServiceBinding);
  const vars = raw.vars ?? {};
  const duplicates = findDuplicates(Object.keys(vars), services);
  if (duplicates.length > 0) throw new ConfigError(file, duplicates);

  return {
    name: raw.name,
    main: await findMain(file, raw.main),
    file: resolve(file),
    vars,
    services,
    ...(raw.compatibility_date === undefined ? {} : { compatibilityDate: raw.compatibility_date }),
    compatibilityFlags: raw.compatibility_flags ?? [],
    warnings: findWarnings(raw).map((warning) => `${file}: ${warning}`),
  };
}

async function findConfigFile(path: string): Promise<string> {
  const kind = await kindOf(path, path);
  if (kind === "none") throw new ConfigError(path, ["no such file or folder"]);
  if (kind === "file") return path;
  for (const name of FILE_NAMES) {
    const file = join(path, name);
    if ((await kindOf(file, file)) === "file") return file;
  }
  throw new ConfigError(path, [`there is no ${FILE_NAMES.join(", ").replace(/, (?=[^,]*$)/, " or ")} in this folder`]);
}

async function readText(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new ConfigError(file, [`can't be read (${errorCode(cause)})`], { cause });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigError(file, ["is not UTF-8 text"], { cause });
  }
}

async function findMain(file: string, main: string): Promise<string> {
  if (!MAIN_EXTENSIONS.has(extname(main))) {
    throw new ConfigError(file, [`main: ${JSON.stringify(main)} is not a JavaScript or TypeScript file`]);
  }
  const path = resolve(dirname(file), main);
  const kind = await kindOf(path, file);
  if (kind === "file") return path;
  const problem = kind === "folder" ? "is a folder" : "doesn't exist";
  throw new ConfigError(file, [`main: ${JSON.stringify(main)} ${problem}`]);
}

async function kindOf(path: string, reportAs: string): Promise<"file" | "folder" | "none"> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch (cause) {
    const code = errorCode(cause);
    if (code === "ENOENT" || code === "ENOTDIR") return "none";
    throw new ConfigError(reportAs, [`can't be read (${code})`], { cause });
  }
}

function errorCode(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason";
}

function toServiceBinding(entry: NonNullable<RawConfig["services"]>[number]): ServiceBinding {
  return {
    binding: entry.binding,
    service: entry.service,
    ...(entry.entrypoint === undefined ? {} : { entrypoint: entry.entrypoint }),
    ...(entry.props === undefined ? {} : { props: entry.props }),
  };
}

function findDuplicates(vars: readonly string[], services: readonly ServiceBinding[]): string[] {
  const owners = new Map(vars.map((name) => [name, formatPath(["vars", name])]));
  const problems: string[] = [];
  for (const [index, { binding }] of services.entries()) {
    const place = formatPath(["services", index]);
    const owner = owners.get(binding);
    if (owner === undefined) owners.set(binding, place);
    else problems.push(`${place}: the binding name "${binding}" is taken by ${owner}`);
  }
  return problems;
}

function findWarnings(raw: RawConfig): string[] {
  const warnings: string[] = [];
  for (const [key, value] of Object.entries(raw)) {
    if (READ_KEYS.has(key) || HARMLESS_KEYS.has(key)) continue;
    if (IGNORED_KEYS.has(key)) warnings.push(`${key} is not supported by Capstan and is ignored`);
    else if (UNSUPPORTED_BINDINGS.has(key)) warnings.push(unsupportedBindingWarning(key, value));
    else if (key === "env") warnings.push(environmentWarning(value));
    else warnings.push(`unknown key ${JSON.stringify(key)}${didYouMean(suggest(key, TOP_LEVEL_KEYS))} is ignored`);
  }
  for (const [index, entry] of (raw.services ?? []).entries()) {
    for (const key of IGNORED_SERVICE_KEYS) {
      if (key in entry)
        warnings.push(`${formatPath(["services", index, key])} is not supported by Capstan and is ignored`);
    }
  }
  return warnings;
}

function unsupportedBindingWarning(key: string, value: unknown): string {
  const names = unsupportedBindingNames(key, value).map((name) => formatPath(["env", name]));
  const missing = names.length === 0 ? "" : `: ${names.join(", ")} will be missing`;
  return `${key} is not supported by Capstan${missing}`;
}

function environmentWarning(value: unknown): string {
  const names = typeof value === "object" && value !== null ? Object.keys(value) : [];
  const sections = names.length === 0 ? "env" : names.map((name) => formatPath(["env", name])).join(", ");
  return `${sections}: environments are not supported by Capstan; only the top level is read`;
}
