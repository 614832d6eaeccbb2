// The shape of the keys that Capstan reads, and the words for what doesn't have it.
import { z } from "zod";
import { IGNORED_SERVICE_KEYS } from "./known-keys.ts";
import { didYouMean, suggest } from "./suggest.ts";

/** A value that JSON can say. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const WORKER_NAME = /^[a-z0-9_][a-z0-9_-]*$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

const nonEmpty = z.string().min(1, { error: "must not be empty" });

const identifier = z
  .string()
  .regex(IDENTIFIER, { error: (issue) => `${JSON.stringify(issue.input)} is not a valid identifier` })
  .refine((name) => name !== "__proto__", { error: '"__proto__" can\'t be a name' });

const jsonObject = z
  .custom<Record<string, JsonValue>>(isObject, { error: (issue) => mustBe("an object", issue.input) })
  .superRefine((object, context) => {
    if (Object.hasOwn(object, "__proto__"))
      context.addIssue({ code: "custom", message: '"__proto__" can\'t be a name' });
    for (const { path, what } of nonJson(object)) {
      context.addIssue({
        code: "custom",
        path: [...path],
        message: `${what} is not a JSON value (put quotes around it)`,
      });
    }
  });

/** One binding to a service. */
export const serviceEntry = z.strictObject({
  binding: identifier,
  service: nonEmpty,
  entrypoint: identifier.optional(),
  props: jsonObject.optional(),
  ...Object.fromEntries(IGNORED_SERVICE_KEYS.map((key) => [key, z.unknown().optional()])),
});

const SERVICE_KEYS = ["binding", "service", "entrypoint", "props"] as const;

const config = z.looseObject({
  name: z.string().regex(WORKER_NAME, {
    error: "must be of lower-case letters, digits, dashes and underscores, and not start with a dash",
  }),
  main: nonEmpty,
  compatibility_date: z
    .string()
    .regex(DATE, { error: (issue) => `${JSON.stringify(issue.input)} is not a date like "2025-01-31"` })
    .optional(),
  compatibility_flags: z.array(nonEmpty).optional(),
  vars: jsonObject.optional(),
  services: z
    .array(serviceEntry, { error: (issue) => mustBe("a list (in TOML: [[services]])", issue.input) })
    .optional(),
});

/** The keys that Capstan reads, with values of the right types. Other keys are there too, unchecked. */
export type RawConfig = z.infer<typeof config>;

/** Checks the parsed text of a configuration file: what it says, or one line for each problem. */
export function checkConfig(data: unknown): { readonly config: RawConfig } | { readonly problems: readonly string[] } {
  if (!isObject(data)) return { problems: [mustBe("an object", data)] };
  const result = config.safeParse(data, { error: problemText, reportInput: true });
  if (result.success) return { config: result.data };
  return { problems: describeIssues(result.error.issues, SERVICE_KEYS) };
}

/** A path as a person writes it: `services[0].props["a b"]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (IDENTIFIER.test(String(step))) text += text === "" ? String(step) : `.${String(step)}`;
    else text += `[${JSON.stringify(String(step))}]`;
  }
  return text;
}

/**
 * One line for each problem.
 *
 * @param keys what an unknown key may have been meant to be.
 */
export function describeIssues(issues: readonly z.core.$ZodIssue[], keys: readonly string[]): string[] {
  const problems: string[] = [];
  // A misspelt key is also a missing one; the first says it all.
  const explained = new Set<string>();
  for (const issue of issues) {
    if (issue.code !== "unrecognized_keys") continue;
    for (const key of issue.keys) {
      const meant = suggest(key, keys);
      if (meant !== undefined) explained.add(formatPath([...issue.path, meant]));
      problems.push(at(issue.path, `unknown key ${JSON.stringify(key)}${didYouMean(meant)}`));
    }
  }
  for (const issue of issues) {
    if (issue.code === "unrecognized_keys") continue;
    if (!isMissing(issue)) problems.push(at(issue.path, issue.message));
    else if (!explained.has(formatPath(issue.path))) {
      problems.push(at(issue.path.slice(0, -1), `"${String(issue.path.at(-1))}" is missing`));
    }
  }
  return problems;
}

function at(path: readonly PropertyKey[], problem: string): string {
  return path.length === 0 ? problem : `${formatPath(path)}: ${problem}`;
}

function isMissing(issue: z.core.$ZodIssue): boolean {
  return issue.code === "invalid_type" && issue.input === undefined && typeof issue.path.at(-1) === "string";
}

/** For zod's own kinds of problem; the checks above bring their own words. */
export function problemText(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== "invalid_type") return undefined;
  return mustBe(TYPE_NAMES[issue.expected] ?? `of type ${issue.expected}`, issue.input);
}

const TYPE_NAMES: Readonly<Record<string, string>> = { string: "a string", array: "a list", object: "an object" };

/** For a value of the wrong type. */
export function mustBe(what: string, value: unknown): string {
  return `must be ${what}, not ${kindOf(value)}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date (put quotes around it)";
  if (typeof value === "object") return "an object";
  return typeof value === "undefined" ? "missing" : `a ${typeof value}`;
}

/** An object that is no list and no date. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Every value inside `value` that JSON can't say: TOML's dates, infinities and NaN. */
function* nonJson(
  value: unknown,
  path: readonly PropertyKey[] = [],
): Generator<{ path: readonly PropertyKey[]; what: string }> {
  if (value instanceof Date) yield { path, what: "a date" };
  else if (typeof value === "number" && !Number.isFinite(value)) yield { path, what: String(value) };
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* nonJson(item, [...path, index]);
  else if (isObject(value)) for (const [key, item] of Object.entries(value)) yield* nonJson(item, [...path, key]);
}
