// The top-level keys of wrangler's configuration files, sorted by what Capstan makes of each.

/** Read, and checked. */
export const READ_KEYS: ReadonlySet<string> = new Set([
  "name",
  "main",
  "compatibility_date",
  "compatibility_flags",
  "vars",
  "services",
]);

/** About deploying, developing or billing on Cloudflare: nothing here changes what the Worker's code sees. */
export const HARMLESS_KEYS: ReadonlySet<string> = new Set([
  "$schema",
  "account_id",
  "cloudchamber",
  "compliance_region",
  "containers",
  "dev",
  "first_party_worker",
  "keep_names",
  "keep_vars",
  "legacy_env",
  "limits",
  "logpush",
  "migrations",
  "minify",
  "observability",
  "placement",
  "preserve_file_names",
  "preview_urls",
  "previews",
  "route",
  "routes",
  "send_metrics",
  "upload_source_maps",
  "usage_model",
  "workers_dev",
  "zone_id",
]);

/** They change how the Worker is built or what calls it. Capstan does neither, so their owner is told. */
export const IGNORED_KEYS: ReadonlySet<string> = new Set([
  "alias",
  "base_dir",
  "build",
  "define",
  "find_additional_modules",
  "jsx_factory",
  "jsx_fragment",
  "no_bundle",
  "pages_build_output_dir",
  "python_modules",
  "rules",
  "site",
  "streaming_tail_consumers",
  "tail_consumers",
  "triggers",
  "tsconfig",
]);

/**
 * The kinds of binding that Capstan doesn't have, with the place of the binding's name: the list or object that holds
 * the entries ("" is the key's own value), and the key of the name in an entry ("*": the keys, or the strings, themselves).
 */
export const UNSUPPORTED_BINDINGS: ReadonlyMap<string, { readonly within: string; readonly name: string }> = new Map(
  [
    ["ai", "", "binding"],
    ["ai_search", "", "binding"],
    ["ai_search_namespaces", "", "binding"],
    ["analytics_engine_datasets", "", "binding"],
    ["artifacts", "", "binding"],
    ["assets", "", "binding"],
    ["browser", "", "binding"],
    ["d1_databases", "", "binding"],
    ["data_blobs", "", "*"],
    ["dispatch_namespaces", "", "binding"],
    ["durable_objects", "bindings", "name"],
    ["flagship", "", "binding"],
    ["hyperdrive", "", "binding"],
    ["images", "", "binding"],
    ["kv_namespaces", "", "binding"],
    ["logfwdr", "bindings", "name"],
    ["media", "", "binding"],
    ["mtls_certificates", "", "binding"],
    ["pipelines", "", "binding"],
    ["queues", "producers", "binding"],
    ["r2_buckets", "", "binding"],
    ["ratelimits", "", "name"],
    ["secrets", "required", "*"],
    ["secrets_store_secrets", "", "binding"],
    ["send_email", "", "name"],
    ["stream", "", "binding"],
    ["text_blobs", "", "*"],
    ["unsafe", "bindings", "name"],
    ["unsafe_hello_world", "", "binding"],
    ["vectorize", "", "binding"],
    ["version_metadata", "", "binding"],
    ["vpc_networks", "", "binding"],
    ["vpc_services", "", "binding"],
    ["wasm_modules", "", "*"],
    ["worker_loaders", "", "binding"],
    ["workflows", "", "binding"],
  ].map(([key = "", within = "", name = ""]) => [key, { within, name }]),
);

/** Keys of a services entry that wrangler knows and that mean nothing here. */
export const IGNORED_SERVICE_KEYS: readonly string[] = ["environment", "experimental_remote", "remote"];

/** The names of the bindings that `value`, found under the unsupported `key`, would have made. */
export function unsupportedBindingNames(key: string, value: unknown): string[] {
  const place = UNSUPPORTED_BINDINGS.get(key);
  if (place === undefined) return [];
  const holder = place.within === "" ? value : property(value, place.within);
  if (place.name === "*" && !Array.isArray(holder)) return isObject(holder) ? Object.keys(holder) : [];
  const entries: readonly unknown[] = Array.isArray(holder) ? holder : [holder];
  const names = entries.map((entry) => (place.name === "*" ? entry : property(entry, place.name)));
  return names.filter((name) => typeof name === "string");
}

function property(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
