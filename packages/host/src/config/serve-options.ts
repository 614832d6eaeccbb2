// Checks what serve() is given in code: JavaScript callers have no compiler.
import { linkUrl } from "@capstan/client/serving";
import { z } from "zod";
import { PACKED_POLICIES } from "../link-protocol.ts";
import { ConfigError } from "./config-error.ts";
import { describeIssues, isObject, mustBe, problemText, serviceEntry } from "./schema.ts";

/** What errors call the options. */
const SOURCE = "serve()";

const nonEmpty = z.string().min(1, { error: "must not be empty" });
const anObject = z.custom<object>(isObject, { error: (issue) => mustBe("an object", issue.input) });
const aFunction = z.custom((value) => typeof value === "function", {
  error: (issue) => mustBe("a function", issue.input),
});
const PORT = { error: "must be a port: a whole number from 0 to 65535" };

const inlineWorker = z.strictObject({
  name: nonEmpty,
  module: z.custom<object>((value) => typeof value === "object" && value !== null, {
    error: (issue) =>
      issue.input === undefined ? '"module" is missing: the Worker\'s exports' : mustBe("an object", issue.input),
  }),
  vars: anObject.optional(),
  services: z
    .array(serviceEntry.extend({ props: anObject.optional() }), {
      error: (issue) => mustBe("a list", issue.input),
    })
    .optional(),
});

const serveOptions = z.strictObject({
  workers: z
    .array(z.unknown(), { error: (issue) => mustBe("a list of paths or Workers", issue.input) })
    .min(1, { error: "must name a Worker to serve" }),
  port: z.number(PORT).int(PORT).min(0, PORT).max(65_535, PORT).optional(),
  host: nonEmpty.optional(),
  listen: aFunction.optional(),
  services: anObject
    .superRefine((services, context) => {
      for (const [name, url] of Object.entries(services)) {
        const message = typeof url === "string" ? urlProblem(url) : mustBe("a URL", url);
        if (message !== undefined) context.addIssue({ code: "custom", path: [name], message });
      }
    })
    .optional(),
  acceptProps: z.boolean().optional(),
  sendStacks: z.boolean().optional(),
  packed: z.enum(PACKED_POLICIES, { error: 'must be "always", "remote" or "never"' }).optional(),
  // They are checked where they are resolved.
  limits: z.unknown().optional(),
  record: aFunction.optional(),
  report: aFunction.optional(),
  warn: aFunction.optional(),
});

/** @throws ConfigError with one line for each problem. */
export function checkServeOptions(options: unknown): void {
  if (!isObject(options)) throw new ConfigError(SOURCE, [mustBe("an object", options)]);
  const problems = check(serveOptions, options, []);
  if (options.listen !== undefined && (options.port ?? options.host) !== undefined) {
    problems.push("listen: takes the place of port and host: leave them out");
  }
  if (Array.isArray(options.workers)) {
    for (const [index, worker] of options.workers.entries()) {
      if (typeof worker === "string") continue;
      if (isObject(worker)) problems.push(...check(inlineWorker, worker, ["workers", index]));
      else problems.push(`workers[${index}]: ${mustBe("a path or an object", worker)}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(SOURCE, problems);
}

/** Why no service can be at `url`; undefined where one can. */
export function urlProblem(url: string): string | undefined {
  try {
    linkUrl(url);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/\.$/, "");
  }
}

function check(schema: z.ZodObject, value: unknown, path: readonly PropertyKey[]): string[] {
  const result = schema.safeParse(value, { error: problemText, reportInput: true });
  if (result.success) return [];
  const issues = result.error.issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
  return describeIssues(issues, [...Object.keys(schema.shape), "binding", "service", "entrypoint", "props"]);
}
