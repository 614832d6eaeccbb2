// Warnings of stubs and results that were lost without being disposed of. Off unless asked for: they cost a registration
// for each.
import type { Capability } from "@capstan/vat";
import { leakSetting, warn } from "#platform";

/** What is watched. */
export interface Watched {
  /** What it keeps at the other end; undefined once that was given back. */
  readonly kept: Capability | undefined;
}

interface Loss {
  readonly watched: Watched;
  readonly text: string;
  /** Where the call was made that it came from, or it itself. */
  readonly site: string | undefined;
}

const TEXTS = {
  stub: "An RPC stub was not disposed properly. Its object at the other end is kept until the link ends: call its [Symbol.dispose](), or declare it with `using`. Garbage collection does not tell the other end.",
  result:
    "An RPC result was not disposed properly. The stubs in it keep their objects at the other end: call its [Symbol.dispose](), or declare it with `using`. Garbage collection does not tell the other end.",
} as const;

let registry: FinalizationRegistry<Loss> | undefined;
let traces = false;

/** How to warn. */
export interface LeakWarnings {
  /** Whether each warning says where the stub or result was made. Default false: it costs a stack trace for each. */
  readonly trace?: boolean | undefined;
}

/**
 * Switches warnings on, as process warnings named RpcLeakWarning (in a browser: on the console), or off. In Node the
 * environment variable CAPSTAN_LEAKS says `warn`, `trace` or `off`; default: `warn` where NODE_ENV is "development".
 */
export function warnOfLeaks(warnings: LeakWarnings | false): void {
  traces = warnings !== false && warnings.trace === true;
  if (warnings === false) registry = undefined;
  else registry ??= new FinalizationRegistry(tell);
}

let arrivingFrom: string | undefined;

/** Where a call is made, if that is to be told of what it returns. */
export function callSite(): string | undefined {
  return traces ? new Error("The call was made here").stack : undefined;
}

/** What is watched from now on came from a call made at `site`; undefined: from none. */
export function arriveFrom(site: string | undefined): void {
  arrivingFrom = site;
}

/** Watches `object`, which is lost where it is collected while `watched` keeps something. */
export function watch(object: object, kind: keyof typeof TEXTS, watched: Watched): void {
  if (registry === undefined) return;
  registry.register(object, { watched, text: TEXTS[kind], site: traces ? (arrivingFrom ?? callSite()) : undefined });
}

function tell({ watched, text, site }: Loss): void {
  const { kept } = watched;
  // What was lost with its link is kept no longer.
  if (kept !== undefined && kept.brokenReason === undefined && registry !== undefined) warn(text, site);
}

const setting = leakSetting();
if (setting !== "off") warnOfLeaks({ trace: setting === "trace" });
